/** Pools: tasks, maps, and work while workers are killed. */
import type { BenchCase, Contender, Situation } from '../runner/types.ts';
import { cpythonPeer, packagePeer, product, sized } from './commands.ts';

const SUITE = 'multiprocessing';

/** The pools of worker threads that Node programs use. */
const NODE_POOLS: readonly string[] = ['piscina', 'tinypool', 'workerpool', 'poolifier'];

type Words = readonly (string | number)[];

function pools(at: Situation, words: Words): readonly Contender[] {
  return [
    ...NODE_POOLS.map((name) => packagePeer(at.places, name, 'pools', '--pool', name, ...words)),
    cpythonPeer(at.places, 'pool', 'fork', ...words),
  ];
}

function taskWords(at: Situation, workers = Number(at.params['workers'])): Words {
  const rounds = ['--rounds', sized(at, 1, 3)];
  return ['--count', sized(at, 500, 20_000), '--workers', workers, ...rounds];
}

const tasks: BenchCase = {
  suite: SUITE,
  name: 'pool.tasks',
  about: 'tasks of one item through a Pool, 64 in flight',
  unit: '1/s',
  better: 'higher',
  variants: [{ workers: 2 }, { workers: 4 }],
  smoke: [{ workers: 2 }],
  product: (at) => product(at.places, 'pool-tasks', ...taskWords(at)),
  references: (at) => {
    if (at.params['workers'] === 2) return [];
    const program = product(at.places, 'pool-tasks', ...taskWords(at, 2));
    return [{ name: 'self.2-workers', program }];
  },
  peers: (at) => [
    ...pools(at, taskWords(at)),
    cpythonPeer(at.places, 'pool', 'spawn', ...taskWords(at)),
  ],
};

const ITEMS = ['numbers', 'objects', 'strings', 'async'];

function mapWords(at: Situation): Words {
  const { items, workers } = at.params;
  const kind = ['--kind', 'map', '--items', String(items), '--workers', Number(workers)];
  return [...kind, '--rounds', sized(at, 1, 5), '--count', sized(at, 1000, 10_000)];
}

const map: BenchCase = {
  suite: SUITE,
  name: 'pool.map',
  about: 'Pool.map of 10,000 trivial items in default chunks',
  unit: 'ns',
  better: 'lower',
  variants: ITEMS.flatMap((items) => [2, 4].map((workers) => ({ items, workers }))),
  smoke: [{ items: 'numbers', workers: 2 }],
  product: (at) => product(at.places, 'pool-tasks', ...mapWords(at)),
  peers: (at) => pools(at, mapWords(at)),
};

const chaos: BenchCase = {
  suite: SUITE,
  name: 'pool.chaos',
  about: '10,000 tasks of 1 ms by 64 workers, of which one is killed every 50 ms',
  unit: 'ns',
  better: 'lower',
  variants: [{ workers: 64, tasks: 10_000 }],
  smoke: [],
  product: ({ params, places }) => {
    const words = ['--workers', Number(params['workers']), '--count', Number(params['tasks'])];
    return product(places, 'pool-chaos', ...words);
  },
};

export const POOL_CASES: readonly BenchCase[] = [tasks, map, chaos];
