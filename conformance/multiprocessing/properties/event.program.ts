/** The checks of `event.test.ts`. */
import assert from 'node:assert/strict';
import { Event, Queue } from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { check, inProcess, runChecks } from '../../harness/inside.ts';
import { startMeeters } from '../../tasks/meeters.ts';

const step = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('set', 'clear', 'set and clear', 'wait', 'abort') },
  { weight: 1, arbitrary: fc.constant('blink') },
);

check('event', async () => {
  await using meeters = await startMeeters(1);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      using event = new Event();
      using carrier = new Queue<Event>();
      carrier.putSync(event);
      using other = carrier.getSync();
      let isSet = false;
      let waiting: Promise<boolean>[] = [];
      for (const [i, kind] of steps.entries()) {
        const [one, another] = i % 2 === 0 ? [event, other] : [other, event];
        if (kind === 'wait') waiting.push(one.wait());
        if (kind === 'abort' && !isSet) {
          const controller = new AbortController();
          const aborted = assert.rejects(one.wait({ signal: controller.signal }), /stop it/);
          controller.abort(new Error('stop it'));
          await aborted;
        }
        if (kind === 'blink') {
          // By another process, while this one waits.
          const wait = another.wait();
          await meeters[0]?.play(['set', 'clear'].map((call) => ({ on: event, call })));
          assert.equal(await wait, true);
        }
        if (kind.startsWith('set')) one.set();
        if (kind.endsWith('clear')) another.clear();
        if (kind === 'set') isSet = true;
        if (kind.endsWith('clear') || kind === 'blink') isSet = false;
        if (isSet || kind.startsWith('set') || kind === 'blink') {
          assert.ok((await Promise.all(waiting)).every((value) => value));
          waiting = [];
        }
        for (const each of [event, other]) {
          assert.equal(each.isSet(), isSet);
          assert.equal(each.waitSync({ timeout: 0 }), isSet);
          assert.equal(await each.wait({ timeout: 0 }), isSet);
          assert.equal(each.toAbortSignal().aborted, isSet);
        }
      }
      event.set();
      assert.ok((await Promise.all(waiting)).every((value) => value));
    }),
    inProcess,
  );
});

await runChecks();
