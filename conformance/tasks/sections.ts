/** What processes do with locks and conditions that takes more than one call, in tests. */
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask } from 'dragon-runtime';
import type { Condition, Queue, RawValue, RLock, Semaphore } from 'dragon-runtime/multiprocessing';
import type { Flavour } from './actors.ts';

export interface WaiterScript {
  readonly condition: Condition;
  readonly flavour: Flavour;
  /** Released with the lock held, so that whoever takes all and the lock finds them there. */
  readonly ready: Semaphore;
  /** Gets what the wait came to: its value, or the code of its error. */
  readonly results: Queue<unknown>;
  readonly timeout?: number | undefined;
  readonly rounds?: number;
}

async function waitOnce({ condition, flavour, ready, timeout }: WaiterScript): Promise<unknown> {
  if (flavour === 'sync') {
    return condition.runSync(() => {
      ready.release();
      return condition.waitSync({ timeout });
    });
  }
  return await condition.run(async (guard) => {
    ready.release();
    return await condition.wait(guard, { timeout });
  });
}

/** Waits for a condition, once or several times. */
export const waiter = defineTask(import.meta.url, 'waiter', async (script: WaiterScript) => {
  for (let round = 0; round < (script.rounds ?? 1); round++) {
    const result = await waitOnce(script).catch((error) => error.code ?? String(error));
    await script.results.put(result);
  }
});

/** Takes a re-entrant lock a few times, and a permit, and stays so until it is killed. */
export const holder = defineTask(
  import.meta.url,
  'holder',
  async (lock: RLock, flavour: Flavour, times: number, ready: Semaphore, semaphore?: Semaphore) => {
    await semaphore?.acquire();
    for (let i = 0; i < times; i++) {
      if (flavour === 'sync') lock.acquireSync();
      else await lock.acquire();
    }
    ready.release();
    for (;;) await sleep(1000);
  },
);

interface StateScript {
  readonly condition: Condition;
  readonly state: RawValue<'i'>;
  readonly flavour: Flavour;
}

/** Waits until the state is four, having made it zero; fails if it is not. */
export const waitForFour = defineTask(
  import.meta.url,
  'waitForFour',
  async ({ condition, state, flavour }: StateScript) => {
    const isFour = () => state.value === 4;
    const result =
      flavour === 'sync'
        ? condition.runSync(() => {
            state.value = 0;
            condition.notify();
            return condition.waitForSync(isFour);
          })
        : await condition.run(async (guard) => {
            state.value = 0;
            condition.notify(1, guard);
            return await condition.waitFor(guard, isFour);
          });
    if (!result || state.value !== 4) throw new Error(`the state is ${state.value}`);
  },
);

/** Waits for what does not come: what that came to, and how long it took in ms. */
export const waitInVain = defineTask(
  import.meta.url,
  'waitInVain',
  async (
    { condition, state, flavour }: StateScript,
    ready: Semaphore,
    timeout: number,
    results: Queue<[result: boolean, tookMs: number]>,
  ) => {
    const isFour = () => state.value === 4;
    const wait = async (): Promise<[boolean, number]> => {
      if (flavour === 'sync') {
        return condition.runSync(() => {
          ready.release();
          const startMs = performance.now();
          return [condition.waitForSync(isFour, { timeout }), performance.now() - startMs];
        });
      }
      return await condition.run(async (guard) => {
        ready.release();
        const startMs = performance.now();
        const result = await condition.waitFor(guard, isFour, { timeout });
        return [result, performance.now() - startMs];
      });
    };
    await results.put(await wait());
  },
);

/** Notifies once, and sends a signal some time after. */
export const notifyAndSignal = defineTask(
  import.meta.url,
  'notifyAndSignal',
  async (condition: Condition, pid: number, waiting: Semaphore) => {
    await condition.run((guard) => condition.notify(1, guard));
    await waiting.acquire();
    process.kill(pid, 'SIGINT');
  },
);
