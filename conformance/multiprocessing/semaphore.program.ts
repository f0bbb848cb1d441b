/** The checks of `semaphore.test.ts`. */
import assert from 'node:assert/strict';
import { ClosedError, NotOwnerError, TimeoutError } from 'dragon-runtime';
import { BoundedSemaphore, Queue, Semaphore } from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../harness/inside.ts';
import { startMeeters, valuesOf } from '../tasks/meeters.ts';

const invalid = { code: 'ERR_INVALID_ARGUMENT' };

function travelled<T>(object: T): T {
  using carrier = new Queue<T>();
  carrier.putSync(object);
  return carrier.getSync();
}

check('permits', async () => {
  using one = new Semaphore();
  assert.equal(one.value, 1);
  using none = new Semaphore(0);
  assert.equal(none.tryAcquire(), false);
  none.release();
  none.release(3);
  assert.equal(none.value, 4);
  for (const value of [-1, 1.5, Number.NaN, 2 ** 53]) {
    assert.throws(() => new Semaphore(value), invalid);
    assert.throws(() => new BoundedSemaphore(value), invalid);
    assert.throws(() => one.release(value), invalid);
    assert.throws(() => one.tryAcquire({ n: value }), invalid);
    await assert.rejects(one.acquire({ n: value }), invalid);
  }
  assert.throws(() => one.release(0), invalid);
  assert.equal(one.value, 1);
});

check('forms', async () => {
  await using meeters = await startMeeters(2);
  using semaphore = new Semaphore(3);
  using other = travelled(semaphore);
  assert.equal(await semaphore.acquire(), true);
  assert.equal(other.acquireSync(), true);
  assert.equal(semaphore.tryAcquire(), true);
  for (const timeout of [-5, 0, 10]) {
    const startMs = performance.now();
    assert.equal(await other.acquire({ timeout }), false);
    assert.equal(semaphore.acquireSync({ timeout }), false);
    assert.ok(performance.now() - startMs >= 2 * (timeout - 1));
  }
  assert.equal(other.tryAcquire(), false);
  await assert.rejects(semaphore.acquire({ timeout: Number.NaN }), TypeError);
  // Waiters of either form in other processes, served by one release.
  const plays = meeters.map((meeter, i) =>
    meeter.play([{ on: semaphore, call: i === 0 ? 'acquire' : 'acquireSync' }]),
  );
  const own = semaphore.acquire();
  other.release(3);
  assert.deepEqual((await Promise.all(plays)).map(valuesOf), [[true], [true]]);
  assert.equal(await own, true);
  assert.equal(semaphore.value, 0);
});

check('several permits', async () => {
  await using meeters = await startMeeters(1);
  using semaphore = new Semaphore(2);
  assert.equal(semaphore.tryAcquire({ n: 3 }), false);
  assert.equal(await semaphore.acquire({ n: 3, timeout: 5 }), false);
  assert.equal(semaphore.value, 2);
  const waits = [semaphore.acquire({ n: 3 }), semaphore.acquire({ n: 4 })];
  const play = meeters[0]?.play([{ on: semaphore, call: 'acquireSync', with: [{ n: 3 }] }]);
  for (let i = 0; i < 8; i++) semaphore.release();
  assert.deepEqual(await Promise.all(waits), [true, true]);
  assert.deepEqual(valuesOf((await play) ?? []), [true]);
  assert.equal(semaphore.value, 0);
  using bounded = new BoundedSemaphore(2);
  assert.throws(() => bounded.acquireSync({ n: 3 }), invalid);
  await assert.rejects(bounded.acquire({ n: 3 }), invalid);
});

check('gone waiters take nothing', async () => {
  using semaphore = new Semaphore(0);
  const controller = new AbortController();
  const { signal } = controller;
  const aborted = assert.rejects(semaphore.acquire({ signal }), /stop it/);
  const many = assert.rejects(semaphore.acquire({ signal, n: 2 }), /stop it/);
  const late = semaphore.acquire({ timeout: 3 });
  const next = semaphore.acquire();
  controller.abort(new Error('stop it'));
  await Promise.all([aborted, many]);
  assert.equal(await late, false);
  semaphore.release(2);
  assert.equal(await next, true);
  assert.equal(semaphore.value, 1);
  await assert.rejects(semaphore.acquire({ signal }), /stop it/);
  assert.throws(() => semaphore.acquireSync({ signal }), /stop it/);
  await assert.rejects(
    semaphore.run(() => 1, { signal }),
    /stop it/,
  );
  assert.equal(semaphore.value, 1);
});

check('guards', async () => {
  using semaphore = new Semaphore(3);
  {
    using guard = await semaphore.guard({ n: 2 });
    assert.ok(guard.held);
    assert.equal(semaphore.value, 1);
    using _second = semaphore.guardSync();
    assert.equal(semaphore.tryGuard(), undefined);
    await assert.rejects(semaphore.guard({ timeout: 3 }), TimeoutError);
    assert.throws(() => semaphore.guardSync({ timeout: 3 }), TimeoutError);
  }
  assert.equal(semaphore.value, 3);
  const guard = semaphore.tryGuard({ n: 3 });
  guard?.release();
  assert.equal(guard?.held, false);
  assert.throws(() => guard?.release(), NotOwnerError);
  guard?.[Symbol.dispose]();
  assert.equal(semaphore.value, 3);
  assert.equal(await semaphore.run(async () => semaphore.value, { n: 2 }), 1);
  assert.equal(
    semaphore.runSync(() => semaphore.value),
    2,
  );
  await assert.rejects(
    semaphore.run(() => Promise.reject(new Error('section'))),
    /section/,
  );
  assert.equal(semaphore.value, 3);
});

check('bounded', () => {
  using bounded = new BoundedSemaphore(2);
  using other = travelled(bounded);
  assert.ok(other instanceof BoundedSemaphore);
  assert.equal(other.bound, 2);
  for (const one of [bounded, other]) {
    assert.throws(() => one.release(), NotOwnerError);
    assert.ok(one.tryAcquire());
    assert.throws(() => one.release(2), NotOwnerError);
    assert.throws(() => one.release(3), NotOwnerError);
    assert.equal(one.value, 1);
    one.release();
  }
  using never = new BoundedSemaphore(0);
  using travelledNever = travelled(never);
  for (const one of [never, travelledNever]) {
    assert.throws(() => one.release(), NotOwnerError);
    assert.equal(one.value, 0);
  }
  using plain = travelled(new Semaphore(1));
  assert.ok(!(plain instanceof BoundedSemaphore));
  plain.release(5);
  assert.equal(plain.value, 6);
});

check('deaths', async () => {
  await using meeters = await startMeeters(2);
  const [holder, waiter] = meeters;
  assert.ok(holder && waiter);
  using semaphore = new Semaphore(1);
  await holder.play([{ on: semaphore, call: 'acquire' }]);
  waiter.play([{ on: semaphore, call: 'acquireSync' }]).catch(() => undefined);
  await holder.process.kill();
  await holder.process.join();
  assert.equal(semaphore.value, 0);
  assert.equal(await semaphore.acquire({ timeout: 20 }), false);
  await waiter.process.kill();
  await waiter.process.join();
  semaphore.release();
  assert.equal(await semaphore.acquire({ timeout: 5000 }), true);
  assert.equal(semaphore.value, 0);
});

check('close', async () => {
  const semaphore = new Semaphore(0);
  using other = travelled(semaphore);
  const waiting = assert.rejects(semaphore.acquire(), ClosedError);
  const many = assert.rejects(semaphore.acquire({ n: 2 }), ClosedError);
  semaphore.close();
  semaphore.close();
  await Promise.all([waiting, many]);
  assert.ok(semaphore.closed);
  await assert.rejects(semaphore.acquire(), ClosedError);
  for (const call of [
    () => semaphore.acquireSync(),
    () => semaphore.tryAcquire(),
    () => semaphore.release(),
    () => semaphore.value,
  ]) {
    assert.throws(call, ClosedError);
  }
  other.release();
  assert.equal(other.value, 1);
});

await runChecks();
