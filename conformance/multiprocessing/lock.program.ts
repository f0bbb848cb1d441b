/** The checks of `lock.test.ts`: locks within one process and between several. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClosedError, NotOwnerError, OwnerDiedError, TimeoutError } from 'dragon-runtime';
import {
  Lock,
  type LockGuard,
  type LockOptions,
  Process,
  pipe,
  Queue,
} from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { check, inProcess, multiProcess, runChecks } from '../harness/inside.ts';
import { type Flavour, startActors } from '../tasks/actors.ts';
import { dieAt, dieOwingAWake, snatch } from '../tasks/lock-tasks.ts';

const folder = mkdtempSync(join(tmpdir(), 'lock-'));
const flavour = fc.constantFrom<Flavour>('async', 'sync');

check('one holder at a time', async () => {
  await using actors = await startActors(6);
  const contender = fc.record({
    times: fc.integer({ min: 1, max: 25 }),
    flavours: fc.array(flavour, { minLength: 1, maxLength: 3 }),
    delayMs: fc.constantFrom(0, 0, 0, 1),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(contender, { minLength: 2, maxLength: 6 }), async (contenders) => {
      using lock = new Lock();
      const file = join(folder, 'count');
      writeFileSync(file, '0');
      const plays = contenders.map((script, i) =>
        actors[i]?.play({ kind: 'count', lock, file, ...script }),
      );
      // Tasks of this process contend too.
      const own = [1, 2].map(async () => {
        for (let i = 0; i < 5; i++) {
          await lock.run(async () => {
            const before = Number(readFileSync(file, 'utf8'));
            await sleep(0);
            writeFileSync(file, String(before + 1));
          });
        }
      });
      await Promise.all([...plays, ...own]);
      const sum = contenders.reduce((total, { times }) => total + times, 10);
      assert.equal(Number(readFileSync(file, 'utf8')), sum);
      assert.equal(lock.locked, false);
    }),
    multiProcess,
  );
});

check('follows a boolean', async () => {
  const step = fc.constantFrom(
    'acquire',
    'acquireSync',
    'tryAcquire',
    'release',
    'release elsewhere',
  );
  await using actors = await startActors(1);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      using lock = new Lock();
      using carrier = new Queue<Lock>();
      carrier.putSync(lock);
      using other = carrier.getSync();
      let taken = false;
      for (const kind of steps) {
        if (kind === 'acquire') assert.equal(await lock.acquire({ timeout: 0 }), !taken);
        if (kind === 'acquireSync') assert.equal(lock.acquireSync({ timeout: 0 }), !taken);
        if (kind === 'tryAcquire') assert.equal(lock.tryAcquire(), !taken);
        if (kind.startsWith('release')) {
          const releasing = kind === 'release' ? lock : other;
          if (taken) releasing.release();
          else assert.throws(() => releasing.release(), NotOwnerError);
        }
        taken = !kind.startsWith('release');
        assert.equal(lock.locked, taken);
        assert.equal(other.locked, taken);
      }
    }),
    inProcess,
  );
  // Released by another process than the one that took it.
  using lock = new Lock();
  assert.equal(await actors[0]?.play({ kind: 'take', lock }), true);
  assert.equal(lock.tryAcquire(), false);
  lock.release();
  assert.equal(lock.tryAcquire(), true);
});

check('time-outs', async () => {
  using lock = new Lock();
  lock.acquireSync();
  for (const timeout of [-5, 0, 25]) {
    const startMs = performance.now();
    assert.equal(await lock.acquire({ timeout }), false);
    assert.equal(lock.acquireSync({ timeout }), false);
    assert.ok(performance.now() - startMs >= 2 * (timeout - 1));
  }
  await assert.rejects(lock.guard({ timeout: 5 }), TimeoutError);
  assert.throws(() => lock.guardSync({ timeout: 5 }), TimeoutError);
  await assert.rejects(
    lock.run(() => 1, { timeout: 5 }),
    TimeoutError,
  );
  await assert.rejects(lock.acquire({ timeout: Number.NaN }), TypeError);
  lock.release();
});

check('gone waiters take nothing', async () => {
  const waiter = fc.record({
    end: fc.constantFrom('abort', 'time-out', 'wait'),
    afterMs: fc.integer({ min: 0, max: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(waiter, { maxLength: 8 }),
      fc.integer({ min: 0, max: 4 }),
      async (waiters, heldMs) => {
        using lock = new Lock();
        lock.acquireSync();
        let holders = 0;
        const outcomes = waiters.map(async ({ end, afterMs }) => {
          const signal = end === 'abort' ? AbortSignal.timeout(afterMs) : undefined;
          const timeout = end === 'time-out' ? afterMs : undefined;
          let got = false;
          try {
            got = await lock.acquire({ signal, timeout });
          } catch (error) {
            assert.equal(error, signal?.reason);
          }
          if (!got) return assert.notEqual(end, 'wait');
          assert.equal(++holders, 1);
          await Promise.resolve();
          holders--;
          lock.release();
        });
        await sleep(heldMs);
        lock.release();
        await Promise.all(outcomes);
        assert.equal(lock.locked, false);
        assert.ok(lock.tryAcquire());
      },
    ),
    { numRuns: Math.ceil(inProcess.numRuns / 2) },
  );
});

check('aborts', async () => {
  using lock = new Lock();
  lock.acquireSync();
  const controller = new AbortController();
  const waiting = assert.rejects(lock.acquire({ signal: controller.signal }), /stop it/);
  controller.abort(new Error('stop it'));
  await waiting;
  const { signal } = controller;
  await assert.rejects(lock.acquire({ signal }), /stop it/);
  assert.throws(() => lock.acquireSync({ signal }), /stop it/);
  await assert.rejects(lock.guard({ signal }), /stop it/);
  lock.release();
  await assert.rejects(lock.acquire({ signal }), /stop it/);
  assert.equal(lock.locked, false);
});

check('guards', async () => {
  using lock = new Lock();
  {
    using guard = await lock.guard();
    assert.ok(guard.held && lock.locked && !guard.ownerDied);
  }
  assert.equal(lock.locked, false);
  const stale = lock.guardSync();
  lock.release();
  assert.equal(stale.held, false);
  assert.throws(() => stale.release(), NotOwnerError);
  const current = lock.tryGuard();
  assert.ok(current?.held);
  assert.equal(lock.tryGuard(), undefined);
  assert.throws(() => stale.release(), NotOwnerError);
  stale[Symbol.dispose]();
  assert.ok(current.held && lock.locked);
  current.release();
  assert.throws(() => current.release(), NotOwnerError);
});

check('run', async () => {
  using lock = new Lock();
  assert.equal(
    await lock.run(async () => {
      assert.ok(lock.locked);
      await sleep(1);
      assert.ok(lock.locked);
      return 5;
    }),
    5,
  );
  assert.equal(lock.locked, false);
  await assert.rejects(
    lock.run(() => Promise.reject(new Error('section'))),
    /section/,
  );
  assert.equal(lock.locked, false);
  assert.equal(
    lock.runSync(() => lock.locked),
    true,
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

/** A lock whose holder, another process, has been killed. */
async function orphaned(options: LockOptions): Promise<Lock> {
  await using victims = await startActors(1);
  const lock = new Lock(options);
  assert.equal(await victims[0]?.play({ kind: 'take', lock }), true);
  assert.equal(lock.locked, true);
  await victims[0]?.process.kill();
  await victims[0]?.process.join();
  return lock;
}

check('the next holder is told of a death', async () => {
  using lock = await orphaned({});
  assert.equal(await lock.acquire({ timeout: 5000 }), true);
  assert.equal(lock.ownerDied, true);
  lock.release();
  assert.equal(lock.ownerDied, false);
  using guarded = await orphaned({});
  using guard = await guarded.guard({ timeout: 5000 });
  assert.ok(guard.ownerDied);
});

check("a waiter gets a dead holder's lock", async () => {
  await using actors = await startActors(1);
  using lock = new Lock();
  await actors[0]?.play({ kind: 'take', lock });
  const waiting = lock.acquire({ timeout: 10_000 });
  await sleep(20);
  await actors[0]?.process.kill();
  assert.equal(await waiting, true);
  assert.ok(lock.ownerDied);
  lock.release();
});

check('run throws once', async () => {
  using plain = await orphaned({});
  let ran = 0;
  const section = (): number => ++ran;
  await assert.rejects(plain.run(section, { timeout: 5000 }), OwnerDiedError);
  assert.equal(ran, 0);
  assert.equal(await plain.run(section), 1);
  using throwing = await orphaned({ onOwnerDied: 'throw' });
  await assert.rejects(throwing.acquire({ timeout: 5000 }), OwnerDiedError);
  assert.equal(throwing.locked, false);
  assert.equal(await throwing.acquire(), true);
  using reporting = await orphaned({ onOwnerDied: 'report' });
  assert.equal(await reporting.run(section, { timeout: 5000 }), 2);
});

check('not robust', async () => {
  using lock = await orphaned({ robust: false });
  assert.equal(await lock.acquire({ timeout: 100 }), false);
  assert.equal(lock.tryAcquire(), false);
  lock.release();
  assert.equal(lock.tryAcquire(), true);
  assert.equal(lock.ownerDied, false);
});

check('a killed worker hinders nobody', async () => {
  using carrier = new Queue<Lock>();
  for (let i = 0; i < multiProcess.numRuns; i++) {
    await using actors = await startActors(3);
    using lock = new Lock({ onOwnerDied: 'report' });
    using queue = new Queue<string>({ maxsize: 2 });
    const [victim, ...others] = actors;
    assert.ok(victim);
    victim.play({ kind: 'hold', lock, queue }).catch(() => undefined);
    assert.equal(await queue.get({ timeout: 5000 }), 'held');
    const file = join(folder, 'survivors');
    writeFileSync(file, '0');
    const plays = others.map((actor) =>
      actor.play({ kind: 'count', lock, file, times: 10, flavours: ['async', 'sync'], delayMs: 0 }),
    );
    await sleep(i % 7);
    await victim.process.kill();
    await Promise.all(plays);
    assert.equal(readFileSync(file, 'utf8'), '20');
    for (let next = queue.tryGet(); next.ok; next = queue.tryGet()) {
      assert.equal(next.value.length, 1 << 20);
    }
    await queue.put('after');
    assert.equal(await queue.get({ timeout: 5000 }), 'after');
  }
  // A handle that has travelled has the options of the lock.
  using throwing = await orphaned({ onOwnerDied: 'throw' });
  carrier.putSync(throwing);
  using travelled = carrier.getSync();
  await assert.rejects(travelled.acquire({ timeout: 5000 }), OwnerDiedError);
});

check('killed between the changes of JavaScript', async () => {
  // One change takes the lock, two free it: a point before and one behind each of them.
  const points = 6;
  const dies = async (point: number, byGuard: boolean): Promise<void> => {
    using lock = new Lock();
    const stale = lock.guardSync();
    stale.release();
    const child = new Process({ target: dieAt, args: [lock, point, byGuard] });
    await child.start();
    await child.join();
    assert.equal(child.signal, point > points ? null : 'SIGKILL');
    assert.equal(await lock.acquire({ timeout: 5000 }), true);
    assert.equal(lock.ownerDied, point > 1 && point < points, `point ${point}`);
    assert.equal(stale.held, false);
    assert.throws(() => stale.release(), NotOwnerError);
    lock.release();
    assert.deepEqual([lock.locked, lock.tryAcquire(), lock.ownerDied], [false, true, false]);
    lock.release();
  };
  const each = Array.from({ length: points + 1 }, (_, i) => i + 1);
  await Promise.all(each.map((point) => dies(point, point % 2 === 0)));
});

check('killed before it wakes who waits', async () => {
  using lock = new Lock();
  const [near, far] = pipe<string>();
  const child = new Process({ target: dieOwingAWake, args: [lock, far] });
  await child.start();
  assert.equal(await near.recv(), 'wait');
  const taken = lock.acquire({ timeout: 5000 });
  near.sendSync('go on');
  assert.equal(await taken, true);
  assert.equal(lock.ownerDied, false);
  lock.release();
  await child.join();
  assert.equal(child.signal, 'SIGKILL');
});

check('taken away before the guard is made', async () => {
  using lock = new Lock();
  lock.acquireSync();
  lock.release();
  const [near, far] = pipe<string>();
  const child = new Process({ target: snatch, args: [lock, far] });
  await child.start();
  assert.equal(await near.recv(), 'ready');
  const change = Atomics.compareExchange;
  const snatched = (...args: Parameters<typeof change>): ReturnType<typeof change> => {
    const found = change(...args);
    Atomics.compareExchange = change;
    near.sendSync('snatch');
    assert.equal(near.recvSync(), 'snatched');
    return found;
  };
  Atomics.compareExchange = snatched as unknown as typeof change;
  const guard = lock.guardSync();
  assert.deepEqual([guard.held, lock.locked], [false, true]);
  assert.throws(() => guard.release(), NotOwnerError);
  guard[Symbol.dispose]();
  assert.equal(lock.tryAcquire(), false);
  near.sendSync('free');
  assert.equal(near.recvSync(), 'freed');
  assert.equal(guard.held, false);
  near.sendSync('end');
  await child.join({ throw: true });
});

check('numbers', async () => {
  // Whatever forms an acquisition and its release have, no guard of an earlier one releases it.
  const step = fc.constantFrom('sync', 'try', 'guard', 'run', 'other');
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      using lock = new Lock();
      using carrier = new Queue<Lock>();
      carrier.putSync(lock);
      using other = carrier.getSync();
      const stale: LockGuard[] = [];
      for (const kind of steps) {
        if (kind === 'run')
          assert.deepEqual(
            lock.tryRun(() => lock.locked),
            { ok: true, value: true },
          );
        else if (kind === 'guard') {
          const guard = lock.guardSync();
          stale.push(guard);
          assert.ok(guard.held && other.locked);
          guard.release();
        } else {
          if (kind === 'sync') assert.equal(lock.acquireSync(), true);
          else assert.equal((kind === 'try' ? lock : other).tryAcquire(), true);
          for (const guard of stale) {
            assert.equal(guard.held, false);
            assert.throws(() => guard.release(), NotOwnerError);
          }
          assert.deepEqual([lock.locked, other.tryAcquire(), lock.ownerDied], [true, false, false]);
          assert.deepEqual(
            lock.tryRun(() => 1),
            { ok: false },
          );
          (kind === 'other' ? lock : other).release();
        }
        assert.equal(lock.locked, false);
      }
    }),
    inProcess,
  );
});

check('close', async () => {
  const lock = new Lock();
  lock.acquireSync();
  const waiting = assert.rejects(lock.acquire(), ClosedError);
  lock.close();
  lock.close();
  await waiting;
  await assert.rejects(lock.acquire(), ClosedError);
  for (const call of [() => lock.acquireSync(), () => lock.tryAcquire(), () => lock.release()]) {
    assert.throws(call, ClosedError);
  }
});

await runChecks();
rmSync(folder, { recursive: true });
