/** The start of a run and of a process, against bare starts of the same interpreter. */
import { join } from 'node:path';
import type { BenchCase } from '../runner/types.ts';
import { cpythonPeer, floor, nodePeer, product, sized } from './commands.ts';

/** A cached program of one line, from the command to its end. */
const hello: BenchCase = {
  suite: 'spine',
  name: 'start.hello',
  about: 'dragon hello.ts, second run, until reaped',
  unit: 'ns',
  better: 'lower',
  variants: [{}],
  smoke: [{}],
  product: (at) => {
    const { places } = at;
    const words = ['--rounds', sized(at, 2, 7), '--warm-up', 1, '--', places.dragon];
    return floor(places, 'spawn', ...words, join(places.scratch, 'hello.ts')).program;
  },
  floor: (at) => {
    const { places } = at;
    const words = ['--rounds', sized(at, 2, 7), '--warm-up', 1, '--', places.node];
    return floor(places, 'spawn', ...words, join(places.scratch, 'hello.js'));
  },
};

const processStart: BenchCase = {
  suite: 'multiprocessing',
  name: 'process.start',
  about: 'a Process with an empty target, started and joined',
  unit: 'ns',
  better: 'lower',
  variants: [{}],
  smoke: [{}],
  product: (at) => product(at.places, 'process-start', '--rounds', sized(at, 2, 10)),
  floor: (at) => {
    const words = ['--rounds', sized(at, 2, 10), '--', at.places.node];
    return floor(at.places, 'spawn', ...words, join(at.places.scratch, 'empty.mjs'));
  },
  peers: (at) => {
    const rounds = ['--rounds', sized(at, 2, 10)];
    return [
      nodePeer(at.places, 'fork-start', ...rounds),
      cpythonPeer(at.places, 'process-start', 'fork', ...rounds),
      cpythonPeer(at.places, 'process-start', 'spawn', ...rounds),
    ];
  },
};

export const START_CASES: readonly BenchCase[] = [hello, processStart];
