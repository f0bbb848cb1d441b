/** Channels of another node: two agents, two clients, TCP on the loopback. */
import { type BenchCase, type Contender, isMissing, type Situation } from '../runner/types.ts';
import { nativeProgram, pinning, sized } from './commands.ts';
import { pinned } from './pinned.ts';
import { STREAM_BYTES, streamOf, tcpStream } from './tcp-stream.ts';

const SMALL = 64;

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

const stream: BenchCase = {
  suite: 'multinode',
  name: 'channel.remote.stream',
  about: 'messages from pool to pool of another node, eight in flight, every byte read',
  unit: 'B/s',
  better: 'higher',
  variants: [
    { bytes: STREAM_BYTES.small, lang: 'c++', cores: 2 },
    { bytes: STREAM_BYTES.large, lang: 'c++', cores: 2 },
  ],
  smoke: [{ bytes: STREAM_BYTES.small, lang: 'c++', cores: 2 }],
  product: (at) => streamOf(at, 'remote'),
  floor: tcpStream,
};

export const REMOTE_CASES: readonly BenchCase[] = [latency, rate, stream];
