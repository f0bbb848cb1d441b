/** The checks of `process.test.ts`: life cycle, targets and relatives of processes. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ClosedError,
  currentProcess,
  DragonError,
  inline,
  ProcessError,
  SerializeError,
  TaskNotFoundError,
} from 'dragon-runtime';
import {
  activeChildren,
  activeChildrenSync,
  type Connection,
  cpuCount,
  Lock,
  Process,
  parentProcess,
  pipe,
  Queue,
} from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { check, multiProcess, runChecks } from '../harness/inside.ts';
import * as tasks from '../tasks/process-tasks.ts';

const folder = mkdtempSync(join(tmpdir(), 'process-'));
const stateError = { code: 'ERR_STATE' };

async function run<A extends readonly unknown[]>(process: Process<A>): Promise<Process<A>> {
  await process.start();
  await process.join();
  return process;
}

check('targets', async () => {
  using queue = new Queue<unknown>();
  const module = new URL('../tasks/process-tasks.ts', import.meta.url);
  await run(new Process({ target: tasks.giveBack, args: [queue, 1] }));
  assert.deepEqual(await queue.get(), [1]);
  for (const name of [module, module.href]) {
    await run(new Process({ target: { module: name, export: 'giveBack' }, args: [queue, 2] }));
    assert.deepEqual(await queue.get(), [2]);
  }
  await run(new Process({ target: tasks.plainFunction, args: [queue, 3] }));
  assert.deepEqual(await queue.get(), ['plain', 3]);
  const path = join(folder, 'inline');
  const process = new Process({ target: tasks.nestInline, args: [path] });
  await process.start();
  await process.join({ throw: true });
  assert.equal(readFileSync(path, 'utf8'), 'from inline');
  await run(
    new Process({ target: inline((q: Queue<unknown>) => q.putSync('text')), args: [queue] }),
  );
  assert.equal(await queue.get(), 'text');
  assert.throws(
    () => new Process({ target: tasks.hiddenFunction() }),
    (error: unknown) => {
      assert.ok(error instanceof TaskNotFoundError);
      assert.match(error.message, /export function secret/);
      return true;
    },
  );
});

check('arguments', async () => {
  using queue = new Queue<unknown>();
  const args = [
    0,
    'ünï\u0000code',
    [[1], { a: null }],
    new Map([[1n, new Date(5)]]),
    new Float64Array(100_000).fill(0.5),
    'x'.repeat(300_000),
    undefined,
  ];
  await run(new Process({ target: tasks.giveBack, args: [queue, ...args] }));
  assert.deepEqual(await queue.get(), args);
  const lock = new Lock();
  const inner = new Queue<string>();
  const [near, far] = pipe<string>();
  await run(new Process({ target: tasks.giveBack, args: [queue, lock, [inner, far]] }));
  const [sameLock, [sameQueue, sameEnd]] = (await queue.get()) as [
    Lock,
    [Queue<string>, Connection<string>],
  ];
  lock.acquireSync();
  assert.equal(sameLock.tryAcquire(), false);
  inner.putSync('x');
  assert.equal(sameQueue.getSync(), 'x');
  near.sendSync('y');
  assert.equal(await sameEnd.recv(), 'y');
  for (const handle of [lock, inner, near, far, sameLock, sameQueue, sameEnd]) handle.close();
  const bad = new Process({ target: tasks.giveBack, args: [queue, () => 1] });
  await assert.rejects(bad.start(), SerializeError);
  assert.equal(bad.isAlive(), false);
});

check('a missing target fails the start', async () => {
  const module = new URL('../tasks/process-tasks.ts', import.meta.url);
  const before = (await activeChildren()).length;
  for (const target of [
    { module: new URL('./nowhere.ts', import.meta.url), export: 'work' },
    { module, export: 'nothing' },
  ]) {
    const process = new Process({ target, args: [] as never[] });
    await assert.rejects(process.start(), { code: 'ERR_TARGET_NOT_FOUND' });
    assert.throws(() => process.startSync(), { code: 'ERR_TARGET_NOT_FOUND' });
    assert.equal(process.isAlive(), false);
    assert.equal(process.pid, undefined);
  }
  assert.equal((await activeChildren()).length, before);
});

check('executables', async () => {
  const path = join(folder, 'native');
  const touch = Process.native({
    exe: 'sh',
    argv: ['-c', 'echo "$A" > "$0"; exit 3', path],
    env: { A: 'x y' },
  });
  await run(touch);
  assert.equal(touch.exitCode, 3);
  assert.equal(readFileSync(path, 'utf8'), 'x y\n');
  const sleeper = Process.native({ exe: '/bin/sleep', argv: ['100'] });
  await sleeper.start();
  assert.ok(sleeper.isAlive());
  await sleeper.terminate();
  assert.ok(await sleeper.join());
  assert.equal(sleeper.signal, 'SIGTERM');
  for (const exe of ['no-such-program-anywhere', '/no/such/program', folder]) {
    const process = Process.native({ exe });
    await assert.rejects(process.start(), (error: unknown) => {
      assert.ok(error instanceof ProcessError, String(error));
      return true;
    });
  }
});

check('environment, directory and streams', async () => {
  const texts = fc
    .string({ unit: 'binary', maxLength: 20 })
    .filter((s) => !/[\0\ud800-\udfff]/.test(s));
  using queue = new Queue<tasks.Self>();
  await fc.assert(
    fc.asyncProperty(
      texts,
      texts.filter((s) => !/[/]|^\.{0,2}$/.test(s)),
      async (value, name) => {
        const cwd = join(folder, name);
        mkdirSync(cwd, { recursive: true });
        const env = { SOME_VARIABLE: value, HOME: undefined };
        await run(
          new Process({
            target: tasks.describeSelf,
            args: [queue, ['SOME_VARIABLE', 'HOME', 'PATH']],
            env,
            cwd,
          }),
        );
        const self = await queue.get({ timeout: 5000 });
        assert.equal(self.cwd, cwd);
        assert.deepEqual(self.environment, {
          SOME_VARIABLE: value,
          HOME: undefined,
          PATH: process.env['PATH'],
        });
      },
    ),
    { numRuns: Math.ceil(multiProcess.numRuns / 2) },
  );
  const silent = new Process({ target: tasks.end, args: [{ kind: 'throw' }], stderr: 'ignore' });
  await run(silent);
  assert.equal(silent.exitCode, 1);
  const flagged = new Process({
    target: tasks.describeSelf,
    args: [queue],
    execArgv: ['--max-old-space-size=300'],
  });
  await run(flagged);
  assert.ok((await queue.get()).execArgv.includes('--max-old-space-size=300'));
});

check('life cycle', async () => {
  const process = new Process({ target: tasks.waitForEver });
  for (const call of [() => process.join(), () => process.terminate(), () => process.kill()]) {
    await assert.rejects(call(), stateError);
  }
  for (const call of [() => process.joinSync(), () => process.killSync()]) {
    assert.throws(call, stateError);
  }
  assert.equal(process.isAlive(), false);
  const { pid, puid, exitCode, signal, returnCode } = process;
  assert.deepEqual(
    [pid, puid, exitCode, signal, returnCode],
    [undefined, undefined, null, null, null],
  );
  await process.start();
  await assert.rejects(process.start(), stateError);
  assert.throws(() => process.startSync(), stateError);
  assert.ok(process.isAlive());
  assert.ok((process.pid ?? 0) > 0 && (process.puid ?? 0n) > 0n);
  assert.equal(process.exitCode, null);
  assert.throws(() => process.close(), stateError);
  await process.kill();
  assert.ok(await process.join());
  assert.equal(process.isAlive(), false);
  await process.kill();
  await process.terminate();
  process.terminateSync();
  await assert.rejects(process.start(), stateError);
  process.close();
  process.close();
  await assert.rejects(process.join(), ClosedError);
  await assert.rejects(process.start(), ClosedError);
  assert.throws(() => process.isAlive(), ClosedError);
});

check('join', async () => {
  const process = new Process({ target: tasks.waitForEver });
  process.startSync();
  for (const timeout of [-1, 0, 30]) {
    const startMs = performance.now();
    assert.equal(await process.join({ timeout }), false);
    assert.equal(process.joinSync({ timeout }), false);
    assert.ok(performance.now() - startMs >= 2 * (timeout - 1));
  }
  await assert.rejects(process.join({ timeout: Number.NaN }), TypeError);
  await assert.rejects(process.join({ signal: AbortSignal.timeout(10) }), { name: 'TimeoutError' });
  const joins = [process.join(), process.join({ timeout: 10_000 }), process.join()];
  process.terminateSync();
  assert.deepEqual(await Promise.all(joins), [true, true, true]);
  assert.equal(process.joinSync(), true);
});

const endings: fc.Arbitrary<tasks.Ending> = fc.oneof(
  fc.record({ kind: fc.constantFrom('exit', 'exitCode'), code: fc.integer({ min: 0, max: 1000 }) }),
  fc.record({
    kind: fc.constant('signal' as const),
    signal: fc.constantFrom<NodeJS.Signals>(
      'SIGTERM',
      'SIGKILL',
      'SIGABRT',
      'SIGSEGV',
      'SIGHUP',
      'SIGUSR2',
    ),
  }),
  fc.record({ kind: fc.constantFrom('return', 'throw', 'reject', 'throw later', 'unsettled') }),
);

function expectedReturn(ending: tasks.Ending): number {
  if (ending.kind === 'return') return 0;
  if (ending.kind === 'exit' || ending.kind === 'exitCode') return ending.code & 0xff;
  if (ending.kind === 'signal') return -constants.signals[ending.signal];
  return ending.kind === 'unsettled' ? 13 : 1;
}

check('how a process ended', async () => {
  const seen: tasks.Ending[] = [
    { kind: 'return' },
    { kind: 'exit', code: 300 },
    { kind: 'throw' },
    { kind: 'reject' },
    { kind: 'throw later' },
    { kind: 'unsettled' },
  ];
  const judge = async (ending: tasks.Ending): Promise<void> => {
    const process = new Process({ target: tasks.end, args: [ending], stderr: 'ignore' });
    await run(process);
    const expected = expectedReturn(ending);
    const text = JSON.stringify(ending);
    assert.equal(process.returnCode, expected, text);
    assert.equal(process.exitCode, expected >= 0 ? expected : null, text);
    assert.equal(process.signal, ending.kind === 'signal' ? ending.signal : null, text);
    if (expected === 0) assert.equal(await process.join({ throw: true }), true);
    else await assert.rejects(process.join({ throw: true }), ProcessError);
  };
  await Promise.all(seen.map(judge));
  await fc.assert(
    fc.asyncProperty(fc.array(endings, { minLength: 1, maxLength: 3 }), async (some) => {
      await Promise.all(some.map(judge));
    }),
    multiProcess,
  );
});

check('join throws what the target threw', async () => {
  const process = new Process({ target: tasks.end, args: [{ kind: 'throw' }], stderr: 'ignore' });
  await process.start();
  const { puid } = process;
  await assert.rejects(process.join({ throw: true }), (error: unknown) => {
    assert.ok(error instanceof ProcessError);
    assert.deepEqual([error.exitCode, error.signal, error.puid], [1, null, puid]);
    const { cause } = error as { cause: RangeError & { code: string; extra: number[] } };
    assert.ok(cause instanceof RangeError);
    assert.deepEqual([cause.message, cause.code, cause.extra], ['thrown', 'E_THROWN', [1, 2]]);
    assert.match(String((cause.cause as Error).stack), /process-tasks\.ts/);
    return true;
  });
  const killed = new Process({ target: tasks.waitForEver });
  await killed.start();
  await killed.kill();
  await assert.rejects(killed.join({ throw: true }), { exitCode: null, signal: 'SIGKILL' });
});

check('disposal', async () => {
  using queue = new Queue<string>();
  let stubborn: Process<[Queue<string>]>;
  {
    await using process = new Process({ target: tasks.ignoreSigterm, args: [queue] });
    await process.start();
    assert.equal(await queue.get(), 'ignoring');
    await process.terminate();
    assert.equal(await process.join({ timeout: 50 }), false);
    stubborn = process;
  }
  assert.equal(stubborn.signal, 'SIGKILL');
  {
    await using never = new Process({ target: tasks.waitForEver });
    assert.equal(never.isAlive(), false);
  }
});

check('blocking forms', () => {
  using queue = new Queue<unknown>();
  const process = new Process({ target: tasks.giveBack, args: [queue, 'sync'] });
  process.startSync();
  assert.deepEqual(queue.getSync({ timeout: 5000 }), ['sync']);
  assert.equal(process.joinSync({ timeout: 5000 }), true);
  assert.equal(process.exitCode, 0);
  const killed = new Process({ target: tasks.waitForEver });
  killed.startSync();
  killed.killSync();
  assert.throws(() => killed.joinSync({ throw: true }), ProcessError);
  assert.equal(killed.returnCode, -9);
});

check('active children', async () => {
  assert.deepEqual(await activeChildren(), []);
  const processes = [1, 2, 3].map(() => new Process({ target: tasks.waitForEver }));
  await Promise.all(processes.map((process) => process.start()));
  assert.deepEqual(new Set(await activeChildren()), new Set(processes));
  const [first, ...rest] = processes;
  await first?.kill();
  await first?.join();
  assert.deepEqual(new Set(activeChildrenSync()), new Set(rest));
  for (const process of rest) process.killSync();
  for (const process of rest) await process.join();
  assert.deepEqual(await activeChildren(), []);
});

check('self and parent', async () => {
  using queue = new Queue<tasks.Self>();
  const own = currentProcess();
  assert.equal(own.pid, process.pid);
  assert.equal(own.daemon, false);
  assert.equal(parentProcess(), undefined);
  const child = new Process({ target: tasks.describeSelf, args: [queue], name: 'Kind 1' });
  await run(child);
  const self = await queue.get();
  assert.deepEqual(
    [self.name, self.pid, self.puid, self.daemon, self.children],
    ['Kind 1', child.pid, child.puid, false, 0],
  );
  assert.deepEqual(self.parent, { name: own.name, pid: process.pid, alive: true });
});

check('a parent can be joined', async () => {
  using queue = new Queue<unknown>();
  const middle = new Process({ target: tasks.startWatcher, args: [queue] });
  await middle.start();
  assert.deepEqual(await queue.get({ timeout: 10_000 }), ['before', true, false]);
  await middle.terminate();
  await middle.join();
  assert.deepEqual(await queue.get({ timeout: 10_000 }), ['after', true, false]);
});

check('a tree of processes', async () => {
  const [near, far] = pipe<never, number[]>();
  const root = new Process({ target: tasks.recurse, args: [far, [], 2] });
  await root.start();
  far.close();
  const seen: number[][] = [];
  for await (const path of near) seen.push(path);
  assert.deepEqual(seen, [[], [0], [0, 0], [0, 1], [1], [1, 0], [1, 1]]);
  await root.join();
  near.close();
});

check('children keep their creator, daemons do not', async () => {
  const kept = join(folder, 'kept');
  const lost = join(folder, 'lost');
  const parents = [
    new Process({ target: tasks.startAndLeave, args: [kept, false] }),
    new Process({ target: tasks.startAndLeave, args: [lost, true] }),
  ];
  await Promise.all(parents.map((parent) => parent.start()));
  await Promise.all(parents.map((parent) => parent.join()));
  assert.ok(existsSync(kept));
  await sleep(400);
  assert.equal(existsSync(lost), false);
});

check('daemons', async () => {
  using queue = new Queue<unknown>();
  assert.equal(new Process({ target: tasks.doNothing }).daemon, false);
  const daemon = new Process({ target: tasks.startFromDaemon, args: [queue], daemon: true });
  assert.equal(daemon.daemon, true);
  await run(daemon);
  assert.deepEqual(await queue.get(), [true, 0, 'ERR_STATE']);
});

check('names', async () => {
  const names = Array.from({ length: 5 }, () => new Process({ target: tasks.doNothing }).name);
  assert.equal(new Set(names).size, 5);
  for (const name of names) assert.match(name, /^Process-\d+$/);
  assert.equal(new Process({ target: tasks.doNothing, name: 'mine' }).name, 'mine');
});

check('cores', () => {
  assert.ok(Number.isInteger(cpuCount()) && cpuCount() >= 1);
});

check('many processes leave nothing', async () => {
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  using queue = new Queue<tasks.Self>();
  await run(new Process({ target: tasks.describeSelf, args: [queue] }));
  await queue.get();
  const before = descriptors();
  const short = Array.from(
    { length: 5 },
    () => new Process({ target: tasks.describeSelf, args: [queue] }),
  );
  const long = Array.from({ length: 5 }, () => new Process({ target: tasks.waitForEver }));
  await Promise.all([...short, ...long].map((process) => process.start()));
  const counts = await Promise.all(short.map(async () => (await queue.get()).descriptors));
  assert.equal(new Set(counts).size, 1, `descriptors of equal children: ${counts}`);
  for (const process of short) {
    assert.ok(await process.join());
    assert.equal(process.exitCode, 0);
  }
  await Promise.all(long.map((process) => process.terminate()));
  for (const process of long) {
    assert.ok(await process.join());
    assert.equal(process.returnCode, -15);
  }
  assert.equal(descriptors(), before);
  assert.ok(!DragonError.is(await activeChildren()));
});

await runChecks();
rmSync(folder, { recursive: true });
