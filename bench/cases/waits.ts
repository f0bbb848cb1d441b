/** What waiting costs those who wait and those who don't. */
import { join } from 'node:path';
import type { BenchCase } from '../runner/types.ts';
import { floor, nativeProgram, product, sized } from './commands.ts';

const pending: BenchCase = {
  suite: 'core',
  name: 'waits.pending',
  about: 'a timer or a file read beside 200 pending waits, over the same without any',
  unit: 'x',
  better: 'lower',
  variants: [{ work: 'timer' }, { work: 'file' }],
  smoke: [{ work: 'file' }],
  product: (at) => {
    const words = ['--work', String(at.params['work']), '--rounds', sized(at, 3, 9)];
    return product(at.places, 'pending-waits', ...words, '--times', sized(at, 20, 50));
  },
};

const idle: BenchCase = {
  suite: 'core',
  name: 'runtime.idle',
  about: 'what share of a core a runtime with 100 blocked processes uses',
  unit: '%',
  better: 'lower',
  variants: [
    { processes: 100, lang: 'c++' },
    { processes: 100, lang: 'ts' },
  ],
  smoke: [],
  product: ({ params, places }) => {
    const words = ['--processes', Number(params['processes'])];
    if (params['lang'] === 'ts') return product(places, 'idle', ...words);
    return nativeProgram(places, 'idle', ...words, '--ms', 3000, '--settle-ms', 2000);
  },
};

const cycle: BenchCase = {
  suite: 'core',
  name: 'blocked.cycle',
  about: 'until `dragon ps --blocked` prints a cycle over a channel, a lock and a full pool',
  unit: 'ns',
  better: 'lower',
  variants: [{}],
  smoke: [],
  product: (at) => {
    const words = ['--dragon', at.places.dragon, '--rounds', sized(at, 1, 5)];
    return product(at.places, 'blocked-cycle', ...words);
  },
  floor: (at) => {
    const words = ['--rounds', sized(at, 2, 5), '--', at.places.node];
    return floor(at.places, 'spawn', ...words, join(at.places.scratch, 'hello.js'));
  },
};

export const WAIT_CASES: readonly BenchCase[] = [pending, idle, cycle];
