/** Channels from C++: one way, rates, large messages, and what a channel costs. */
import { type BenchCase, type Contender, isMissing, type Situation } from '../runner/types.ts';
import { floor, nativeProgram, pinning, sized } from './commands.ts';
import { floorFor, handOffFloor, pinned } from './pinned.ts';

const SMALL = 64;
const LARGE = 4_194_304;
const COPIED = 1_048_576;

/** What people use between two processes who have no channel. */
function kernelPeers(at: Situation): readonly Contender[] {
  if (at.params['wait'] !== 'block') return [];
  const cpus = pinning(at);
  return ['pipe', 'socket', 'mq'].map((name) => ({
    name,
    program: isMissing(cpus)
      ? cpus
      : nativeProgram(at.places, 'floors', name, '--rounds', sized(at, 200, 3000), ...cpus),
  }));
}

const latency: BenchCase = {
  suite: 'core',
  name: 'channel.latency',
  about: 'a message through a channel from C++, one way',
  unit: 'ns',
  better: 'lower',
  variants: [
    { bytes: SMALL, wait: 'spin', lang: 'c++', cores: 2 },
    { bytes: SMALL, wait: 'block', lang: 'c++', cores: 2 },
    { bytes: SMALL, wait: 'block', lang: 'c++', cores: 1 },
  ],
  smoke: [
    { bytes: SMALL, wait: 'spin', lang: 'c++', cores: 2 },
    { bytes: SMALL, wait: 'block', lang: 'c++', cores: 1 },
  ],
  product: (at) =>
    pinned(at, 200, 5000, (...words) => nativeProgram(at.places, 'channels', 'latency', ...words)),
  floor: floorFor,
  peers: kernelPeers,
};

const sides = ({ params }: Situation) => [
  '--producers',
  Number(params['producers']),
  '--consumers',
  Number(params['consumers']),
];

const rate: BenchCase = {
  suite: 'core',
  name: 'channel.rate',
  about: 'messages of 64 bytes through one channel from C++, all processes together',
  unit: '1/s',
  better: 'higher',
  variants: [
    { producers: 1, consumers: 1, lang: 'c++' },
    { producers: 2, consumers: 2, lang: 'c++' },
    { producers: 4, consumers: 4, lang: 'c++' },
  ],
  smoke: [{ producers: 1, consumers: 1, lang: 'c++' }],
  product: (at) => {
    const words = [...sides(at), '--rounds', sized(at, 2, 20)];
    return nativeProgram(at.places, 'channels', 'rate', ...words);
  },
  floor: (at) => floor(at.places, 'ring', ...sides(at), '--rounds', sized(at, 2, 20)),
};

/** The hand-off of a pool message of `bytes`, whose memory is touched by nobody. */
function large(at: Situation, bytes: number, ...more: readonly string[]) {
  const cpus = pinning(at);
  if (isMissing(cpus)) return cpus;
  const words = ['--bytes', bytes, '--rounds', sized(at, 100, 2000), ...more, ...cpus];
  return nativeProgram(at.places, 'channels', 'large', ...words);
}

const largeMessage: BenchCase = {
  suite: 'core',
  name: 'channel.large',
  about: 'the same allocation of 4 MiB to and fro as a message, spinning, one way',
  unit: 'ns',
  better: 'lower',
  variants: [{ bytes: LARGE, cores: 2 }],
  smoke: [{ bytes: LARGE, cores: 2 }],
  product: (at) => large(at, LARGE),
  floor: (at) => handOffFloor(at, 'shm-spin'),
  references: (at) => [{ name: 'self.64-bytes', program: large(at, SMALL) }],
};

const freshMessage: BenchCase = {
  ...largeMessage,
  name: 'channel.large.fresh',
  about: 'the same with an allocation made for each message and freed by its receiver',
  smoke: [],
  product: (at) => large(at, LARGE, '--allocate', 'each'),
  references: (at) => [{ name: 'self.64-bytes', program: large(at, SMALL, '--allocate', 'each') }],
};

/** 1 MiB from hand to hand, pinned, for the product and for the ring. */
function copied(at: Situation) {
  const cpus = pinning(at);
  if (isMissing(cpus)) return cpus;
  return ['--bytes', COPIED, '--rounds', sized(at, 20, 500), ...cpus];
}

const copy: BenchCase = {
  suite: 'core',
  name: 'channel.copy',
  about: '1 MiB by copy, of which the receiver reads every byte',
  unit: 'B/s',
  better: 'higher',
  variants: [{ bytes: COPIED, cores: 2 }],
  smoke: [{ bytes: COPIED, cores: 2 }],
  product: (at) => {
    const words = copied(at);
    return isMissing(words) ? words : nativeProgram(at.places, 'channels', 'copy', ...words);
  },
  floor: (at) => {
    const words = copied(at);
    if (isMissing(words)) return { name: 'floor.stream', program: words };
    return floor(at.places, 'stream', ...words);
  },
};

const create: BenchCase = {
  suite: 'core',
  name: 'channel.create',
  about: 'a default channel created and destroyed',
  unit: 'ns',
  better: 'lower',
  variants: [{}],
  smoke: [{}],
  product: (at) => nativeProgram(at.places, 'channels', 'create', '--rounds', sized(at, 20, 500)),
  floor: (at) => floor(at.places, 'atomic-pair', '--rounds', sized(at, 100, 1000)),
};

const idle: BenchCase = {
  suite: 'core',
  name: 'channel.idle',
  about: 'memory of the pool that an idle default channel costs',
  unit: 'B',
  better: 'lower',
  variants: [{}],
  smoke: [{}],
  product: (at) => nativeProgram(at.places, 'channels', 'idle'),
};

export const CHANNEL_CASES: readonly BenchCase[] = [
  latency,
  rate,
  largeMessage,
  freshMessage,
  copy,
  create,
  idle,
];
