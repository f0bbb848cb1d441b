/**
 * The pools of worker threads that Node programs use, `--pool NAME`, with the shapes of
 * `bench/programs/pool-tasks.ts`: each as its documentation starts it, with as many workers as
 * are asked for, and given a list of items in the way that it has for that.
 */
import { fileURLToPath, pathToFileURL } from 'node:url';
import { count, option, report } from '../../programs/measure.ts';
import { load } from './packages.ts';

interface Pool {
  run(kind: string, item: unknown): Promise<unknown>;
  /** Where the pool has no call for many items, each is a task. */
  map?(kind: string, items: readonly unknown[]): Promise<unknown[]>;
  close(): Promise<unknown>;
}

const work = fileURLToPath(new URL('./pool-work.mjs', import.meta.url));

/** piscina, and tinypool, which was made from it. */
interface Piscina {
  run(item: unknown, options: { readonly name: string }): Promise<unknown>;
  destroy(): Promise<void>;
}

interface PiscinaOptions {
  readonly filename: string;
  readonly minThreads: number;
  readonly maxThreads: number;
}

type PiscinaClass = new (options: PiscinaOptions) => Piscina;

function piscinaPool(Made: PiscinaClass, workers: number): Pool {
  const filename = pathToFileURL(work).href;
  const pool = new Made({ filename, minThreads: workers, maxThreads: workers });
  return { run: (name, item) => pool.run(item, { name }), close: () => pool.destroy() };
}

interface Workerpool {
  pool(
    script: string,
    options: object,
  ): {
    exec(name: string, args: readonly unknown[]): Promise<unknown>;
    terminate(): Promise<unknown>;
  };
}

function workerpoolPool({ pool: make }: Workerpool, workers: number): Pool {
  const pool = make(work, { minWorkers: workers, maxWorkers: workers, workerType: 'thread' });
  return { run: (name, item) => pool.exec(name, [item]), close: () => pool.terminate() };
}

interface Poolifier {
  readonly FixedThreadPool: new (
    workers: number,
    script: string,
  ) => {
    execute(item: unknown, name: string): Promise<unknown>;
    mapExecute(items: readonly unknown[], name: string): Promise<unknown[]>;
    destroy(): Promise<void>;
  };
}

function poolifierPool({ FixedThreadPool }: Poolifier, workers: number): Pool {
  const pool = new FixedThreadPool(workers, work);
  return {
    run: (name, item) => pool.execute(item, name),
    map: (name, items) => pool.mapExecute(items, name),
    close: () => pool.destroy(),
  };
}

async function open(name: string, workers: number): Promise<Pool> {
  process.env['DRAGON_BENCH_POOL'] = name;
  switch (name) {
    case 'piscina':
    case 'tinypool':
      return piscinaPool(await load<PiscinaClass>(name), workers);
    case 'workerpool':
      return workerpoolPool(await load<Workerpool>(name), workers);
    case 'poolifier':
      return poolifierPool(await load<Poolifier>(name), workers);
    default:
      throw new Error(`there is no pool called ${name}`);
  }
}

const IN_FLIGHT = 64;
const TEXT_LENGTH = 1024;

async function tasks(pool: Pool, total: number): Promise<number> {
  const begin = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < total) await pool.run('numbers', next++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return (total * 1000) / (performance.now() - begin);
}

const makers: Readonly<Record<string, (i: number) => unknown>> = {
  numbers: (i) => i,
  objects: (i) => ({ id: i, name: `item ${i}`, score: i / 2 }),
  strings: (i) => String(i).padStart(TEXT_LENGTH, 'x'),
  async: (i) => i,
};

async function map(pool: Pool, kind: string, items: readonly unknown[]): Promise<number> {
  const begin = performance.now();
  const results =
    pool.map === undefined
      ? await Promise.all(items.map((item) => pool.run(kind, item)))
      : await pool.map(kind, items);
  if (results.length !== items.length) throw new Error('results are missing');
  return (performance.now() - begin) * 1e6;
}

const total = count('count', 10_000);
const pool = await open(option('pool', 'piscina'), count('workers', 2));
const kind = option('items', 'numbers');
const isMap = option('kind', 'tasks') === 'map';
const items = Array.from({ length: total }, (_, i) => makers[kind]?.(i));
const once = () => (isMap ? map(pool, kind, items) : tasks(pool, total));
await once();
const samples: number[] = [];
for (let i = 0; i < count('rounds', 3); i += 1) samples.push(await once());
await pool.close();
report(isMap ? 'ns' : '1/s', samples, total);
