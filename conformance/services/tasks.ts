/** What runs in the processes of this folder's tests. Traces are lines in a file. */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  activeChildren,
  currentProcess,
  Process,
  parentProcess,
} from 'dragon-runtime/multiprocessing';

function trace(file: string, line: string): void {
  appendFileSync(file, `${line}\n`);
}

/** Says who it is, as far as it can see. */
export function introduce(file: string): void {
  const { name, puid, daemon } = currentProcess();
  const parent = parentProcess();
  const own = ['DRAGON_SOURCE', 'DRAGON_PUID', 'DRAGON_START', 'DRAGON_ROLE'];
  const seen = own.map((variable) => process.env[variable] !== undefined);
  trace(
    file,
    JSON.stringify({
      name,
      puid: String(puid),
      daemon,
      parent: parent && { name: parent.name, pid: parent.pid, puid: String(parent.puid) },
      alive: parent?.isAlive(),
      seen,
    }),
  );
}

export async function traceLater(file: string, line: string, delayMs: number): Promise<void> {
  await sleep(delayMs);
  trace(file, line);
}

/** Returns at once and leaves a timer behind. */
export function leaveTimer(file: string, exitCode: number): void {
  setTimeout(() => {
    trace(file, 'timer');
    process.exitCode = exitCode;
  }, 60);
}

export function exitWith(code: number): void {
  process.exit(code);
}

export function fail(text: string): never {
  throw new TypeError(text, { cause: new Error(`the cause of ${text}`) });
}

export async function failLater(text: string): Promise<never> {
  await sleep(5);
  throw new RangeError(text);
}

export function throwAnything(): never {
  throw { odd: [1, 2] };
}

export async function failInTimer(text: string): Promise<void> {
  setTimeout(() => {
    throw new Error(text);
  }, 5);
  await sleep(1000);
}

export async function failUnhandled(text: string): Promise<void> {
  void Promise.reject(new Error(text));
  await sleep(1000);
}

export async function neverSettle(): Promise<void> {
  await new Promise(() => undefined);
}

export async function sleepFor(delayMs: number): Promise<void> {
  await sleep(delayMs);
}

/** Ignores SIGTERM, so that only SIGKILL ends it. */
export async function ignoreTerm(file: string): Promise<void> {
  process.on('SIGTERM', () => undefined);
  trace(file, 'ready');
  await sleep(60_000);
}

/** Starts a child that leaves a trace later and a daemon that never would; ends in some way. */
export async function leaveChildren(file: string, way: 'return' | 'exit' | 'throw'): Promise<void> {
  const child = new Process({ target: traceLater, args: [file, 'child', 150] });
  const daemon = new Process({ target: sleepFor, args: [60_000], daemon: true });
  await Promise.all([child.start(), daemon.start()]);
  trace(file, `daemon ${daemon.pid}`);
  if (way === 'exit') process.exit(3);
  if (way === 'throw') throw new Error('children are left');
}

/** Starts a daemon and is then killed. */
export async function dieWithDaemon(file: string): Promise<void> {
  const daemon = new Process({ target: ignoreTerm, args: [file], daemon: true });
  await daemon.start();
  trace(file, `daemon ${daemon.pid}`);
  process.kill(process.pid, 'SIGKILL');
  await sleep(60_000);
}

export async function countChildren(file: string): Promise<void> {
  const children = [1, 2].map(() => new Process({ target: sleepFor, args: [60_000] }));
  for (const child of children) await child.start();
  const before = (await activeChildren()).length;
  for (const child of children) await child.kill();
  for (const child of children) await child.join();
  trace(file, `${before} ${(await activeChildren()).length}`);
}
