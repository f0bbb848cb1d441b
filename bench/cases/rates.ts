/** Streams and pools: how much gets through. */
import type { BenchCase } from '../runner/types.ts';
import { cpythonPeer, floor, product, sized } from './commands.ts';

const stream: BenchCase = {
  suite: 'multiprocessing',
  name: 'queue.stream',
  about: 'small numbers one way through a Queue',
  unit: '1/s',
  better: 'higher',
  variants: [{}],
  smoke: [{}],
  product: (at) => product(at.places, 'queue-stream', '--count', sized(at, 2000, 50_000)),
  floor: ({ places }) => floor(places, 'ring', '--rounds', 3),
  peers: (at) => [
    cpythonPeer(at.places, 'queue-stream', 'fork', '--count', sized(at, 2000, 50_000)),
  ],
};

const tasks: BenchCase = {
  suite: 'multiprocessing',
  name: 'pool.tasks',
  about: 'tasks of one item through a Pool, 64 in flight',
  unit: '1/s',
  better: 'higher',
  variants: [{ workers: 2 }, { workers: 4 }],
  smoke: [{ workers: 2 }],
  product: (at) => {
    const words = ['--count', sized(at, 500, 10_000), '--workers', Number(at.params['workers'])];
    return product(at.places, 'pool-tasks', ...words);
  },
  peers: (at) => {
    const words = ['--count', sized(at, 500, 10_000), '--workers', Number(at.params['workers'])];
    return [cpythonPeer(at.places, 'pool', 'fork', ...words)];
  },
};

const map: BenchCase = {
  suite: 'multiprocessing',
  name: 'pool.map',
  about: 'Pool.map of 10,000 numbers in default chunks',
  unit: 'ns',
  better: 'lower',
  variants: [{ workers: 2 }],
  smoke: [{ workers: 2 }],
  product: (at) => {
    const words = ['--kind', 'map', '--rounds', sized(at, 3, 20)];
    return product(at.places, 'pool-tasks', ...words, '--count', 10_000);
  },
  peers: (at) => {
    const words = ['--kind', 'map', '--rounds', sized(at, 3, 20), '--count', 10_000];
    return [cpythonPeer(at.places, 'pool', 'fork', ...words)];
  },
};

export const RATE_CASES: readonly BenchCase[] = [stream, tasks, map];
