/** The check of `leaks.test.ts`: whatever a program does, nothing of it is left. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool as MemoryPool, Node } from 'dragon-runtime/core';
import { Lock, Pool, pipe, Queue } from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { check, multiProcess, runChecks } from '../harness/inside.ts';
import { startActors } from '../tasks/actors.ts';
import { slowSquare, square } from '../tasks/pool-tasks.ts';

const directory = process.env['DRAGON_RUNTIME_DIR'];
assert.ok(directory, 'a process of a run knows its directory');
const memory = MemoryPool.default(Node.attach(directory));

/** What is counted before and after. */
function counts(): Record<string, number> {
  const { usedBytes, allocations } = memory.stats();
  const threads = /^Threads:\s+(\d+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  const descriptors = readdirSync('/proc/self/fd').length;
  return { usedBytes, allocations, threads: Number(threads), descriptors };
}

/** Waits until everything is as it was; reclamation after a death takes a moment. */
async function settlesTo(before: Record<string, number>): Promise<void> {
  const deadlineMs = performance.now() + 3000;
  while (performance.now() < deadlineMs) {
    try {
      assert.deepEqual(counts(), before);
      return;
    } catch {
      await sleep(10);
    }
  }
  assert.deepEqual(counts(), before);
}

const big = new Uint8Array(100_000);

/** Small programs; each closes what it made, or ends what holds it. */
const programs: Record<string, () => Promise<void>> = {
  'a queue with items left': async () => {
    using queue = new Queue<unknown>();
    await queue.putMany([1, big, 'x'.repeat(5000)]);
    await queue.get();
  },
  'waits that time out or are aborted': async () => {
    using queue = new Queue<unknown>();
    using lock = new Lock();
    lock.acquireSync();
    const signal = AbortSignal.timeout(3);
    const waits = [queue.get({ timeout: 2 }), queue.get({ signal }), lock.acquire({ signal })];
    await Promise.allSettled(waits);
  },
  'handles inside handles': async () => {
    using queue = new Queue<unknown>();
    const [near, far] = pipe<unknown>();
    const lock = new Lock();
    await queue.put([near, lock]);
    lock.close();
    await queue.put(far);
    near.close();
    const arrived = (await queue.get()) as [typeof near, Lock];
    for (const handle of [...arrived, (await queue.get()) as typeof far, far]) handle.close();
  },
  'a destroyed queue': async () => {
    const queue = new Queue<unknown>({ maxsize: 2 });
    await queue.put(big);
    queue.destroy();
  },
  'a refused item': async () => {
    using queue = new Queue<unknown>();
    using lock = new Lock();
    await assert.rejects(queue.put([lock, big, () => 1]));
  },
  'processes that end': async () => {
    await using actors = await startActors(2);
    using queue = new Queue<string>();
    const [near, far] = pipe<never>();
    await actors[0]?.play({ kind: 'pass on', handle: far, queue });
    near.close();
    far.close();
  },
  'a process killed in the middle': async () => {
    await using actors = await startActors(1);
    using queue = new Queue<string>({ maxsize: 2 });
    using lock = new Lock();
    actors[0]?.play({ kind: 'hold', lock, queue }).catch(() => undefined);
    await queue.get();
    await actors[0]?.process.kill();
    await actors[0]?.process.join();
  },
  'a pool': async () => {
    await using pool = new Pool({ processes: 2 });
    await pool.map(square, [1, 2, 3]);
    pool.map(slowSquare, [1, 2, 3, 4]).catch(() => undefined);
  },
};

check('everything returns to the base line', async () => {
  // What is made once and kept: code, caches, the channel for answers.
  for (const program of Object.values(programs)) await program();
  await sleep(50);
  const before = counts();
  const names = fc.constantFrom(...Object.keys(programs));
  await fc.assert(
    fc.asyncProperty(fc.array(names, { minLength: 1, maxLength: 4 }), async (list) => {
      await Promise.all(list.map((name) => programs[name]?.()));
      await settlesTo(before);
    }),
    multiProcess,
  );
});

await runChecks();
