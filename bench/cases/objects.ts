/** What unused objects of multiprocessing cost, and whether all do what they should. */
import { join } from 'node:path';
import type { BenchCase } from '../runner/types.ts';
import { product } from './commands.ts';

const SUITE = 'multiprocessing';

const idle: BenchCase = {
  suite: SUITE,
  name: 'objects.idle',
  about: 'memory of 100 idle Queues and 100 idle Locks',
  unit: 'B',
  better: 'lower',
  variants: [{}],
  smoke: [{}],
  product: ({ places }) => product(places, 'idle-objects'),
};

const ported: BenchCase = {
  suite: SUITE,
  name: 'ported',
  about: "percent of the portable tests of CPython's multiprocessing that exist and pass",
  unit: '%',
  better: 'higher',
  variants: [{}],
  smoke: [],
  product: ({ places }) => ({
    argv: [places.node, join(places.root, 'bench/programs/ported.mjs')],
  }),
};

export const OBJECT_CASES: readonly BenchCase[] = [idle, ported];
