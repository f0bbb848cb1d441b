/** The bodies of `process.test.ts`: ported tests of the process object. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { ClosedError, currentProcess } from 'dragon-runtime';
import {
  activeChildren,
  cpuCount,
  nativeThreadId,
  Process,
  parentProcess,
  pipe,
  Queue,
  setExecutable,
  wait,
  waitSync,
} from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { check, runChecks, sized } from '../../harness/inside.ts';
import * as ports from '../../tasks/process-ports.ts';
import * as tasks from '../../tasks/process-tasks.ts';

const folder = mkdtempSync(join(tmpdir(), 'ports-'));
const patience = { timeout: 9000 };
const stateError = { code: 'ERR_STATE' };

check('test_current', () => {
  const current = currentProcess();
  assert.ok(current.isAlive());
  assert.equal(current.daemon, false);
  assert.ok(current.authkey instanceof Uint8Array && current.authkey.length > 0);
  assert.equal(current.pid, process.pid);
  assert.ok(current.puid > 0n);
  assert.equal(current.exitCode, null);
});

check('test_set_executable', async () => {
  const wrapper = join(folder, 'a node');
  writeFileSync(wrapper, `#!/bin/sh\nexec '${process.execPath}' "$@"\n`);
  chmodSync(wrapper, 0o700);
  const paths = [process.execPath, Buffer.from(process.execPath), pathToFileURL(process.execPath)];
  for (const path of [...paths, wrapper]) {
    setExecutable(path);
    const child = new Process({ target: ports.nothing });
    await child.start();
    await child.join();
    assert.equal(child.exitCode, 0);
  }
  setExecutable(undefined);
});

check('test_args_argument', async () => {
  using queue = new Queue<unknown[]>();
  const cases = [[1], ['Hello'], [1, 'two'], [[1, ['two', [3n, undefined]]], []]] as const;
  for (const args of cases) {
    const all = Object.freeze([queue, ...args] as const);
    const child = new Process({ target: tasks.giveBack, args: all });
    await child.start();
    await child.join();
    assert.deepEqual(await queue.get(patience), [...args]);
  }
  const many = fc.sample(fc.jsonValue(), 200);
  const child = new Process({ target: tasks.giveBack, args: [queue, ...many] });
  await child.start();
  assert.deepEqual(await queue.get(patience), many);
  await child.join();
});

check('test_daemon_argument', async () => {
  using queue = new Queue<unknown>();
  const target = tasks.startFromDaemon;
  assert.equal(new Process({ target, args: [queue] }).daemon, currentProcess().daemon);
  assert.equal(new Process({ target, args: [queue], daemon: false }).daemon, false);
  const daemon = new Process({ target, args: [queue], daemon: true });
  assert.equal(daemon.daemon, true);
  await daemon.start();
  // Its child is a daemon as it is, and could not be anything else.
  assert.deepEqual(await queue.get(patience), [true, 0, 'ERR_STATE']);
  await daemon.join();
});

check('test_parent_process_attributes', async () => {
  assert.equal(parentProcess(), undefined);
  using queue = new Queue<tasks.Self>();
  const child = new Process({ target: tasks.describeSelf, args: [queue] });
  await child.start();
  const { parent } = await queue.get(patience);
  assert.deepEqual([parent.pid, parent.name], [process.pid, currentProcess().name]);
  await child.join();
});

check('test_parent_process', async () => {
  using queue = new Queue<unknown>();
  const middle = new Process({ target: tasks.startWatcher, args: [queue] });
  await middle.start();
  assert.deepEqual(await queue.get(patience), ['before', true, false]);
  await middle.terminate();
  await middle.join();
  assert.deepEqual(await queue.get(patience), ['after', true, false]);
});

check('test_process', async () => {
  using queue = new Queue<unknown[]>();
  const args = [queue, 1, 2] as const;
  const options = { hello: 23, bye: 2.54 };
  const child = new Process({
    target: ports.tellAll,
    args: [...args, options],
    name: 'SomeProcess',
    daemon: true,
  });
  const current = currentProcess();
  assert.deepEqual(Buffer.from(child.authkey), Buffer.from(current.authkey));
  assert.deepEqual([child.isAlive(), child.daemon, child.exitCode], [false, true, null]);
  assert.ok(!(await activeChildren()).includes(child as unknown as Process));
  await child.start();
  assert.deepEqual([child.exitCode, child.isAlive()], [null, true]);
  assert.ok((await activeChildren()).includes(child as unknown as Process));
  const [rest, name, pid, authkey, daemon] = await queue.get(patience);
  assert.deepEqual(rest, [1, 2, options]);
  assert.deepEqual([name, pid, daemon], ['SomeProcess', child.pid, true]);
  assert.deepEqual(Buffer.from(authkey as Uint8Array), Buffer.from(current.authkey));
  await child.join();
  assert.deepEqual([child.exitCode, child.isAlive()], [0, false]);
  assert.ok(!(await activeChildren()).includes(child as unknown as Process));
});

check('test_process_mainthread_native_id', async () => {
  using queue = new Queue<unknown[]>();
  const child = new Process({ target: ports.tellAll, args: [queue] });
  await child.start();
  const told = await queue.get(patience);
  assert.equal(told[5], child.pid);
  assert.notEqual(told[5], nativeThreadId());
  await child.join();
});

async function endBy(call: 'terminate' | 'kill'): Promise<Process> {
  const child = new Process({ target: tasks.waitForEver, daemon: true }) as unknown as Process;
  await child.start();
  assert.ok(child.isAlive());
  assert.ok((await activeChildren()).includes(child));
  assert.equal(child.exitCode, null);
  for (const timeout of [0, -1]) {
    const startMs = performance.now();
    assert.equal(await child.join({ timeout }), false);
    assert.equal(child.joinSync({ timeout }), false);
    assert.ok(performance.now() - startMs < 5000);
    assert.ok(child.isAlive());
  }
  await child[call]();
  assert.equal(await child.join(), true);
  assert.equal(child.isAlive(), false);
  assert.ok(!(await activeChildren()).includes(child));
  assert.equal(child.exitCode, null);
  return child;
}

check('test_terminate', async () => {
  const { signal, returnCode } = await endBy('terminate');
  assert.deepEqual([signal, returnCode], ['SIGTERM', -15]);
});

check('test_kill', async () => {
  const { signal, returnCode } = await endBy('kill');
  assert.deepEqual([signal, returnCode], ['SIGKILL', -9]);
});

check('test_cpu_count', () => {
  assert.ok(Number.isInteger(cpuCount()) && cpuCount() >= 1);
});

check('test_active_children', async () => {
  assert.deepEqual(await activeChildren(), []);
  const child = new Process({ target: tasks.waitForEver }) as unknown as Process;
  assert.deepEqual(await activeChildren(), []);
  await child.start();
  assert.deepEqual(await activeChildren(), [child]);
  await child.kill();
  await child.join();
  assert.deepEqual(await activeChildren(), []);
});

check('test_recursion', async () => {
  const [reader, writer] = pipe<number[]>({ duplex: false });
  const root = new Process({ target: tasks.recurse, args: [writer, [], 2] });
  await root.start();
  await root.join();
  writer.close();
  const paths: number[][] = [];
  for await (const path of reader) paths.push(path);
  assert.deepEqual(paths, [[], [0], [0, 0], [0, 1], [1], [1, 0], [1, 1]]);
  reader.close();
});

check('test_sentinel', async () => {
  const child = new Process({ target: tasks.waitForEver });
  assert.throws(() => child.sentinel, stateError);
  await child.start();
  const { sentinel } = child;
  assert.deepEqual(await wait([sentinel], { timeout: 0 }), []);
  assert.deepEqual(waitSync([sentinel], { timeout: 1 }), []);
  await child.kill();
  assert.deepEqual(await wait([sentinel], patience), [sentinel]);
  assert.deepEqual(waitSync([sentinel], { timeout: 0 }), [sentinel]);
  await child.join();
});

check('test_close', async () => {
  using queue = new Queue<number>();
  const child = new Process({ target: tasks.giveBack, args: [queue as Queue<unknown>] });
  await child.start();
  const living = new Process({ target: tasks.waitForEver });
  await living.start();
  assert.throws(() => living.close(), stateError);
  await living.kill();
  await living.join();
  await queue.get(patience);
  await child.join();
  assert.equal(child.exitCode, 0);
  child.close();
  assert.throws(() => child.isAlive(), ClosedError);
  assert.throws(() => child.sentinel, ClosedError);
  for (const call of ['start', 'join', 'terminate', 'kill'] as const) {
    await assert.rejects(child[call](), ClosedError);
    assert.throws(() => child[`${call}Sync`](), ClosedError);
  }
  child.close();
});

check('test_many_processes', async () => {
  const count = sized(5) === 5 ? 5 : 100;
  const short = Array.from({ length: count }, () => {
    return new Process({ target: ports.sleepFor, args: [10] });
  });
  await Promise.all(short.map((child) => child.start()));
  for (const child of short) await child.join();
  assert.deepEqual(
    short.map(({ exitCode }) => exitCode),
    Array(count).fill(0),
  );
  const long = Array.from({ length: count }, () => new Process({ target: tasks.waitForEver }));
  await Promise.all(long.map((child) => child.start()));
  await sleep(10);
  await Promise.all(long.map((child) => child.terminate()));
  for (const child of long) await child.join();
  assert.deepEqual(
    long.map(({ returnCode }) => returnCode),
    Array(count).fill(-15),
  );
});

check('test_child_fd_inflation', async () => {
  const parties = 4;
  using begun = new Queue<number>();
  using go = new Queue<number>();
  using counts = new Queue<number>();
  const children = Array.from({ length: parties }, () => {
    return new Process({ target: ports.countDescriptors, args: [begun, go, counts] });
  });
  for (const child of children) {
    await child.start();
    await begun.get(patience);
  }
  for (const _ of children) await go.put(1);
  const open = new Set<number>();
  for (const _ of children) open.add(await counts.get(patience));
  for (const child of children) await child.join();
  assert.equal(open.size, 1, `open descriptors: ${[...open].join(', ')}`);
});

check('test_wait_for_threads', async () => {
  const file = join(folder, 'threads');
  const child = new Process({ target: ports.leaveThreads, args: [file] });
  const startMs = performance.now();
  await child.start();
  await child.join({ throw: true });
  assert.ok(performance.now() - startMs >= 99);
  const lines = readFileSync(file, 'utf8').trim().split('\n').sort();
  assert.deepEqual(lines, ['thread', 'timer']);
});

check('test_error_on_stdio_flush_1', async () => {
  // The parent in the middle has broken its streams before it starts a child.
  for (const how of ['destroy', 'close', 'both'] as const) {
    const file = join(folder, `broken ${how}`);
    const args: [ports.Break, string] = [how, file];
    const out = join(folder, 'out');
    const child = new Process({
      target: ports.breakStreams,
      args,
      stdout: { file: out },
      stderr: 'ignore',
    });
    await child.start();
    await child.join({ throw: true });
    assert.equal(readFileSync(file, 'utf8'), 'child\nparent\n', how);
  }
});

check('test_error_on_stdio_flush_2', async () => {
  for (const stdout of ['ignore', { file: join(folder, 'out') }] as const) {
    const file = join(folder, `own ${typeof stdout}`);
    const child = new Process({ target: ports.breakStreams, args: ['both', file], stdout });
    await child.start();
    await child.join();
    assert.equal(child.exitCode, 0);
    assert.ok(existsSync(file));
  }
});

check('test_forkserver_sigint', async () => {
  // What starts processes here is the warden, the parent of them all.
  process.kill(process.ppid, 'SIGINT');
  await sleep(20);
  const child = new Process({ target: ports.nothing });
  await child.start();
  await child.join({ throw: true });
});

await runChecks();
rmSync(folder, { recursive: true });
