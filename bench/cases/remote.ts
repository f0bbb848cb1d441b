/** Channels of another node: two agents, two clients, TCP on the loopback. */
import { type BenchCase, type Contender, isMissing, type Situation } from '../runner/types.ts';
import { floor, nativeProgram, pinning, sized } from './commands.ts';
import { pinned } from './pinned.ts';

const SMALL = 64;
const MIB = 1_048_576;
const LARGE = 64 * MIB;

/** Four processes that pass a ring on: what a message can't do without. */
function chain(at: Situation): Contender {
  const program = pinned(at, 200, 3000, (...words) =>
    nativeProgram(at.places, 'remote', 'floor', ...words),
  );
  return { name: 'floor.remote-chain', program };
}

const latency: BenchCase = {
  suite: 'multinode',
  name: 'channel.remote.latency',
  about: 'a message to a channel of another node, blocking, one way',
  unit: 'ns',
  better: 'lower',
  variants: [
    { bytes: SMALL, wait: 'block', lang: 'c++', cores: 2 },
    { bytes: SMALL, wait: 'block', lang: 'c++', cores: 1 },
  ],
  smoke: [{ bytes: SMALL, wait: 'block', lang: 'c++', cores: 1 }],
  product: (at) =>
    pinned(at, 200, 3000, (...words) => nativeProgram(at.places, 'remote', 'latency', ...words)),
  floor: chain,
};

const rate: BenchCase = {
  suite: 'multinode',
  name: 'channel.remote.rate',
  about: 'messages of 64 bytes to a channel of another node, 64 in flight',
  unit: '1/s',
  better: 'higher',
  variants: [{ bytes: SMALL, lang: 'c++', cores: 2 }],
  smoke: [{ bytes: SMALL, lang: 'c++', cores: 2 }],
  product: (at) => {
    const cpus = pinning(at);
    if (isMissing(cpus)) return cpus;
    const words = ['--bytes', SMALL, '--rounds', sized(at, 1, 20), ...cpus];
    return nativeProgram(at.places, 'remote', 'rate', ...words);
  },
};

/** Messages on two processors, for the product and for the bare connection. */
function streamWords(at: Situation) {
  const cpus = pinning(at);
  if (isMissing(cpus)) return cpus;
  const bytes = Number(at.params['bytes']);
  const rounds = bytes > MIB ? sized(at, 1, 5) : sized(at, 5, 100);
  return ['--bytes', bytes, '--rounds', rounds, ...cpus];
}

const stream: BenchCase = {
  suite: 'multinode',
  name: 'channel.remote.stream',
  about: 'messages from pool to pool of another node, eight in flight, every byte read',
  unit: 'B/s',
  better: 'higher',
  variants: [
    { bytes: MIB, lang: 'c++', cores: 2 },
    { bytes: LARGE, lang: 'c++', cores: 2 },
  ],
  smoke: [{ bytes: MIB, lang: 'c++', cores: 2 }],
  product: (at) => {
    const words = streamWords(at);
    return isMissing(words) ? words : nativeProgram(at.places, 'remote', 'stream', ...words);
  },
  floor: (at) => {
    const words = streamWords(at);
    if (isMissing(words)) return { name: 'floor.tcp-stream', program: words };
    return floor(at.places, 'tcp-stream', ...words);
  },
};

export const REMOTE_CASES: readonly BenchCase[] = [latency, rate, stream];
