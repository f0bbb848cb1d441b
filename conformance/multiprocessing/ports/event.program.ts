/** The checks of `event.test.ts`. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { Event } from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../../harness/inside.ts';
import { startMeeters } from '../../tasks/meeters.ts';

check('event', async () => {
  await using meeters = await startMeeters(1);
  for (const call of ['wait', 'waitSync'] as const) {
    using event = new Event();
    assert.equal(event.isSet(), false);
    for (const timeout of [0, 60]) {
      const startMs = performance.now();
      assert.equal(await event[call]({ timeout }), false);
      assert.ok(performance.now() - startMs >= timeout - 1);
    }
    event.set();
    assert.equal(event.isSet(), true);
    for (const options of [undefined, { timeout: 0 }, { timeout: 60_000 }]) {
      const startMs = performance.now();
      assert.equal(await event[call](options), true);
      assert.ok(performance.now() - startMs < 2000);
    }
    assert.equal(event.isSet(), true);
    event.clear();
    assert.equal(event.isSet(), false);
    const play = meeters[0]?.play([{ sleep: 20 }, { on: event, call: 'set' }]);
    assert.equal(await event[call](), true);
    assert.equal(event.isSet(), true);
    await play;
  }
});

check('repr', () => {
  using event = new Event();
  event.set();
  assert.match(inspect(event), /\bset\b/);
  event.clear();
  assert.match(inspect(event), /\bunset\b/);
});

await runChecks();
