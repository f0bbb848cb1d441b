/**
 * What the pools of Node run, in a worker thread: the functions of `bench/programs/pool-tasks.ts`
 * as exports for piscina and tinypool, and registered with the pool that the thread belongs to.
 */
import { load } from './packages.ts';

interface Small {
  readonly score: number;
}

export const numbers = (x: number): number => x * x;
export const objects = (item: Small): Small => ({ ...item, score: item.score + 1 });
export const strings = (text: string): string => text;
export const async = async (x: number): Promise<number> => {
  await Promise.resolve();
  return x * x;
};

const functions = { numbers, objects, strings, async };

interface Workerpool {
  worker(methods: object): void;
}

interface Poolifier {
  readonly ThreadWorker: new (functions: object) => object;
}

const { DRAGON_BENCH_POOL: pool } = process.env;
if (pool === 'workerpool') (await load<Workerpool>('workerpool')).worker(functions);

/** What poolifier looks for; the others go by the exports above. */
export default pool === 'poolifier'
  ? new (await load<Poolifier>('poolifier')).ThreadWorker(functions)
  : numbers;
