/**
 * Tasks a second through a Pool, 64 in flight, or, `--kind map`, one map over `--count` items:
 * numbers, small objects, strings of 1 KiB, or numbers for an asynchronous function.
 */
import { defineTask, isRoot } from 'dragon-runtime';
import { Pool } from 'dragon-runtime/multiprocessing';
import { count, option, report } from './measure.ts';

interface Small {
  readonly id: number;
  readonly name: string;
  readonly score: number;
}

export const square = defineTask(import.meta.url, 'square', (x: number): number => x * x);

export const scored = defineTask(
  import.meta.url,
  'scored',
  (item: Small): Small => ({ ...item, score: item.score + 1 }),
);

export const same = defineTask(import.meta.url, 'same', (text: string): string => text);

export const later = defineTask(import.meta.url, 'later', async (x: number): Promise<number> => {
  await Promise.resolve();
  return x * x;
});

const IN_FLIGHT = 64;
const TEXT_LENGTH = 1024;

async function tasks(pool: Pool, total: number): Promise<number> {
  const begin = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < total) await pool.apply(square, [next++]);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return (total * 1000) / (performance.now() - begin);
}

/** Nanoseconds of a map over `items`, whose last result is compared. */
async function timed<In, Out>(
  items: readonly In[],
  map: (items: readonly In[]) => Promise<Out[]>,
  isRight: (last: Out | undefined) => boolean,
): Promise<number> {
  const begin = performance.now();
  const results = await map(items);
  const elapsedNs = (performance.now() - begin) * 1e6;
  if (results.length !== items.length || !isRight(results.at(-1))) throw new Error('wrong result');
  return elapsedNs;
}

/** A map over items of a kind: numbers, objects, strings, async. */
function maps(pool: Pool, kind: string, total: number): () => Promise<number> {
  const make = <Item>(item: (i: number) => Item): Item[] =>
    Array.from({ length: total }, (_, i) => item(i));
  const wanted = (total - 1) ** 2;
  const numbers = make((i) => i);
  const objects = make((i) => ({ id: i, name: `item ${i}`, score: i / 2 }));
  const texts = make((i) => String(i).padStart(TEXT_LENGTH, 'x'));
  const kinds: Readonly<Record<string, () => Promise<number>>> = {
    numbers: () =>
      timed(
        numbers,
        (all) => pool.map(square, all),
        (last) => last === wanted,
      ),
    objects: () =>
      timed(
        objects,
        (all) => pool.map(scored, all),
        (last) => last?.id === total - 1,
      ),
    strings: () =>
      timed(
        texts,
        (all) => pool.map(same, all),
        (last) => last === texts.at(-1),
      ),
    async: () =>
      timed(
        numbers,
        (all) => pool.map(later, all),
        (last) => last === wanted,
      ),
  };
  const chosen = kinds[kind];
  if (chosen === undefined) throw new Error(`there are no items of the kind ${kind}`);
  return chosen;
}

async function main(): Promise<void> {
  const total = count('count', 10_000);
  const repeats = count('rounds', 3);
  await using pool = new Pool({ processes: count('workers', 2) });
  await pool.map(square, [1, 2, 3, 4]);
  const isMap = option('kind', 'tasks') === 'map';
  const once = isMap ? maps(pool, option('items', 'numbers'), total) : () => tasks(pool, total);
  await once();
  const samples: number[] = [];
  for (let i = 0; i < repeats; i += 1) samples.push(await once());
  report(isMap ? 'ns' : '1/s', samples, total);
}

if (isRoot()) await main();
