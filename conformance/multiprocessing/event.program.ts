/** The checks of `event.test.ts`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { inspect } from 'node:util';
import { ClosedError } from 'dragon-runtime';
import { Event, Queue } from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../harness/inside.ts';
import { startMeeters, valuesOf } from '../tasks/meeters.ts';

check('waits', async () => {
  await using meeters = await startMeeters(2);
  using event = new Event();
  for (const timeout of [-5, 0, 10]) {
    const startMs = performance.now();
    assert.equal(await event.wait({ timeout }), false);
    assert.equal(event.waitSync({ timeout }), false);
    assert.ok(performance.now() - startMs >= 2 * (timeout - 1));
  }
  // Also those who wait when it is set and cleared at once.
  const plays = meeters.map((meeter, i) =>
    meeter.play([
      { on: event, call: 'isSet' },
      { on: event, call: i === 0 ? 'wait' : 'waitSync' },
    ]),
  );
  const own = event.wait();
  const stopped = new AbortController();
  const aborted = assert.rejects(event.wait({ signal: stopped.signal }), /stop it/);
  stopped.abort(new Error('stop it'));
  await aborted;
  assert.throws(() => event.waitSync({ signal: stopped.signal }), /stop it/);
  await new Promise((resolve) => setTimeout(resolve, 50));
  event.set();
  event.clear();
  assert.equal(await own, true);
  assert.deepEqual((await Promise.all(plays)).map(valuesOf), [
    [false, true],
    [false, true],
  ]);
  assert.equal(event.isSet(), false);
  event.set();
  event.set();
  assert.ok(event.isSet() && (await event.wait()) && event.waitSync({ timeout: 0 }));
  const seen = await meeters[0]?.play([
    { on: event, call: 'isSet' },
    { on: event, call: 'waitSync' },
    { on: event, call: 'clear' },
  ]);
  assert.deepEqual(valuesOf(seen ?? []), [true, true, undefined]);
  assert.equal(event.isSet(), false);
  // A waiter that dies hinders nobody.
  meeters[1]?.play([{ on: event, call: 'waitSync' }]).catch(() => undefined);
  await meeters[1]?.process.kill();
  event.set();
  assert.equal(await event.wait({ timeout: 5000 }), true);
});

check('signals', async () => {
  await using meeters = await startMeeters(1);
  using event = new Event();
  const signal = event.toAbortSignal();
  assert.equal(event.toAbortSignal(), signal);
  assert.equal(signal.aborted, false);
  const aborted = once(signal, 'abort');
  await meeters[0]?.play([{ on: event, call: 'set' }]);
  await aborted;
  assert.equal((signal.reason as Error).name, 'AbortError');
  assert.ok(event.toAbortSignal().aborted);
  event.clear();
  const next = event.toAbortSignal();
  assert.ok(signal.aborted && !next.aborted);
  // It ends the wait on another object.
  using other = new Event();
  const waiting = assert.rejects(other.wait({ signal: next }), { name: 'AbortError' });
  event.set();
  await waiting;
  // Never set and never closed: the program ends all the same.
  new Event().toAbortSignal();
});

check('text and close', async () => {
  const event = new Event();
  assert.equal(inspect(event), 'Event { unset }');
  event.set();
  assert.equal(inspect(event), 'Event { set }');
  event.clear();
  using carrier = new Queue<Event>();
  carrier.putSync(event);
  using other = carrier.getSync();
  const signal = event.toAbortSignal();
  const waiting = assert.rejects(event.wait(), ClosedError);
  event.close();
  event.close();
  await waiting;
  await assert.rejects(event.wait(), ClosedError);
  for (const call of [
    () => event.set(),
    () => event.clear(),
    () => event.isSet(),
    () => event.waitSync(),
    () => event.toAbortSignal(),
  ]) {
    assert.throws(call, ClosedError);
  }
  assert.equal(inspect(event), 'Event { closed }');
  other.set();
  assert.equal(await other.wait(), true);
  assert.equal(signal.aborted, false);
});

await runChecks();
