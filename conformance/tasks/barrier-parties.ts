/** Parties of the ported tests of barriers. */
import { defineTask } from 'dragon-runtime';
import type { Barrier, Queue, Semaphore } from 'dragon-runtime/multiprocessing';
import { serve } from './meeters.ts';

/** A process that may act as the last party in a call that blocks. */
export const party = defineTask(import.meta.url, 'party', serve);

/** The action of a barrier. */
export const count = defineTask(import.meta.url, 'count', (acted: Semaphore) => acted.release());

/** Passes many times, and says so each time. */
export const passMany = defineTask(
  import.meta.url,
  'passMany',
  (barrier: Barrier, rounds: number, passed: Queue<number>) => {
    for (let round = 0; round < rounds; round++) {
      barrier.waitSync();
      passed.putSync(round);
    }
  },
);
