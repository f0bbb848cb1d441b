/** Bodies of started-process.test.ts: processes that are started, fail, leave things and end. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProcessError } from 'dragon-runtime';
import {
  activeChildren,
  currentProcess,
  Process,
  type ProcessOptions,
} from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../harness/inside.ts';
import * as tasks from './tasks.ts';

const folder = mkdtempSync(join(tmpdir(), 'started-'));
let files = 0;

function newFile(): string {
  return join(folder, `trace${++files}`);
}

function traces(file: string): string[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8').trim().split('\n');
}

/** Runs a process to its end. */
async function run<A extends readonly unknown[]>(options: ProcessOptions<A>): Promise<Process> {
  const child = new Process(options) as unknown as Process;
  await child.start();
  assert.equal(await child.join({ timeout: 8000 }), true, 'the process did not end');
  return child;
}

/** The process ids of what this run has started besides this program. */
function startedPids(): string[] {
  const run = `DRAGON_RUN_ID=${process.env['DRAGON_RUN_ID']}`;
  return readdirSync('/proc').filter((pid) => {
    try {
      const variables = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
      return variables.includes(run) && variables.includes('DRAGON_ROLE=process');
    } catch {
      return false;
    }
  });
}

async function failure(child: Process): Promise<ProcessError> {
  const error: unknown = await child.join({ throw: true }).catch((thrown: unknown) => thrown);
  assert(error instanceof ProcessError, `thrown was ${String(error)}`);
  return error;
}

check('identity', async () => {
  const file = newFile();
  const child = await run({ target: tasks.introduce, args: [file], name: 'me', daemon: true });
  const { name, puid } = currentProcess();
  assert.deepEqual(JSON.parse(traces(file)[0] ?? ''), {
    name: 'me',
    puid: String(child.puid),
    daemon: true,
    parent: { name, pid: process.pid, puid: String(puid) },
    alive: true,
    seen: [false, true, true, true],
  });
  assert.equal(puid, 2n ** 32n);
});

check('timer', async () => {
  const file = newFile();
  const child = await run({ target: tasks.leaveTimer, args: [file, 9] });
  assert.deepEqual([child.exitCode, traces(file)], [9, ['timer']]);
});

check('exit codes', async () => {
  const codes = [0, 1, 44, 255, 300, -1];
  const children = codes.map((code) => new Process({ target: tasks.exitWith, args: [code] }));
  await Promise.all(children.map((child) => child.start()));
  await Promise.all(children.map((child) => child.join()));
  assert.deepEqual(
    children.map(({ exitCode }) => exitCode),
    codes.map((code) => code & 255),
  );
});

check('unsettled', async () => {
  const child = await run({ target: tasks.neverSettle });
  assert.equal(child.exitCode, 13);
  const error = await failure(child);
  assert.equal((error.cause as ProcessError).code, 'ERR_UNSETTLED');
});

check('failures', async () => {
  const failing = [
    [{ target: tasks.fail, args: ['boom-1'] }, 'TypeError', 'boom-1'],
    [{ target: tasks.failLater, args: ['boom-2'] }, 'RangeError', 'boom-2'],
    [{ target: tasks.failInTimer, args: ['boom-3'] }, 'Error', 'boom-3'],
    [{ target: tasks.failUnhandled, args: ['boom-4'] }, 'Error', 'boom-4'],
  ] as const;
  for (const [options, name, message] of failing) {
    const child = await run(options as unknown as ProcessOptions);
    assert.equal(child.exitCode, 1, message);
    const { cause } = await failure(child);
    assert(cause instanceof Error);
    assert.deepEqual([cause.name, cause.message], [name, message]);
  }
});

check('thrown value', async () => {
  const child = await run({ target: tasks.throwAnything });
  assert.equal(child.exitCode, 1);
  assert.deepEqual((await failure(child)).cause, { odd: [1, 2] });
});

check('children', async () => {
  for (const [way, exitCode] of [
    ['return', 0],
    ['exit', 3],
    ['throw', 1],
  ] as const) {
    const file = newFile();
    const parent = await run({ target: tasks.leaveChildren, args: [file, way] });
    assert.equal(parent.exitCode, exitCode, way);
    const seen = traces(file);
    assert(seen.includes('child'), `${way}: the child was not joined`);
    const pid = seen.find((line) => line.startsWith('daemon'))?.split(' ')[1];
    assert(!existsSync(`/proc/${pid}`), `${way}: the daemon is left`);
  }
});

check('killed parent', async () => {
  const file = newFile();
  const parent = await run({ target: tasks.dieWithDaemon, args: [file] });
  assert.equal(parent.signal, 'SIGKILL');
  const pid = traces(file)
    .find((line) => line.startsWith('daemon'))
    ?.split(' ')[1];
  const deadlineMs = performance.now() + 5000;
  while (existsSync(`/proc/${pid}`) && performance.now() < deadlineMs) await sleep(20);
  assert(!existsSync(`/proc/${pid}`), 'the daemon is left');
});

check('active children', async () => {
  const file = newFile();
  await run({ target: tasks.countChildren, args: [file] });
  assert.deepEqual(traces(file), ['2 0']);
});

check('mixed requests', async () => {
  const [slow, quick] = [120, 1].map(
    (delayMs) => new Process({ target: tasks.sleepFor, args: [delayMs] }),
  );
  assert(slow && quick);
  await Promise.all([slow.start(), quick.start()]);
  const joining = quick.join();
  assert.equal(slow.joinSync(), true);
  assert.equal(await joining, true);
  const sync = new Process({ target: tasks.sleepFor, args: [1] });
  sync.startSync();
  assert.equal(sync.joinSync({ timeout: 8000 }), true);
});

check('big arguments', async () => {
  const file = newFile();
  const line = 'x'.repeat(3_000_000);
  await run({ target: tasks.traceLater, args: [file, line, 0] });
  assert.equal(traces(file)[0]?.length, line.length);
});

check('abandoned starts', async () => {
  const target = { module: new URL('./hanging.ts', import.meta.url), export: 'never' };
  const late = new Process({ target, name: 'late' });
  assert.throws(() => late.startSync({ timeout: 400 }), { code: 'ERR_TIMEOUT' });
  const reason = new Error('enough');
  const aborted = new Process({ target, name: 'aborted' });
  const starting = aborted.start({ signal: AbortSignal.timeout(400) });
  await assert.rejects(starting, { name: 'TimeoutError' });
  const before = new Process({ target, name: 'before' });
  await assert.rejects(before.start({ signal: AbortSignal.abort(reason) }), reason);
  assert.deepEqual(await activeChildren(), []);
  assert.deepEqual(startedPids(), []);
});

await runChecks();
rmSync(folder, { recursive: true });
