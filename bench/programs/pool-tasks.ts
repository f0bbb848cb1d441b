/** Tasks a second through a Pool, 64 in flight, or one map over 10,000 numbers. */
import { defineTask, isRoot } from 'dragon-runtime';
import { Pool } from 'dragon-runtime/multiprocessing';
import { count, option, report } from './measure.ts';

export const square = defineTask(import.meta.url, 'square', (x: number): number => x * x);

const IN_FLIGHT = 64;

async function tasks(pool: Pool, total: number): Promise<number> {
  const begin = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < total) await pool.apply(square, [next++]);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return (total * 1000) / (performance.now() - begin);
}

async function map(pool: Pool, total: number): Promise<number> {
  const items = Array.from({ length: total }, (_, i) => i);
  const begin = performance.now();
  await pool.map(square, items);
  return (performance.now() - begin) * 1e6;
}

async function main(): Promise<void> {
  const total = count('count', 10_000);
  const repeats = count('rounds', 3);
  await using pool = new Pool({ processes: count('workers', 2) });
  await pool.map(square, [1, 2, 3, 4]);
  const isMap = option('kind', 'tasks') === 'map';
  const samples: number[] = [];
  for (let i = 0; i < repeats; i += 1) samples.push(await (isMap ? map : tasks)(pool, total));
  report(isMap ? 'ns' : '1/s', samples, total);
}

if (isRoot()) await main();
