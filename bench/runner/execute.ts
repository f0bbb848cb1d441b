/**
 * Runs measuring programs, one at a time, each in a process group of its own.
 *
 * Goals: a program that fails, prints nothing or never ends costs one figure and leaves no
 * process behind; an interrupted run ends its program first.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { parseMeasurement } from './results.ts';
import type { Execute, Outcome, Program } from './types.ts';

export interface ExecutorOptions {
  readonly timeoutMs: number;
  readonly env: NodeJS.ProcessEnv;
  /** How long a program that was asked to end may take to do so. */
  readonly graceMs?: number;
}

export interface Executor {
  readonly execute: Execute;
  /**
   * Starts no more programs and ends the one that runs now; resolves when it is gone. Of that
   * one and of later ones nothing is answered: nobody is to report half a run.
   */
  stop(): Promise<void>;
}

/** Most characters of a failed program's standard error that a reason quotes. */
const QUOTE = 300;

/** Tells the one program that runs now to end, and the time when it has. */
interface Running {
  readonly end: () => void;
  readonly gone: Promise<void>;
}

export function createExecutor(options: ExecutorOptions): Executor {
  let running: Running | undefined;
  let stopped = false;
  const never = new Promise<never>(() => {});
  return {
    execute: async (program) => {
      if (stopped) return never;
      const { outcome, ...handle } = launch(program, options);
      running = handle;
      const result = await outcome;
      running = undefined;
      return stopped ? never : result;
    },
    stop: async () => {
      stopped = true;
      running?.end();
      await running?.gone;
    },
  };
}

function launch(
  program: Program,
  { env, timeoutMs, graceMs = 3000 }: ExecutorOptions,
): Running & { readonly outcome: Promise<Outcome> } {
  const child = start(program, env);
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk));
  let timedOut = false;
  let killTimer: NodeJS.Timeout | undefined;
  const killSoon = (): void => {
    killTimer ??= setTimeout(() => kill(child), graceMs);
  };
  const end = (): void => {
    signalGroup(child, 'SIGTERM');
    killSoon();
  };
  const timer = setTimeout(() => {
    timedOut = true;
    end();
  }, timeoutMs);
  const outcome = new Promise<Outcome>((settle) => {
    const finish = (result: Outcome): void => {
      clearTimeout(timer);
      clearTimeout(killTimer);
      settle(result);
    };
    child.on('error', (error) => finish({ failed: error.message }));
    // The streams close later when somebody else has them too, who gets as long to end.
    child.on('exit', () => {
      clearTimeout(timer);
      killSoon();
    });
    child.on('close', (code, signal) => {
      signalGroup(child, 'SIGKILL');
      if (timedOut) finish({ failed: `no result after ${timeoutMs / 1000} s` });
      else finish(outcomeOf(code, signal, text(output), text(errors)));
    });
  });
  return { end, outcome, gone: outcome.then(() => undefined) };
}

function start(program: Program, env: NodeJS.ProcessEnv): ChildProcess {
  const [command, ...args] = program.argv;
  if (command === undefined) throw new Error('a program without a command');
  return spawn(command, args, {
    env: { ...env, ...program.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
}

function outcomeOf(
  code: number | null,
  signal: NodeJS.Signals | null,
  output: string,
  errors: string,
): Outcome {
  if (code !== 0) {
    const end = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
    const quote = errors.trim().slice(-QUOTE).replaceAll('\n', ' | ');
    return { failed: quote === '' ? end : `${end}: ${quote}` };
  }
  return parseMeasurement(output) ?? { failed: 'it printed no result line' };
}

function text(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8');
}

/** Who left the group may still hold the other end of our pipes: nobody waits for that. */
function kill(child: ChildProcess): void {
  signalGroup(child, 'SIGKILL');
  child.stdout?.destroy();
  child.stderr?.destroy();
}

/** Signals the program and what it started; those that moved to another group are its own. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is empty: everybody has ended.
  }
}
