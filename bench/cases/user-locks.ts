/** Locks as programs in TypeScript use them, alone, contended, and from one to the other. */
import type { BenchCase, Situation } from '../runner/types.ts';
import { cpythonPeer, product, sized } from './commands.ts';
import { handOffFloor, pinned } from './pinned.ts';

const SUITE = 'multiprocessing';

const words = (at: Situation, rounds: number) => [
  '--processes',
  Number(at.params['processes']),
  '--count',
  sized(at, 2000, 50_000),
  '--rounds',
  rounds,
];

const pair: BenchCase = {
  suite: SUITE,
  name: 'lock.pair',
  about: 'acquireSync and release of a Lock, over the pairs of all processes that want it',
  unit: 'ns',
  better: 'lower',
  variants: [{ processes: 1 }, { processes: 2 }],
  smoke: [{ processes: 1 }],
  product: (at) => product(at.places, 'lock-pairs', ...words(at, sized(at, 3, 20))),
  peers: (at) => [cpythonPeer(at.places, 'lock-pairs', 'fork', ...words(at, sized(at, 3, 20)))],
};

const handOff: BenchCase = {
  suite: SUITE,
  name: 'lock.hand-off',
  about: 'from one blocked process to another by way of a Lock',
  unit: 'ns',
  better: 'lower',
  variants: [
    { wait: 'sync', cores: 2 },
    { wait: 'sync', cores: 1 },
  ],
  smoke: [{ wait: 'sync', cores: 1 }],
  product: (at) => pinned(at, 200, 5000, (...pins) => product(at.places, 'lock-hand-off', ...pins)),
  floor: (at) => handOffFloor(at, 'futex'),
};

export const USER_LOCK_CASES: readonly BenchCase[] = [pair, handOff];
