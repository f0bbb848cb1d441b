/** The checks of `barrier.test.ts`. */
import assert from 'node:assert/strict';
import { BrokenBarrierError } from 'dragon-runtime';
import { Barrier, Semaphore } from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { check, inProcess, multiProcess, runChecks } from '../../harness/inside.ts';
import { count, party } from '../../tasks/barrier-parties.ts';
import { type Outcome, type Step, startMeeters, takeSteps } from '../../tasks/meeters.ts';

const BROKEN = 'ERR_BARRIER_BROKEN';

/** Starts of one generation, ends, and places. */
function generation(all: readonly (readonly Outcome[])[], at: number): Outcome[] {
  return all.map((outcomes) => outcomes[at] as Outcome);
}

check('generations', async () => {
  await using meeters = await startMeeters(3, party);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 16 }),
      fc.integer({ min: 1, max: 60 }),
      fc.boolean(),
      fc.array(fc.constantFrom('wait', 'waitSync'), { minLength: 3, maxLength: 3 }),
      async (parties, rounds, acts, calls) => {
        using acted = new Semaphore(0);
        using barrier = new Barrier(parties, acts ? { action: count, args: [acted] } : {});
        const steps = (call: string): Step[] =>
          Array.from({ length: rounds }, () => [
            { on: barrier, call },
            { on: acted, call: 'value' },
          ]).flat();
        const players = Array.from({ length: parties }, (_, i) => {
          const meeter = i < parties - 1 ? meeters[i] : undefined;
          return meeter?.play(steps(calls[i] ?? 'wait')) ?? takeSteps(steps('wait'));
        });
        const all = await Promise.all(players);
        for (let round = 0; round < rounds; round++) {
          const passed = generation(all, 2 * round);
          const places = passed.map(({ value, code }) => code ?? value);
          assert.deepEqual(new Set(places), new Set(Array.from({ length: parties }, (_, i) => i)));
          // Nobody left before all had come.
          const lastNs = Math.max(...passed.map(({ startNs }) => startNs));
          const firstNs = Math.min(...passed.map(({ endNs }) => endNs));
          assert.ok(firstNs >= lastNs);
          // The action had run once for each generation that had ended, and no more.
          const expected = acts ? round + 1 : 0;
          for (const { value } of generation(all, 2 * round + 1)) assert.equal(value, expected);
        }
        assert.equal(acted.value, acts ? rounds : 0);
        assert.deepEqual([barrier.nWaiting, barrier.broken], [0, false]);
      },
    ),
    multiProcess,
  );
});

type Waiting = { readonly outcome: Promise<unknown>; readonly controller: AbortController };

check('abort and reset', async () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.constant('wait') },
    { weight: 4, arbitrary: fc.constantFrom('try', 'abort', 'reset', 'time out', 'abort a wait') },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { maxLength: 40 }),
      async (parties, steps) => {
        using barrier = new Barrier(parties);
        let isBroken = false;
        let waiting: Waiting[] = [];
        /** All that wait end so. */
        const end = async (result: 'passed' | 'broken'): Promise<void> => {
          const outcomes = await Promise.all(waiting.map(({ outcome }) => outcome));
          const expected = waiting.map((_, i) => (result === 'passed' ? i : BROKEN));
          assert.deepEqual(outcomes, expected);
          waiting = [];
        };
        for (const kind of steps) {
          const isLast = waiting.length === parties - 1;
          if (kind === 'wait') {
            const controller = new AbortController();
            const wait = barrier.wait({ signal: controller.signal });
            waiting.push({ outcome: wait.catch((error) => error.code ?? error), controller });
            if (isBroken) await end('broken');
            else if (isLast) await end('passed');
          }
          if (kind === 'try') {
            if (isBroken) assert.throws(() => barrier.tryWait(), BrokenBarrierError);
            else assert.equal(barrier.tryWait(), isLast ? parties - 1 : undefined);
            if (!isBroken && isLast) await end('passed');
          }
          if (kind === 'time out') {
            if (!isBroken && isLast) {
              assert.equal(await barrier.wait({ timeout: 0 }), parties - 1);
              await end('passed');
            } else {
              await assert.rejects(barrier.wait({ timeout: 0 }), BrokenBarrierError);
              isBroken = true;
              await end('broken');
            }
          }
          if (kind === 'abort') {
            barrier.abort();
            isBroken = true;
            await end('broken');
          }
          if (kind === 'abort a wait' && waiting.length > 0) {
            const [first] = waiting.splice(0, 1);
            first?.controller.abort(new Error('stop it'));
            assert.match(String(await first?.outcome), /stop it/);
            isBroken = true;
            await end('broken');
          }
          if (kind === 'reset') {
            barrier.reset();
            isBroken = false;
            await end('broken');
          }
          assert.deepEqual([barrier.broken, barrier.nWaiting], [isBroken, waiting.length]);
        }
        barrier.abort();
        await end('broken');
      },
    ),
    inProcess,
  );
});

check('parties that do not come', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('wait', 'waitSync'),
      fc.constantFrom('dies', 'times out'),
      fc.integer({ min: 0, max: 10 }),
      async (call, end, afterMs) => {
        await using meeters = await startMeeters(2, party);
        using barrier = new Barrier(4);
        const [victim, other] = meeters;
        const isDying = end === 'dies';
        const lost = victim?.play([
          { on: barrier, call, with: isDying ? [] : [{ timeout: afterMs }] },
        ]);
        const outcomes = other?.play([{ on: barrier, call }]);
        const own = assert.rejects(barrier.wait(), BrokenBarrierError);
        if (isDying) {
          await new Promise((resolve) => setTimeout(resolve, afterMs));
          while (barrier.nWaiting < 3) await new Promise((resolve) => setTimeout(resolve, 1));
          const startMs = performance.now();
          await victim?.process.kill();
          await own;
          assert.ok(performance.now() - startMs < 5000);
        } else {
          await own;
          assert.equal((await lost)?.[0]?.code, BROKEN);
        }
        assert.equal((await outcomes)?.[0]?.code, BROKEN);
        assert.equal(barrier.broken, true);
        barrier.reset();
        assert.deepEqual([barrier.broken, barrier.nWaiting], [false, 0]);
      },
    ),
    { numRuns: Math.ceil(multiProcess.numRuns / 2) },
  );
});

await runChecks();
