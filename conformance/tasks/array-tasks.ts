/** What other processes do with large arrays: keep them, give them back, make them. */
import { defineTask } from 'dragon-runtime';
import { type Queue, release } from 'dragon-runtime/multiprocessing';

/** Takes an array and keeps it until this process is killed. */
export const keepArray = defineTask(
  import.meta.url,
  'keepArray',
  async (queue: Queue<Uint8Array>, taken: Queue<number>): Promise<void> => {
    const array = await queue.get();
    await taken.put(array.length);
    await taken.put(await new Promise<number>(() => array));
  },
);

/** Puts so many arrays whose first bytes count up. */
export const putArrays = defineTask(
  import.meta.url,
  'putArrays',
  (queue: Queue<Uint8Array>, count: number, bytes: number): void => {
    const array = new Uint8Array(bytes);
    for (let i = 0; i < count; i++) {
      array[0] = i & 0xff;
      queue.putSync(array);
    }
  },
);

/** Whether the array lay in shared memory, and what was in it. */
export const lentAndLast = defineTask(
  import.meta.url,
  'lentAndLast',
  (array: Float64Array): [boolean, number | undefined] => {
    const last = array.at(-1);
    release(array);
    return [array.length === 0, last];
  },
);

export const filled = defineTask(
  import.meta.url,
  'filled',
  (length: number): Float64Array => new Float64Array(length).fill(length),
);
