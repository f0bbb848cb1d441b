/** What the last party at a barrier does, in the tests of barriers. */
import { defineTask } from 'dragon-runtime';
import type { Queue } from 'dragon-runtime/multiprocessing';
import { serve } from './meeters.ts';

/** A process that has loaded the actions, and so may run them in a call that blocks. */
export const meetActing = defineTask(import.meta.url, 'meetActing', serve);

/** Notes in which process it runs. */
export const note = defineTask(import.meta.url, 'note', (notes: Queue<number>) => {
  notes.putSync(process.pid);
});

export const noteLater = defineTask(import.meta.url, 'noteLater', async (notes: Queue<number>) => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  await notes.put(process.pid);
});

export const fail = defineTask(import.meta.url, 'fail', () => {
  throw new RangeError('out of cheese');
});

/** Never ends: the process is to be killed. */
export const stay = defineTask(import.meta.url, 'stay', async (notes: Queue<string>) => {
  await notes.put('acting');
  return await new Promise<never>(() => {
    setInterval(() => undefined, 1000);
  });
});
