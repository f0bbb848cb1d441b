/** The checks of `condition.test.ts`. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClosedError, NotLockedError, NotOwnerError, OwnerDiedError } from 'dragon-runtime';
import {
  Condition,
  Lock,
  type LockGuard,
  Process,
  Queue,
  RLock,
  type RLockGuard,
  Semaphore,
} from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../harness/inside.ts';
import { holder, type WaiterScript, waiter } from '../tasks/sections.ts';

function travelled<T>(object: T): T {
  using carrier = new Queue<T>();
  carrier.putSync(object);
  return carrier.getSync();
}

const kinds = [
  () => new Condition(new Lock()),
  () => new Condition(new RLock()),
  () => new Condition(),
] as const;

/** Waiters in other processes, one of each form, and what they came to. */
async function startWaiters(condition: Condition, size: number, timeout?: number) {
  const ready = new Semaphore(0);
  const results = new Queue<unknown>();
  const processes = await Promise.all(
    Array.from({ length: size }, async (_, i) => {
      const script: WaiterScript = {
        condition,
        flavour: i % 2 === 0 ? 'sync' : 'async',
        ready,
        results,
        ...(timeout === undefined ? {} : { timeout }),
      };
      const process = new Process({ target: waiter, args: [script], daemon: true });
      await process.start();
      return process;
    }),
  );
  await ready.acquire({ n: size });
  // With the lock they are all known to wait.
  await condition.run(() => undefined);
  const end = async (): Promise<void> => {
    for (const process of processes) await process[Symbol.asyncDispose]();
    ready.close();
    results.close();
  };
  return { processes, results, [Symbol.asyncDispose]: end };
}

check('waits', async () => {
  for (const make of kinds) {
    using condition = make();
    await using waiters = await startWaiters(condition, 2);
    assert.equal(condition.nWaiting, 2);
    const own = condition.run(async (guard) => {
      const isNotified = await condition.wait(guard);
      assert.ok(guard.held && condition.lock.locked);
      return isNotified;
    });
    await condition.run((guard) => {
      assert.equal(condition.nWaiting, 3);
      assert.equal(condition.notifyAll(guard), 3);
      assert.equal(condition.notify(1, guard), 0);
    });
    assert.equal(await own, true);
    const results = [await waiters.results.get(), await waiters.results.get()];
    assert.deepEqual(results, [true, true]);
    // A notify on nobody is not remembered.
    for (const timeout of [-5, 0, 10]) {
      const startMs = performance.now();
      assert.equal(await condition.run((guard) => condition.wait(guard, { timeout })), false);
      assert.equal(
        condition.runSync((guard) => {
          const isNotified = condition.waitSync({ timeout });
          assert.ok(guard.held);
          return isNotified;
        }),
        false,
      );
      assert.ok(performance.now() - startMs >= 2 * (timeout - 1));
    }
    assert.deepEqual([condition.lock.locked, condition.nWaiting], [false, 0]);
  }
});

check('depth', async () => {
  using condition = new Condition();
  const { lock } = condition;
  const notifying = (): Promise<number> =>
    condition.run((guard) => {
      assert.equal(condition.nWaiting, 1);
      return condition.notify(1, guard);
    });
  await lock.acquire();
  const guard = (await lock.guard()) as RLockGuard;
  const waiting = condition.wait(guard);
  assert.equal(await notifying(), 1);
  assert.equal(await waiting, true);
  assert.ok(guard.held);
  guard.release();
  lock.release();
  assert.equal(lock.locked, false);
  // The same for the thread.
  lock.acquireSync();
  lock.acquireSync();
  assert.equal(condition.waitSync({ timeout: 3 }), false);
  lock.release();
  lock.release();
  assert.throws(() => lock.release(), NotOwnerError);
});

check('order', async () => {
  using condition = new Condition();
  const order: number[] = [];
  const waits = [0, 1, 2, 3].map((i) =>
    condition.run(async (guard) => {
      assert.equal(await condition.wait(guard), true);
      order.push(i);
    }),
  );
  for (const [n, left] of [
    [1, 3],
    [2, 1],
    [5, 0],
  ] as const) {
    await condition.run((guard) => {
      const before = condition.nWaiting;
      assert.equal(condition.notify(n, guard), before - left);
      assert.equal(condition.nWaiting, left);
    });
  }
  await Promise.all(waits);
  assert.deepEqual(order, [0, 1, 2, 3]);
  await assert.rejects(
    condition.run((guard) => condition.notify(-1, guard)),
    { code: 'ERR_INVALID_ARGUMENT' },
  );
});

check('without the lock', async () => {
  for (const make of kinds) {
    using condition = make();
    const { lock } = condition;
    const refused = async (guard: LockGuard | RLockGuard): Promise<void> => {
      await assert.rejects(condition.wait(guard, { timeout: 1 }), NotLockedError);
      await assert.rejects(
        condition.waitFor(guard, () => true),
        NotLockedError,
      );
      assert.throws(() => condition.notify(1, guard), NotLockedError);
    };
    assert.throws(() => condition.waitSync({ timeout: 1 }), NotLockedError);
    assert.throws(() => condition.waitForSync(() => true), NotLockedError);
    assert.throws(() => condition.notify(), NotLockedError);
    assert.throws(() => condition.notifyAll(), NotLockedError);
    const stale = await lock.guard();
    stale.release();
    await refused(stale);
    using other = new Lock();
    await refused(await other.guard());
    lock.acquireSync();
    assert.equal(condition.notify(), 0);
    await refused(stale);
    lock.release();
    // Held, but by another process.
    if (lock instanceof RLock) {
      using ready = new Semaphore(0);
      const args = [lock, 'sync', 1, ready] as const;
      await using _process = await started(
        new Process({ target: holder, args: [...args], daemon: true }),
      );
      await ready.acquire();
      assert.throws(() => condition.notify(), NotLockedError);
      assert.throws(() => condition.waitSync(), NotLockedError);
    }
  }
});

async function started(process: Process): Promise<Process> {
  await process.start();
  return process;
}

check('predicates', async () => {
  using condition = new Condition(new Lock());
  let value = 0;
  let asked = 0;
  const waiting = condition.run((guard) =>
    condition.waitFor(guard, () => {
      assert.ok(guard.held);
      asked++;
      return value > 1 ? `value ${value}` : undefined;
    }),
  );
  for (const next of [1, 2]) {
    await condition.run((guard) => {
      value = next;
      condition.notify(1, guard);
    });
  }
  assert.equal(await waiting, 'value 2');
  assert.ok(asked >= 2 && asked <= 3);
  const never = (): number => {
    asked++;
    return 0;
  };
  for (const timeout of [-1, 0, 5]) {
    asked = 0;
    assert.equal(await condition.run((guard) => condition.waitFor(guard, never, { timeout })), 0);
    assert.equal(
      condition.runSync(() => condition.waitForSync(never, { timeout })),
      0,
    );
    assert.equal(asked, timeout > 0 ? 4 : 2);
  }
  // True at last, at the time-out.
  setTimeout(() => (value = 7), 1);
  const late = condition.run((guard) =>
    condition.waitFor(guard, () => value === 7, { timeout: 10 }),
  );
  assert.equal(await late, true);
});

check('aborts', async () => {
  for (const make of kinds) {
    using condition = make();
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = condition.run(async (guard) => {
      await assert.rejects(condition.wait(guard, { signal }), /stop it/);
      assert.ok(guard.held);
      await assert.rejects(condition.wait(guard, { signal }), /stop it/);
      assert.throws(() => condition.waitSync({ signal }), /stop it/);
    });
    const next = condition.run((guard) => condition.wait(guard));
    await condition.run((guard) => {
      assert.equal(condition.notify(1, guard), 1);
      controller.abort(new Error('stop it'));
    });
    await aborted;
    assert.equal(await next, true);
    assert.equal(condition.lock.locked, false);
  }
});

check('deaths', async () => {
  using condition = new Condition();
  {
    await using waiters = await startWaiters(condition, 2);
    const own = condition.run((guard) => condition.wait(guard));
    await sleep(1);
    for (const process of waiters.processes) await process.kill();
    for (const process of waiters.processes) await process.join();
    // It goes to the living, who came last.
    await condition.run((guard) => assert.equal(condition.notify(1, guard), 1));
    assert.equal(await own, true);
  }
  // The lock comes back from one who died with it.
  for (const [lock, throws] of [
    [new RLock({ onOwnerDied: 'throw' }), true],
    [new RLock({ onOwnerDied: 'report' }), false],
  ] as const) {
    using over = new Condition(lock);
    using ready = new Semaphore(0);
    const guard = await over.guard();
    // It gets the lock as soon as the wait gives it back.
    const args = [lock, 'sync', 2, ready] as const;
    await using process = await started(
      new Process({ target: holder, args: [...args], daemon: true }),
    );
    // Long enough for it to get there first.
    const waiting = over.wait(guard, { timeout: 400 });
    await ready.acquire();
    await process.kill();
    if (throws) await assert.rejects(waiting, OwnerDiedError);
    else assert.equal(await waiting, false);
    assert.ok(guard.held && guard.ownerDied === false && lock.ownerDied);
    guard.release();
    assert.ok(!lock.locked && !lock.ownerDied);
    lock.close();
  }
});

check('travels and closes', async () => {
  for (const make of kinds) {
    const condition = make();
    using other = travelled(condition);
    assert.equal(other.lock.constructor, condition.lock.constructor);
    const waiting = other.run((guard) => other.wait(guard));
    await condition.run((guard) => assert.equal(condition.notify(1, guard), 1));
    assert.equal(await waiting, true);
    const pending = condition.run((guard) => assert.rejects(condition.wait(guard), ClosedError));
    await other.run(() => assert.equal(other.nWaiting, 1));
    condition.close();
    condition.close();
    await pending.catch((error) => assert.ok(error instanceof ClosedError));
    assert.throws(() => condition.waitSync(), ClosedError);
    assert.throws(() => condition.notify(), ClosedError);
    assert.throws(() => condition.nWaiting, ClosedError);
    assert.equal(await other.run((guard) => other.notify(1, guard)), 0);
    assert.equal(other.lock.locked, false);
  }
  for (const waiters of [0, 1.5, 65_537]) {
    assert.throws(() => new Condition(undefined, { waiters }), { code: 'ERR_INVALID_ARGUMENT' });
  }
  using small = new Condition(undefined, { waiters: 1 });
  const one = small.run((guard) => small.wait(guard));
  await small.run(async (guard) => {
    await assert.rejects(small.wait(guard), { code: 'ERR_FULL' });
    assert.ok(guard.held);
    small.notifyAll(guard);
  });
  assert.equal(await one, true);
});

await runChecks();
