/** The checks of `semaphore.test.ts`. */
import assert from 'node:assert/strict';
import { NotOwnerError } from 'dragon-runtime';
import { BoundedSemaphore, Queue, Semaphore } from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { check, inProcess, multiProcess, runChecks } from '../../harness/inside.ts';
import { type Step, startMeeters, takeSteps, valuesOf } from '../../tasks/meeters.ts';

const amount = fc.integer({ min: 1, max: 4 });
const step = fc.oneof(
  fc.record({ call: fc.constantFrom('acquire', 'acquireSync', 'tryAcquire'), n: amount }),
  fc.record({ call: fc.constant('release'), n: amount }),
  fc.record({ call: fc.constant('abort'), n: amount }),
);
type Call = 'acquire' | 'acquireSync' | 'tryAcquire' | 'release' | 'abort';

function travelled<T>(object: T): T {
  using carrier = new Queue<T>();
  carrier.putSync(object);
  return carrier.getSync();
}

/** Plays the steps through two handles, against a number; `bound` is Infinity for none. */
async function follow(
  made: Semaphore,
  initial: number,
  bound: number,
  steps: readonly { call: string; n: number }[],
): Promise<void> {
  using semaphore = made;
  using other = travelled(semaphore);
  let value = initial;
  for (const [i, { call, n }] of steps.entries()) {
    const one = i % 2 === 0 ? semaphore : other;
    const fits = n <= value;
    switch (call as Call) {
      case 'release':
        if (value + n > bound) assert.throws(() => one.release(n), NotOwnerError);
        else {
          one.release(n);
          value += n;
        }
        break;
      case 'abort': {
        // Aborted while it waits, or too late.
        if (n > bound) break;
        const controller = new AbortController();
        const waiting = one.acquire({ n, signal: controller.signal });
        controller.abort(new Error('stop it'));
        if (fits) assert.equal(await waiting, true);
        else await assert.rejects(waiting, /stop it/);
        if (fits) value -= n;
        break;
      }
      default: {
        const options = { n, timeout: 0 };
        const taking = async () => await one[call as 'acquire' | 'tryAcquire'](options);
        if (n > bound) {
          await assert.rejects(taking(), { code: 'ERR_INVALID_ARGUMENT' });
        } else {
          assert.equal(await taking(), fits);
          if (fits) value -= n;
        }
      }
    }
    assert.deepEqual([semaphore.value, other.value], [value, value]);
  }
}

const steps = fc.array(step, { maxLength: 40 });

check('value', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(5), steps, (initial, script) =>
      follow(new Semaphore(initial), initial, Number.POSITIVE_INFINITY, script),
    ),
    inProcess,
  );
});

check('bound', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(5), steps, (initial, script) =>
      // None may ever be taken of a semaphore without permits.
      follow(
        new BoundedSemaphore(initial),
        initial,
        initial,
        initial === 0 ? script.filter(({ call }) => call === 'release') : script,
      ),
    ),
    inProcess,
  );
});

check('at most n holders', async () => {
  await using meeters = await startMeeters(3);
  const contender = fc.record({
    calls: fc.array(fc.constantFrom('acquire', 'acquireSync'), { minLength: 1, maxLength: 12 }),
    n: fc.integer({ min: 1, max: 2 }),
    holdMs: fc.constantFrom(0, 0, 1),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(contender, { minLength: 4, maxLength: 4 }),
      fc.integer({ min: 2, max: 3 }),
      async (contenders, permits) => {
        using semaphore = new Semaphore(permits);
        const scripts = contenders.map(({ calls, n, holdMs }, i) =>
          calls.flatMap((call): Step[] => [
            // This process has to turn its loop.
            { on: semaphore, call: i === 3 ? 'acquire' : call, with: [{ n }] },
            { sleep: holdMs },
            { on: semaphore, call: 'release', with: [n] },
          ]),
        );
        const plays = scripts.map((script, i) => meeters[i]?.play(script) ?? takeSteps(script));
        const edges: [atNs: number, permits: number][] = [];
        for (const [i, outcomes] of (await Promise.all(plays)).entries()) {
          valuesOf(outcomes);
          const n = contenders[i]?.n ?? 1;
          for (let at = 0; at < outcomes.length; at += 3) {
            edges.push([outcomes[at]?.endNs ?? 0, n], [outcomes[at + 2]?.startNs ?? 0, -n]);
          }
        }
        edges.sort(([a, x], [b, y]) => a - b || x - y);
        let held = 0;
        for (const [, change] of edges) {
          held += change;
          assert.ok(held <= permits, `${held} of ${permits} permits were held at a time`);
        }
        assert.equal(semaphore.value, permits);
      },
    ),
    multiProcess,
  );
});

await runChecks();
