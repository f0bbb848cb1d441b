/** The checks of `barrier.test.ts`. */
import assert from 'node:assert/strict';
import { BrokenBarrierError, ClosedError } from 'dragon-runtime';
import {
  Barrier,
  type BarrierOptions,
  Event,
  Queue,
  Semaphore,
} from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../harness/inside.ts';
import { fail, meetActing, note, noteLater, stay } from '../tasks/barrier-actions.ts';
import { type Meeter, startMeeters, valuesOf } from '../tasks/meeters.ts';

const FORMS = ['wait', 'waitSync'] as const;
const invalid = { code: 'ERR_INVALID_ARGUMENT' };
const broken = { code: 'ERR_BARRIER_BROKEN' };

/** Plays one wait in a process, once the barrier has as many waiters as are told. */
function arrive(meeter: Meeter | undefined, barrier: Barrier, call: (typeof FORMS)[number]) {
  const play = meeter?.play([{ on: barrier, call }]) ?? Promise.reject(new Error('no process'));
  const result = play.then(([outcome]) => outcome?.code ?? outcome?.value);
  result.catch(() => undefined);
  return result;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}

check('passes', async () => {
  await using meeters = await startMeeters(2);
  using barrier = new Barrier(3);
  assert.equal(barrier.parties, 3);
  for (const rounds of [1, 20]) {
    const steps = (call: string) => Array.from({ length: rounds }, () => ({ on: barrier, call }));
    const plays = meeters.map((meeter, i) => meeter.play(steps(FORMS[i] ?? 'wait')));
    const own: number[] = [];
    for (let i = 0; i < rounds; i++) own.push(await barrier.wait());
    const others = (await Promise.all(plays)).map(valuesOf);
    for (let i = 0; i < rounds; i++) {
      const places = [own[i], others[0]?.[i], others[1]?.[i]];
      assert.deepEqual(new Set(places), new Set([0, 1, 2]));
    }
  }
  const first = barrier.wait();
  const second = barrier.wait();
  assert.equal(barrier.nWaiting, 2);
  assert.equal(barrier.tryWait(), 2);
  assert.deepEqual(await Promise.all([first, second]), [0, 1]);
  assert.deepEqual([barrier.nWaiting, barrier.broken], [0, false]);
  using alone = new Barrier(1);
  assert.deepEqual(
    [await alone.wait(), alone.waitSync({ timeout: 0 }), alone.tryWait()],
    [0, 0, 0],
  );
  for (const parties of [0, -1, 1.5, Number.NaN]) {
    assert.throws(() => new Barrier(parties), invalid);
  }
  assert.throws(() => new Barrier(20_000), invalid);
});

check('time-outs', async () => {
  using barrier = new Barrier(2);
  assert.equal(barrier.tryWait(), undefined);
  assert.ok(!barrier.broken && barrier.nWaiting === 0);
  for (const timeout of [-5, 0, 10]) {
    const startMs = performance.now();
    await assert.rejects(barrier.wait({ timeout }), BrokenBarrierError);
    assert.ok(barrier.broken);
    barrier.reset();
    assert.throws(() => barrier.waitSync({ timeout }), BrokenBarrierError);
    assert.ok(barrier.broken && performance.now() - startMs >= 2 * (timeout - 1));
    barrier.reset();
    assert.equal(barrier.broken, false);
    const waiting = barrier.wait();
    assert.equal(await barrier.wait({ timeout }), 1);
    assert.equal(await waiting, 0);
  }
  const others = assert.rejects(barrier.wait(), broken);
  await assert.rejects(barrier.wait({ timeout: Number.NaN }), TypeError);
  assert.throws(() => new Barrier(2, { timeout: Number.NaN }), TypeError);
  barrier.abort();
  await others;
  using hasty = new Barrier(2, { timeout: 5 });
  using carrier = new Queue<Barrier>();
  carrier.putSync(hasty);
  using travelled = carrier.getSync();
  await assert.rejects(travelled.wait(), broken);
  hasty.reset();
  assert.throws(() => travelled.waitSync(), broken);
  hasty.reset();
  const patient = hasty.wait({ timeout: Number.POSITIVE_INFINITY });
  await new Promise((resolve) => setTimeout(resolve, 15));
  assert.ok(!hasty.broken && travelled.tryWait() === 1);
  assert.equal(await patient, 0);
});

check('abort and reset', async () => {
  await using meeters = await startMeeters(2);
  using barrier = new Barrier(4);
  for (const end of ['abort', 'reset'] as const) {
    const plays = meeters.map((meeter, i) => arrive(meeter, barrier, FORMS[i] ?? 'wait'));
    const own = assert.rejects(barrier.wait(), BrokenBarrierError);
    await until(() => barrier.nWaiting === 3);
    barrier[end]();
    await own;
    assert.deepEqual(await Promise.all(plays), [broken.code, broken.code]);
    assert.equal(barrier.broken, end === 'abort');
    assert.equal(barrier.nWaiting, 0);
    if (end === 'abort') {
      await assert.rejects(barrier.wait(), broken);
      assert.throws(() => barrier.waitSync(), broken);
      assert.throws(() => barrier.tryWait(), broken);
      barrier.reset();
    }
  }
  const plays = meeters.map((meeter) => arrive(meeter, barrier, 'waitSync'));
  const places = await Promise.all([...plays, barrier.wait(), barrier.wait()]);
  assert.deepEqual(places.sort(), [0, 1, 2, 3]);
});

check('aborted waits', async () => {
  using barrier = new Barrier(3);
  const controller = new AbortController();
  const { signal } = controller;
  const other = assert.rejects(barrier.wait(), BrokenBarrierError);
  const aborted = assert.rejects(barrier.wait({ signal }), /stop it/);
  controller.abort(new Error('stop it'));
  await Promise.all([other, aborted]);
  assert.ok(barrier.broken);
  barrier.reset();
  await assert.rejects(barrier.wait({ signal }), /stop it/);
  assert.throws(() => barrier.waitSync({ signal }), /stop it/);
  assert.equal(barrier.broken, false);
  // An abort after all have arrived comes too late.
  const late = new AbortController();
  const waits = [barrier.wait({ signal: late.signal }), barrier.wait(), barrier.wait()];
  late.abort();
  assert.deepEqual(await Promise.all(waits), [0, 1, 2]);
});

check('actions', async () => {
  await using meeters = await startMeeters(2, meetActing);
  using notes = new Queue<number>();
  using barrier = new Barrier(3, { action: note, args: [notes] });
  for (let round = 0; round < 5; round++) {
    const plays = meeters.map((meeter, i) =>
      arrive(meeter, barrier, FORMS[(round + i) % 2] ?? 'wait'),
    );
    if (round > 2) await until(() => barrier.nWaiting === 2);
    const place = await barrier.wait();
    // It had run when the first of them went on.
    const pid = await notes.get({ timeout: 0 });
    const places = await Promise.all(plays);
    const processes = [process.pid, ...meeters.map((meeter) => meeter.process.pid)];
    assert.equal(pid, processes[[place, ...places].indexOf(2)]);
    assert.ok(notes.empty());
  }
  // More come than there are parties: those outside belong to the next generation.
  using slow = new Barrier(2, { action: noteLater, args: [notes] });
  const waits = Array.from({ length: 6 }, () => slow.wait());
  assert.deepEqual((await Promise.all(waits)).sort(), [0, 0, 0, 1, 1, 1]);
  assert.equal(notes.qsize(), 3);
  while (notes.tryGet().ok);
  const first = slow.wait();
  assert.equal(await slow.wait({ timeout: 0 }), 1);
  assert.equal(await first, 0);
  // Who gives up while the last party acts breaks it, and the last party hears of it.
  const hasty = assert.rejects(slow.wait({ timeout: 2 }), broken);
  await assert.rejects(slow.wait(), broken);
  await hasty;
});

check('failing actions', async () => {
  using notes = new Queue<number>();
  for (const options of [{ action: fail }, { action: noteLater, args: [notes] }]) {
    using barrier = new Barrier(2, options as BarrierOptions);
    const other = assert.rejects(barrier.wait(), broken);
    const isFailing = options.action === fail;
    const error = isFailing
      ? { name: 'RangeError', message: 'out of cheese' }
      : { code: 'ERR_STATE' };
    assert.throws(() => barrier.waitSync(), error);
    await other;
    assert.ok(barrier.broken);
    barrier.reset();
    const again = assert.rejects(barrier.wait(), broken);
    assert.throws(() => barrier.tryWait(), error);
    await again;
    barrier.reset();
    if (!isFailing) continue;
    const last = assert.rejects(barrier.wait(), broken);
    await assert.rejects(barrier.wait(), error);
    await last;
  }
  // A process that has not loaded the action's module; a call that does not block loads it.
  using acted = new Semaphore(0);
  const module = new URL('../tasks/late-action.ts', import.meta.url);
  using barrier = new Barrier(1, { action: { module, export: 'actLate' }, args: [acted] });
  assert.throws(() => barrier.waitSync(), { code: 'ERR_STATE' });
  assert.ok(barrier.broken);
  barrier.reset();
  assert.equal(await barrier.wait(), 0);
  assert.equal(barrier.waitSync(), 0);
  assert.equal(acted.value, 2);
  assert.throws(() => new Barrier(2, { action: () => 1 }), { code: 'ERR_TARGET_NOT_FOUND' });
});

check('deaths', async () => {
  for (const call of FORMS) {
    await using meeters = await startMeeters(1);
    using barrier = new Barrier(3);
    meeters[0]?.play([{ on: barrier, call }]).catch(() => undefined);
    await until(() => barrier.nWaiting === 1);
    const waiting = assert.rejects(barrier.wait(), broken);
    await meeters[0]?.process.kill();
    await waiting;
    assert.ok(barrier.broken);
  }
  await using meeters = await startMeeters(1);
  using notes = new Queue<string>();
  using barrier = new Barrier(2, { action: stay, args: [notes] });
  const waiting = assert.rejects(barrier.wait(), broken);
  meeters[0]?.play([{ on: barrier, call: 'wait' }]).catch(() => undefined);
  assert.equal(await notes.get({ timeout: 5000 }), 'acting');
  await meeters[0]?.process.kill();
  await waiting;
});

check('close', async () => {
  const barrier = new Barrier(3);
  using carrier = new Queue<Barrier>();
  carrier.putSync(barrier);
  using other = carrier.getSync();
  const waiting = assert.rejects(barrier.wait(), ClosedError);
  const its = assert.rejects(other.wait(), broken);
  barrier.close();
  barrier.close();
  await Promise.all([waiting, its]);
  await assert.rejects(barrier.wait(), ClosedError);
  for (const call of [
    () => barrier.waitSync(),
    () => barrier.tryWait(),
    () => barrier.abort(),
    () => barrier.reset(),
    () => barrier.broken,
    () => barrier.nWaiting,
    () => barrier.parties,
  ]) {
    assert.throws(call, ClosedError);
  }
  assert.equal(other.broken, true);
  // The references of an action's arguments are given back when it can not be sent.
  using held = new Event();
  using bad = new Barrier(1, { action: fail, args: [held, () => 1] });
  assert.throws(() => new Queue<Barrier>().putSync(bad), { code: 'ERR_ENCODE' });
});

await runChecks();
