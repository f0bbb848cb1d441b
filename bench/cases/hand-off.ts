/** One way between two processes of the user, pinned, against the raw hand-off. */
import type { BenchCase } from '../runner/types.ts';
import { cpythonPeer, nodePeer, product, sized } from './commands.ts';
import { floorFor, pinned } from './pinned.ts';

const queue: BenchCase = {
  suite: 'multiprocessing',
  name: 'queue.latency',
  about: 'an item of bytes through a Queue, one way',
  unit: 'ns',
  better: 'lower',
  variants: [
    { bytes: 64, wait: 'sync', cores: 1 },
    { bytes: 64, wait: 'async', cores: 1 },
  ],
  smoke: [{ bytes: 64, wait: 'sync', cores: 1 }],
  product: (at) =>
    pinned(at, 200, 5000, (...words) => product(at.places, 'queue-latency', ...words)),
  floor: floorFor,
  peers: (at) => {
    const words = ['--rounds', sized(at, 200, 2000), '--bytes', 64];
    return [
      nodePeer(at.places, 'fork-ipc', ...words),
      nodePeer(at.places, 'message-port', ...words),
      cpythonPeer(at.places, 'queue-latency', 'fork', ...words),
    ];
  },
};

const pipe: BenchCase = {
  suite: 'multiprocessing',
  name: 'pipe.latency',
  about: 'bytes through a Connection, one way, blocking',
  unit: 'ns',
  better: 'lower',
  variants: [
    { bytes: 64, wait: 'sync', cores: 1 },
    { bytes: 1_048_576, wait: 'sync', cores: 1 },
  ],
  smoke: [{ bytes: 64, wait: 'sync', cores: 1 }],
  product: (at) =>
    pinned(at, 100, 1000, (...words) => product(at.places, 'pipe-latency', ...words)),
  floor: floorFor,
  peers: (at) => {
    const bytes = Number(at.params['bytes']);
    const words = ['--rounds', sized(at, 100, 1000), '--bytes', bytes];
    return [cpythonPeer(at.places, 'pipe-latency', 'fork', ...words)];
  },
};

export const HAND_OFF_CASES: readonly BenchCase[] = [queue, pipe];
