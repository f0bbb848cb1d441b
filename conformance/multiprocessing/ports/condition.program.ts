/**
 * The checks of `condition.test.ts`. Where upstream has processes and threads that sleep, here
 * are processes that block, and asynchronous tasks of this thread; and processes that do not block.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Condition, Process, Queue, rawValue, Semaphore } from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../../harness/inside.ts';
import type { Flavour } from '../../tasks/actors.ts';
import { notifyAndSignal, waiter, waitForFour, waitInVain } from '../../tasks/sections.ts';

const FLAVOURS = ['sync', 'async'] as const;

async function start(target: (...args: never[]) => unknown, args: readonly unknown[]) {
  const process = new Process({
    target: target as () => unknown,
    args: [...args] as [],
    daemon: true,
  });
  await process.start();
  return process;
}

/** Processes and tasks of this thread that wait, `size` of each. */
class Sleepers implements AsyncDisposable {
  readonly condition = new Condition();
  readonly results = new Queue<unknown>();
  readonly #ready = new Semaphore(0);
  readonly #size: number;
  #processes: Process[] = [];
  #tasks: Promise<void>[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  /** Resolves when all of them wait. */
  async begin(flavour: Flavour, timeout?: number, rounds = 1): Promise<void> {
    const { condition, results } = this;
    const script = { condition, flavour, ready: this.#ready, results, timeout, rounds };
    const all = Array.from({ length: this.#size });
    this.#processes.push(...(await Promise.all(all.map(() => start(waiter, [script])))));
    this.#tasks.push(...all.map(() => waiter({ ...script, flavour: 'async' })));
    await this.again();
  }

  /** Resolves when all of them wait, or have waited, once more. */
  async again(): Promise<void> {
    await this.#ready.acquire({ n: 2 * this.#size });
    await this.condition.run(() => undefined);
  }

  /** What so many waits came to; no other has ended. */
  async woken(count: number): Promise<unknown[]> {
    const woken: unknown[] = [];
    while (woken.length < count) woken.push(await this.results.get({ timeout: 5000 }));
    await sleep(5);
    assert.ok(this.results.empty());
    return woken;
  }

  notify(n: number): Promise<number> {
    return this.condition.run((guard) => this.condition.notify(n, guard));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes) await process.join({ throw: true });
    await Promise.all(this.#tasks);
    // Nothing is left over, also for those who ask from outside.
    assert.deepEqual([this.condition.nWaiting, this.condition.lock.locked], [0, false]);
    for (const object of [this.condition, this.results, this.#ready]) object.close();
  }
}

check('notify', async () => {
  for (const flavour of FLAVOURS) {
    await using sleepers = new Sleepers(1);
    await sleepers.begin(flavour);
    assert.deepEqual(await sleepers.woken(0), []);
    for (const _ of FLAVOURS) {
      assert.equal(await sleepers.notify(1), 1);
      assert.deepEqual(await sleepers.woken(1), [true]);
    }
  }
});

check('notify all', async () => {
  await using sleepers = new Sleepers(3);
  await sleepers.begin('sync', 20);
  assert.deepEqual(
    await sleepers.woken(6),
    Array.from({ length: 6 }, () => false),
  );
  await sleepers.begin('sync');
  assert.deepEqual(await sleepers.woken(0), []);
  assert.equal(await sleepers.notify(Number.POSITIVE_INFINITY), 6);
  assert.deepEqual(
    await sleepers.woken(6),
    Array.from({ length: 6 }, () => true),
  );
});

check('notify n', async () => {
  await using sleepers = new Sleepers(3);
  await sleepers.begin('sync');
  assert.equal(await sleepers.notify(2), 2);
  assert.deepEqual(await sleepers.woken(2), [true, true]);
  assert.equal(await sleepers.notify(4), 4);
  assert.equal((await sleepers.woken(4)).length, 4);
  assert.equal(await sleepers.notify(3), 0);
  assert.deepEqual(await sleepers.woken(0), []);
});

check('timeout', async () => {
  using condition = new Condition();
  assert.equal(await condition.run((guard) => condition.wait(guard, { timeout: 20 })), false);
  assert.equal(
    condition.runSync(() => condition.waitSync({ timeout: 20 })),
    false,
  );
});

check('waitfor', async () => {
  for (const flavour of FLAVOURS) {
    using condition = new Condition();
    using state = rawValue('i', -1);
    const process = await start(waitForFour, [{ condition, state, flavour }]);
    const isZero = await condition.run((guard) =>
      condition.waitFor(guard, () => state.value === 0),
    );
    assert.equal(isZero, true);
    for (let i = 0; i < 4; i++) {
      await condition.run((guard) => {
        state.value++;
        condition.notify(1, guard);
      });
    }
    await process.join({ throw: true });
  }
});

check('waitfor timeout', async () => {
  for (const flavour of FLAVOURS) {
    using condition = new Condition();
    using state = rawValue('i', 0);
    using ready = new Semaphore(0);
    using results = new Queue<[boolean, number]>();
    const script = { condition, state, flavour };
    const process = await start(waitInVain, [script, ready, 60, results]);
    await ready.acquire();
    for (let i = 0; i < 3; i++) {
      await sleep(5);
      await condition.run((guard) => {
        state.value++;
        condition.notify(1, guard);
      });
    }
    await process.join({ throw: true });
    const [result, tookMs] = await results.get();
    assert.equal(result, false);
    assert.ok(tookMs > 50 && tookMs < 2000, `${tookMs} ms`);
    assert.equal(state.value, 3);
  }
});

check('wait result', async () => {
  using condition = new Condition();
  using waiting = new Semaphore(0);
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));
  const guard = await condition.guard();
  assert.equal(await condition.wait(guard, { timeout: 0 }), false);
  assert.equal(await condition.wait(guard, { timeout: 30 }), false);
  const child = await start(notifyAndSignal, [condition, process.pid, waiting]);
  assert.equal(await condition.wait(guard, { timeout: 60_000 }), true);
  waiting.release();
  await assert.rejects(condition.wait(guard, { signal: interrupt.signal }), /interrupted/);
  assert.ok(guard.held);
  guard.release();
  await child.join({ throw: true });
});

check('wait result of a process that blocks', async () => {
  // It has no handler for the signal, which ends it; the others go on.
  using condition = new Condition();
  using ready = new Semaphore(0);
  using results = new Queue<unknown>();
  const script = { condition, flavour: 'sync', ready, results };
  const blocked = await start(waiter, [script]);
  await ready.acquire();
  await condition.run(() => assert.equal(condition.nWaiting, 1));
  process.kill(blocked.pid ?? 0, 'SIGINT');
  await blocked.join();
  assert.equal(blocked.signal, 'SIGINT');
  assert.equal(await condition.run((guard) => condition.notify(1, guard)), 0);
  assert.ok(results.empty());
});

await runChecks();
