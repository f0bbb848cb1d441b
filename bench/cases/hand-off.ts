/** One way between two processes, pinned, against the raw hand-off of the same pinning. */
import {
  type BenchCase,
  type Contender,
  isMissing,
  type Missing,
  type Program,
  type Situation,
} from '../runner/types.ts';
import {
  cpythonPeer,
  floor,
  nativeProgram,
  nodePeer,
  pinning,
  product,
  sized,
} from './commands.ts';

type Words = readonly (string | number)[];

/** The words of a hand-off case, or why it can't be measured here. */
function pinned(
  at: Situation,
  smoke: number,
  full: number,
  make: (...words: Words) => Program,
): Program | Missing {
  const cpus = pinning(at);
  if (isMissing(cpus)) return cpus;
  const { bytes = 64, wait = 'block' } = at.params;
  const sizes = ['--rounds', sized(at, smoke, full), '--bytes', Number(bytes)];
  return make(...sizes, '--wait', String(wait), ...cpus);
}

/** The raw hand-off that waits in the way of the case. */
function handOffFloor(at: Situation, name: string): Contender {
  const words = ['--rounds', sized(at, 200, 2000)];
  const cpus = pinning(at);
  if (isMissing(cpus)) return { name: `floor.${name}`, program: cpus };
  return floor(at.places, name, ...words, ...cpus);
}

const floorOfWait: Readonly<Record<string, string>> = {
  spin: 'shm-spin',
  block: 'futex',
  sync: 'futex',
  async: 'eventfd',
};

const floorFor = (at: Situation): Contender =>
  handOffFloor(at, floorOfWait[String(at.params['wait'])] ?? 'futex');

const channelNative: BenchCase = {
  suite: 'core',
  name: 'channel.latency',
  about: 'a message through a channel from C++, one way',
  unit: 'ns',
  better: 'lower',
  variants: [
    { bytes: 64, wait: 'spin', lang: 'c++', cores: 2 },
    { bytes: 64, wait: 'block', lang: 'c++', cores: 2 },
    { bytes: 64, wait: 'block', lang: 'c++', cores: 1 },
  ],
  smoke: [
    { bytes: 64, wait: 'spin', lang: 'c++', cores: 2 },
    { bytes: 64, wait: 'block', lang: 'c++', cores: 1 },
  ],
  product: (at) =>
    pinned(at, 200, 5000, (...words) => nativeProgram(at.places, 'channels', 'latency', ...words)),
  floor: floorFor,
};

const channelScript: BenchCase = {
  suite: 'core',
  name: 'channel.latency.ts',
  about: 'a message through a channel from TypeScript, one way',
  unit: 'ns',
  better: 'lower',
  variants: [
    { bytes: 64, wait: 'spin', lang: 'ts', cores: 2 },
    { bytes: 64, wait: 'block', lang: 'ts', cores: 1 },
    { bytes: 64, wait: 'async', lang: 'ts', cores: 1 },
  ],
  smoke: [{ bytes: 64, wait: 'async', lang: 'ts', cores: 1 }],
  product: (at) =>
    pinned(at, 200, 5000, (...words) => product(at.places, 'channel-latency', ...words)),
  floor: floorFor,
};

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

export const HAND_OFF_CASES: readonly BenchCase[] = [channelNative, channelScript, queue, pipe];
