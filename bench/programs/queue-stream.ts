/** Messages a second one way through a Queue, read by another process. */
import { defineTask, isRoot } from 'dragon-runtime';
import { Process, Queue } from 'dragon-runtime/multiprocessing';
import { count, report } from './measure.ts';

const BATCH = 64;

export const read = defineTask(
  import.meta.url,
  'read',
  (items: Queue<number>, done: Queue<number>, total: number): void => {
    let sum = 0;
    for (let i = 0; i < total; i += 1) sum += items.getSync();
    done.putSync(sum);
  },
);

async function main(): Promise<void> {
  const total = count('count', 20_000);
  const items = new Queue<number>({ maxsize: 1024 });
  const done = new Queue<number>();
  const reader = new Process({ target: read, args: [items, done, total] });
  await reader.start();
  const rates: number[] = [];
  const begin = performance.now();
  for (let i = 0; i < total; i += BATCH) {
    for (let j = i; j < Math.min(total, i + BATCH); j += 1) items.putSync(1);
  }
  if (done.getSync() !== total) throw new Error('messages were lost');
  rates.push((total * 1000) / (performance.now() - begin));
  await reader.join();
  report('1/s', rates, total);
}

if (isRoot()) await main();
