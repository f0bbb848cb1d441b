/** The check of `waits.test.ts`: what waiting does to those who don't wait. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Event, pipe, Queue, Semaphore } from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { check, runChecks, sized } from '../../harness/inside.ts';

check('pending waits delay nobody', async () => {
  const COUNT = 50;
  const queues = Array.from({ length: COUNT }, () => new Queue<number>());
  const events = Array.from({ length: COUNT }, () => new Event());
  const permits = Array.from({ length: COUNT }, () => new Semaphore(0));
  const pipes = Array.from({ length: COUNT }, () => pipe<number>({ duplex: false }));
  const order = fc.shuffledSubarray(
    Array.from({ length: 4 * COUNT }, (_, i) => i),
    { minLength: 4 * COUNT },
  );
  await fc.assert(
    fc.asyncProperty(order, async (settleOrder) => {
      const waits = Array.from({ length: 4 * COUNT }, (_, i) => {
        const at = Math.floor(i / 4);
        if (i % 4 === 0) return (queues[at] as Queue<number>).get();
        if (i % 4 === 1) return (events[at] as Event).wait().then(() => i);
        if (i % 4 === 2) return (permits[at] as Semaphore).acquire().then(() => i);
        return pipes[at]?.[0].recv();
      });
      const delaysMs = [Number.POSITIVE_INFINITY];
      for (let round = 0; round < 5; round++) {
        const beginMs = performance.now();
        // More than libuv has threads.
        const reads = Array.from({ length: 8 }, () => readFile(import.meta.filename));
        await Promise.all([sleep(1), ...reads]);
        delaysMs.push(performance.now() - beginMs);
      }
      assert.ok(Math.min(...delaysMs) < 50, `the least delay was ${Math.min(...delaysMs)} ms`);
      for (const i of settleOrder) {
        const at = Math.floor(i / 4);
        if (i % 4 === 0) queues[at]?.putSync(i);
        else if (i % 4 === 1) events[at]?.set();
        else if (i % 4 === 2) permits[at]?.release();
        else pipes[at]?.[1].sendSync(i);
        assert.equal(await waits[i], i);
        events[at]?.clear();
      }
    }),
    { numRuns: sized(3) },
  );
  for (const each of [...queues, ...events, ...permits, ...pipes.flat()]) each.close();
});

await runChecks();
