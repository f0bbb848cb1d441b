/** A ring of numbers in shared memory, with a condition for each of its ends. */
import { defineTask } from 'dragon-runtime';
import type { Condition, Queue, RawArray } from 'dragon-runtime/multiprocessing';
import type { Flavour } from './actors.ts';

export interface Buffer {
  readonly notFull: Condition;
  readonly notEmpty: Condition;
  /** How many have been put in and taken out, and the numbers. */
  readonly cells: RawArray<'i'>;
  readonly room: number;
}

function put({ cells, room, notEmpty }: Buffer, item: number): void {
  cells[2 + (cells.at(0) % room)] = item;
  cells[0] = cells.at(0) + 1;
  notEmpty.notify();
}

function take({ cells, room, notFull }: Buffer): number {
  const item = cells.at(2 + (cells.at(1) % room));
  cells[1] = cells.at(1) + 1;
  notFull.notify();
  return item;
}

const used = ({ cells }: Buffer): number => cells.at(0) - cells.at(1);

export const produce = defineTask(
  import.meta.url,
  'produce',
  async (buffer: Buffer, items: readonly number[], flavour: Flavour) => {
    const { notFull, room } = buffer;
    const hasRoom = () => used(buffer) < room;
    for (const item of items) {
      if (flavour === 'sync') {
        notFull.runSync(() => {
          notFull.waitForSync(hasRoom);
          put(buffer, item);
        });
      } else {
        await notFull.run(async (guard) => {
          await notFull.waitFor(guard, hasRoom);
          put(buffer, item);
        });
      }
    }
  },
);

/** Takes numbers until a negative one. */
export const consume = defineTask(
  import.meta.url,
  'consume',
  async (buffer: Buffer, flavour: Flavour, taken: Queue<number>) => {
    const { notEmpty } = buffer;
    const hasItem = () => used(buffer) > 0;
    for (;;) {
      const item =
        flavour === 'sync'
          ? notEmpty.runSync(() => {
              notEmpty.waitForSync(hasItem);
              return take(buffer);
            })
          : await notEmpty.run(async (guard) => {
              await notEmpty.waitFor(guard, hasItem);
              return take(buffer);
            });
      if (item < 0) return;
      await taken.put(item);
    }
  },
);
