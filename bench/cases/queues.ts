/** Queues and pipes between two processes: one way, streams, and arrays that nobody copies. */
import { type BenchCase, type Contender, isMissing, type Situation } from '../runner/types.ts';
import { cpythonPeer, floor, nodePeer, packagePeer, pinning, product, sized } from './commands.ts';
import { floorFor, pinned } from './pinned.ts';

const SUITE = 'multiprocessing';
const SMALL = 8;
const LARGE = 1_048_576;

function latencyPeers(at: Situation): readonly Contender[] {
  const words = ['--rounds', sized(at, 200, 2000), '--bytes', 64];
  return [
    nodePeer(at.places, 'fork-ipc', ...words),
    nodePeer(at.places, 'message-port', ...words),
    packagePeer(at.places, 'zeromq', 'zeromq', ...words),
    cpythonPeer(at.places, 'queue-latency', 'fork', ...words),
    cpythonPeer(at.places, 'queue-latency', 'spawn', ...words),
  ];
}

const latency: BenchCase = {
  suite: SUITE,
  name: 'queue.latency',
  about: 'an item of bytes through a Queue, one way',
  unit: 'ns',
  better: 'lower',
  variants: [
    { bytes: 64, wait: 'spin', cores: 2 },
    { bytes: 64, wait: 'sync', cores: 2 },
    { bytes: 64, wait: 'sync', cores: 1 },
    { bytes: 64, wait: 'async', cores: 2 },
    { bytes: 64, wait: 'async', cores: 1 },
  ],
  smoke: [{ bytes: 64, wait: 'sync', cores: 1 }],
  product: (at) =>
    pinned(at, 200, 5000, (...words) => product(at.places, 'queue-latency', ...words)),
  floor: floorFor,
  peers: latencyPeers,
};

const pipeLatency: BenchCase = {
  suite: SUITE,
  name: 'pipe.latency',
  about: 'bytes through a Connection, one way, blocking',
  unit: 'ns',
  better: 'lower',
  variants: [
    { bytes: 64, wait: 'sync', cores: 1 },
    { bytes: LARGE, wait: 'sync', cores: 1 },
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

type Words = readonly (string | number)[];

/** What other programs stream messages of `bytes` through. */
function streamPeers(at: Situation, over: string, words: Words): readonly Contender[] {
  return [
    nodePeer(at.places, 'fork-ipc-stream', ...words),
    packagePeer(at.places, 'zeromq', 'zeromq', '--kind', 'stream', ...words),
    cpythonPeer(at.places, `${over}-stream`, 'fork', ...words),
  ];
}

/** Small messages one way, each put by a call of its own or `many` by one. */
function stream(over: 'queue' | 'pipe', forms: readonly string[]): BenchCase {
  // So many that an engine has compiled what it runs for each of them.
  const words = (at: Situation): Words => {
    return ['--count', sized(at, 20_000, 50_000), '--rounds', sized(at, 2, 5), '--bytes', SMALL];
  };
  return {
    suite: SUITE,
    name: `${over}.stream`,
    about: `messages of 8 bytes one way through a ${over === 'queue' ? 'Queue' : 'Connection'}`,
    unit: '1/s',
    better: 'higher',
    variants: forms.map((form) => ({ bytes: SMALL, form })),
    smoke: over === 'queue' ? [{ bytes: SMALL, form: 'one' }] : [],
    product: (at) => {
      const form = String(at.params['form']);
      return product(at.places, 'queue-stream', '--over', over, '--form', form, ...words(at));
    },
    floor: ({ places }) => floor(places, 'ring', '--rounds', 3),
    peers: (at) => [
      ...streamPeers(at, over, words(at)),
      nodePeer(at.places, 'message-port-stream', '--rounds', sized(at, 5, 50)),
    ],
  };
}

/**
 * Large messages one way, whose receiver reads every byte, as that of the floor does, and gives
 * each back or leaves it to the collector.
 */
function copy(over: 'queue' | 'pipe'): BenchCase {
  const words = (at: Situation, full: number): Words => {
    return ['--count', sized(at, 20, full), '--rounds', sized(at, 1, 5), '--bytes', LARGE];
  };
  return {
    suite: SUITE,
    name: `${over}.copy`,
    about: `1 MiB one way through a ${over === 'queue' ? 'Queue' : 'Connection'}, all of it read`,
    unit: 'B/s',
    better: 'higher',
    variants: [
      { bytes: LARGE, release: 'yes' },
      { bytes: LARGE, release: 'no' },
    ],
    smoke: [],
    product: (at) => {
      const how = ['--release', String(at.params['release'])];
      // So many that the engine has compiled what it runs for each, on the same cores, before.
      const warm = words(at, 3000);
      return product(at.places, 'queue-stream', '--over', over, ...how, ...warm);
    },
    floor: (at) => {
      const cpus = pinning({ ...at, params: { cores: 2 } });
      if (isMissing(cpus)) return { name: 'floor.stream', program: cpus };
      return floor(at.places, 'stream', '--bytes', LARGE, '--rounds', sized(at, 20, 500), ...cpus);
    },
    peers: (at) => streamPeers(at, over, words(at, 300)),
  };
}

function taken(at: Situation, bytes: number) {
  return product(at.places, 'queue-array', '--rounds', sized(at, 20, 200), '--bytes', bytes);
}

const array: BenchCase = {
  suite: SUITE,
  name: 'queue.array',
  about: 'taking a Float64Array of 1 MiB out of a Queue, once it is there',
  unit: 'ns',
  better: 'lower',
  variants: [{ bytes: LARGE }],
  smoke: [{ bytes: LARGE }],
  product: (at) => taken(at, LARGE),
  references: (at) => [{ name: 'self.64-kib', program: taken(at, 65_536) }],
};

export const QUEUE_CASES: readonly BenchCase[] = [
  latency,
  pipeLatency,
  stream('queue', ['one', 'many']),
  stream('pipe', ['one']),
  copy('queue'),
  copy('pipe'),
  array,
];
