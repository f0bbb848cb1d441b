/** The checks of `rlock.test.ts`. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClosedError, NotOwnerError, OwnerDiedError, TimeoutError } from 'dragon-runtime';
import { type LockOptions, Process, Queue, RLock, Semaphore } from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../harness/inside.ts';
import { startMeeters, valuesOf } from '../tasks/meeters.ts';
import { holder } from '../tasks/sections.ts';

function travelled<T>(object: T): T {
  using carrier = new Queue<T>();
  carrier.putSync(object);
  return carrier.getSync();
}

/** In code that no acquisition has entered. */
const apart = <R>(section: () => R): Promise<R> =>
  new Promise((resolve, reject) => {
    outside.push(() => {
      try {
        resolve(section());
      } catch (error) {
        reject(error);
      }
    });
  });
const outside: (() => void)[] = [];
const pump = setInterval(() => {
  for (const section of outside.splice(0)) section();
}, 1);

check('nested', async () => {
  using lock = new RLock();
  assert.throws(() => lock.release(), NotOwnerError);
  for (let i = 0; i < 3; i++) assert.equal(await lock.acquire(), true);
  assert.ok(lock.locked && lock.owned);
  for (let i = 0; i < 3; i++) {
    assert.ok(lock.owned);
    lock.release();
  }
  assert.ok(!lock.locked && !lock.owned);
  assert.throws(() => lock.release(), NotOwnerError);
  for (let i = 0; i < 1000; i++) assert.ok(i % 2 === 0 ? lock.tryAcquire() : lock.acquireSync());
  assert.equal(await lock.acquire(), true);
  for (let i = 0; i < 1001; i++) lock.release();
  assert.throws(() => lock.release(), NotOwnerError);
  const depth = async (n: number): Promise<number> =>
    n === 0 ? 0 : 1 + (await lock.run(() => depth(n - 1)));
  assert.equal(await depth(1000), 1000);
  // `run` is a task of its own, of which a call that blocks is part as well.
  await lock.run(() => {
    assert.ok(lock.tryAcquire() && lock.acquireSync());
    lock.release();
    lock.release();
  });
  assert.equal(lock.locked, false);
});

check('threads', async () => {
  await using meeters = await startMeeters(1);
  using lock = new RLock();
  using other = travelled(lock);
  lock.acquireSync();
  assert.ok(other.owned && other.tryAcquire());
  await apart(() => assert.ok(lock.owned && lock.tryAcquire()));
  const steps = [
    { on: lock, call: 'tryAcquire' },
    { on: lock, call: 'acquire', with: [{ timeout: 3 }] },
    { on: lock, call: 'release' },
  ];
  const [tried, late, released] = (await meeters[0]?.play(steps)) ?? [];
  assert.deepEqual([tried?.value, late?.value, released?.code], [false, false, 'ERR_NOT_OWNER']);
  for (const one of [lock, other, lock]) one.release();
  assert.throws(() => other.release(), NotOwnerError);
  const [taken] = (await meeters[0]?.play([{ on: lock, call: 'acquireSync' }])) ?? [];
  assert.equal(taken?.value, true);
  assert.ok(lock.locked && !lock.owned && !lock.tryAcquire());
  assert.throws(() => lock.release(), NotOwnerError);
  const rest = await meeters[0]?.play([
    { on: lock, call: 'acquireSync' },
    { on: lock, call: 'release' },
    { on: lock, call: 'release' },
  ]);
  assert.deepEqual(valuesOf(rest ?? []), [true, undefined, undefined]);
  assert.equal(lock.locked, false);
});

check('tasks', async () => {
  using lock = new RLock();
  let inside = 0;
  let most = 0;
  const section = async (): Promise<void> => {
    most = Math.max(most, ++inside);
    await sleep(1);
    assert.equal(inside, 1);
    inside--;
  };
  const ways = [
    async () => {
      await lock.acquire();
      await lock.acquire();
      await section();
      lock.release();
      await sleep(1);
      assert.ok(lock.owned);
      lock.release();
    },
    () => lock.run(() => lock.run(section)),
    async () => {
      using _outer = await lock.guard();
      using _inner = await lock.guard();
      await section();
    },
    async () => {
      await sleep(0);
      await lock.acquire();
      await lock.run(section);
      lock.release();
    },
  ];
  await Promise.all([...ways, ...ways, ...ways].map((way) => way()));
  assert.deepEqual([most, inside, lock.locked], [1, 0, false]);
  // A lock within another: tasks inside exclude each other at the inner one.
  using outer = new RLock();
  await outer.run(async () => {
    await Promise.all([lock.run(section), lock.run(section), apart(() => lock.run(section))]);
  });
  assert.deepEqual([most, inside, lock.locked], [1, 0, false]);
});

check('other tasks', async () => {
  using lock = new RLock();
  // Another task, in whatever way it began, does not hold what this one holds.
  await lock.run(async () => {
    assert.ok(lock.owned);
    await apart(() => {
      assert.equal(lock.owned, false);
      assert.throws(() => lock.release(), NotOwnerError);
      assert.equal(lock.tryAcquire(), false);
    });
    assert.equal(await apart(() => lock.acquire({ timeout: 3 })), false);
  });
  // What this code has started, and which took the lock at once, is another task.
  const background = (async () => {
    await lock.acquire();
    using _guard = await lock.guard();
    await sleep(5);
    assert.ok(lock.owned && lock.tryAcquire());
    lock.release();
    await apart(() => assert.equal(lock.owned, false));
    lock.release();
  })();
  await sleep(0);
  assert.equal(await lock.acquire({ timeout: 1 }), false);
  assert.deepEqual([lock.owned, lock.tryAcquire()], [false, false]);
  assert.throws(() => lock.acquireSync(), { code: 'ERR_STATE' });
  await background;
  // Whoever waits for it, also later, and not whoever has made the call.
  const later = lock.acquire();
  await sleep(1);
  assert.equal(lock.owned, false);
  assert.equal(await later, true);
  assert.ok(lock.owned);
  lock.release();
  // A section that starts others holds for them too.
  assert.deepEqual(await lock.run(() => Promise.all([1, 2].map((x) => lock.run(() => x)))), [1, 2]);
});

check('guards', async () => {
  using lock = new RLock();
  const guard = await lock.guard();
  assert.ok(guard.held && !guard.ownerDied);
  await apart(async () => {
    await guard.run(() => lock.run(() => assert.ok(lock.owned)));
    assert.equal(lock.owned, false);
    guard.release();
  });
  assert.ok(!guard.held && !lock.locked);
  assert.throws(() => guard.release(), NotOwnerError);
  assert.throws(() => guard.run(() => 1), NotOwnerError);
  guard[Symbol.dispose]();
  using outer = lock.guardSync();
  const nested = lock.tryGuard();
  nested?.release();
  assert.throws(() => nested?.release(), NotOwnerError);
  assert.ok(outer.held && lock.locked);
  assert.equal(
    lock.runSync(() => lock.owned),
    true,
  );
  outer.release();
  assert.deepEqual(
    lock.tryRun(() => lock.owned),
    { ok: true, value: true },
  );
  await lock.run(() =>
    apart(() =>
      assert.deepEqual(
        lock.tryRun(() => 1),
        { ok: false },
      ),
    ),
  );
  await assert.rejects(
    lock.run(() => Promise.reject(new Error('section'))),
    /section/,
  );
  assert.throws(
    () =>
      lock.runSync(() => {
        throw new Error('section');
      }),
    /section/,
  );
  assert.equal(lock.locked, false);
});

check('gone waiters take nothing', async () => {
  using lock = new RLock();
  const controller = new AbortController();
  const { signal } = controller;
  await lock.run(async () => {
    const waits = await apart(() => ({
      late: lock.acquire({ timeout: 3 }),
      aborted: assert.rejects(lock.acquire({ signal }), /stop it/),
      guard: assert.rejects(lock.guard({ timeout: 3 }), TimeoutError),
      run: assert.rejects(
        lock.run(() => 1, { timeout: 3 }),
        TimeoutError,
      ),
    }));
    controller.abort(new Error('stop it'));
    await Promise.all([waits.aborted, waits.guard, waits.run]);
    assert.equal(await waits.late, false);
    await apart(() => {
      const startMs = performance.now();
      assert.equal(lock.acquireSync({ timeout: 5 }), false);
      assert.ok(performance.now() - startMs >= 4);
      assert.throws(() => lock.acquireSync(), { code: 'ERR_STATE' });
      assert.throws(() => lock.runSync(() => 1), { code: 'ERR_STATE' });
    });
    await assert.rejects(lock.acquire({ signal }), /stop it/);
    await assert.rejects(lock.acquire({ timeout: Number.NaN }), TypeError);
  });
  assert.equal(lock.locked, false);
  assert.equal(await lock.acquire(), true);
  lock.release();
});

/** A lock that a process held twice, which was killed. */
async function orphaned(flavour: 'sync' | 'async', options: LockOptions = {}): Promise<RLock> {
  const lock = new RLock(options);
  using ready = new Semaphore(0);
  const process = new Process({ target: holder, args: [lock, flavour, 2, ready], daemon: true });
  await process.start();
  await ready.acquire();
  assert.ok(lock.locked && !lock.tryAcquire());
  await process.kill();
  await process.join();
  return lock;
}

check('deaths', async () => {
  using lock = await orphaned('sync');
  assert.equal(await lock.acquire({ timeout: 5000 }), true);
  assert.ok(lock.ownerDied && (await lock.acquire()));
  lock.release();
  assert.ok(lock.ownerDied);
  lock.release();
  assert.ok(!lock.ownerDied && !lock.locked);
  using throwing = await orphaned('async', { onOwnerDied: 'throw' });
  await assert.rejects(travelled(throwing).acquire({ timeout: 5000 }), OwnerDiedError);
  assert.equal(throwing.locked, false);
  assert.equal(await throwing.run(() => 5), 5);
  using stuck = await orphaned('sync', { robust: false });
  assert.equal(await stuck.acquire({ timeout: 20 }), false);
  assert.throws(() => stuck.release(), NotOwnerError);
  using once = await orphaned('async');
  await assert.rejects(
    once.run(() => 1, { timeout: 5000 }),
    OwnerDiedError,
  );
  assert.equal(await once.run(() => 1), 1);
});

check('close', async () => {
  const lock = new RLock();
  using other = travelled(lock);
  lock.close();
  lock.close();
  const pending = new RLock();
  await pending.run(async () => {
    const { ended } = await apart(() => ({
      ended: assert.rejects(pending.acquire(), ClosedError),
    }));
    pending.close();
    await ended;
  });
  await assert.rejects(lock.acquire(), ClosedError);
  for (const call of [
    () => lock.acquireSync(),
    () => lock.tryAcquire(),
    () => lock.release(),
    () => lock.locked,
  ]) {
    assert.throws(call, ClosedError);
  }
  assert.equal(lock.owned, false);
  assert.equal(await other.run(() => other.owned), true);
});

await runChecks();
clearInterval(pump);
