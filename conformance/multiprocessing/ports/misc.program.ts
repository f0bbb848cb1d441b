/** The checks of `misc.test.ts`: processes of processes, flags, descriptors, the runtime's own. */
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool as Memory, Node } from 'dragon-runtime/core';
import { Process, Queue } from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../../harness/inside.ts';
import * as tasks from '../../tasks/nested-tasks.ts';

const folder = mkdtempSync(join(tmpdir(), 'misc-'));

/** Runs a process to its end, which has to be a good one. */
async function run<A extends readonly unknown[]>(process: Process<A>): Promise<void> {
  await process.start();
  await process.join({ throw: true });
}

async function taken<T>(queue: Queue<T>, times: number): Promise<T[]> {
  const items: T[] = [];
  while (items.length < times) items.push(await queue.get({ timeout: 5000 }));
  return items;
}

check('a queue in a process', async () => {
  using told = new Queue<unknown>();
  await run(new Process({ target: tasks.queueInside, args: [told] }));
  assert.deepEqual(await told.get(), [5, 0]);
});

check('a pool in a process', async () => {
  using told = new Queue<unknown>();
  await run(new Process({ target: tasks.poolInside, args: [told] }));
  assert.deepEqual(await told.get(), [1, 4, 9]);
});

check('flags', async () => {
  using told = new Queue<tasks.Flags>();
  const execArgv = ['--stack-trace-limit=23'];
  const env = { NODE_OPTIONS: '--max-http-header-size=12345' };
  await run(new Process({ target: tasks.tellFlags, args: [told, 1], execArgv, env }));
  for (const flags of await taken(told, 2)) {
    assert.ok(flags.execArgv.includes('--stack-trace-limit=23'));
    assert.deepEqual([flags.stackTraceLimit, flags.maxHeaderSize], [23, 12_345]);
  }
});

check('preloaded modules', async () => {
  using told = new Queue<tasks.Flags>();
  const script = join(folder, 'first.cjs');
  const module = join(folder, 'second.mjs');
  writeFileSync(script, 'globalThis.preloaded = ["script"];');
  writeFileSync(module, 'globalThis.preloaded.push("module");');
  const execArgv = ['--require', script, '--import', module];
  await run(new Process({ target: tasks.tellFlags, args: [told, 2], execArgv }));
  for (const { preloaded } of await taken(told, 3)) {
    assert.deepEqual(preloaded, ['script', 'module']);
  }
});

check('flags that are no strings', () => {
  for (const flag of [5, null, ['--require'], { toString: () => '--require' }]) {
    assert.throws(
      () => new Process({ target: tasks.square, args: [1], execArgv: [flag as never] }),
      { code: 'ERR_INVALID_ARGUMENT' },
    );
  }
});

check('descriptors of the creator', async () => {
  const server = createServer().listen(0);
  const file = openSync(join(folder, 'open'), 'w');
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  const own = [fd, file].map((descriptor) => readlinkSync(`/proc/self/fd/${descriptor}`));
  using told = new Queue<string[]>();
  await run(new Process({ target: tasks.tellDescriptors, args: [told] }));
  const links = await told.get();
  assert.deepEqual(
    own.filter((link) => links.includes(link)),
    [],
  );
  closeSync(file);
  server.close();
});

check('a queue for two generations', async () => {
  using queue = new Queue<number>();
  await run(new Process({ target: tasks.putDepths, args: [queue, 2] }));
  assert.deepEqual(await taken(queue, 3), [2, 1, 0]);
});

check('what a killed process leaves', async () => {
  using ready = new Queue<string>();
  const pool = Memory.default(Node.current());
  const make = async (): Promise<void> => {
    const victim = new Process({ target: tasks.makeObjects, args: [ready] });
    await victim.start();
    assert.equal(await ready.get({ timeout: 5000 }), 'made');
    await victim.kill();
    await victim.join();
  };
  // The first brings what stays for the next: magazines of the pool, places of processes.
  await make();
  await sleep(50);
  const before = pool.stats().usedBytes;
  for (let i = 0; i < 3; i += 1) await make();
  const deadline = performance.now() + 5000;
  while (pool.stats().usedBytes > before + 100_000 && performance.now() < deadline) await sleep(10);
  const left = pool.stats().usedBytes - before;
  assert.ok(left <= 100_000, `${left} bytes are left of three killed processes`);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  check(`the services go on after ${signal}`, async () => {
    using queue = new Queue<number>();
    process.kill(process.ppid, signal);
    await run(new Process({ target: tasks.putOne, args: [queue, 1] }));
    assert.equal(await queue.get({ timeout: 5000 }), 1);
  });
}

check('one runtime for all generations', async () => {
  using told = new Queue<unknown>();
  await run(new Process({ target: tasks.tellRun, args: [told, 2] }));
  const { DRAGON_RUN_ID: id, DRAGON_RUNTIME_DIR: directory } = process.env;
  assert.ok(id !== undefined && directory !== undefined);
  for (const seen of await taken(told, 3)) assert.deepEqual(seen, [id, directory, process.ppid]);
});

await runChecks();
rmSync(folder, { recursive: true });
