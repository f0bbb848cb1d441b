/** What goes between two nodes: links over the TCP fabric, each node a process on the loopback. */
import { type BenchCase, type Contender, isMissing, type Situation } from '../runner/types.ts';
import { nativeProgram, pinning, sized } from './commands.ts';
import { pinned } from './pinned.ts';
import { STREAM_BYTES, streamOf, tcpStream } from './tcp-stream.ts';

const SMALL = 64;

function rawHandOff(at: Situation): Contender {
  const program = pinned(at, 200, 3000, (...words) =>
    nativeProgram(at.places, 'floors', 'tcp', ...words),
  );
  return { name: 'floor.tcp', program };
}

const latency: BenchCase = {
  suite: 'multinode',
  name: 'links.latency',
  about: 'a frame from one node to the other, blocking, one way',
  unit: 'ns',
  better: 'lower',
  variants: [
    { bytes: SMALL, wait: 'block', lang: 'c++', cores: 2 },
    { bytes: SMALL, wait: 'block', lang: 'c++', cores: 1 },
  ],
  smoke: [{ bytes: SMALL, wait: 'block', lang: 'c++', cores: 1 }],
  product: (at) =>
    pinned(at, 200, 3000, (...words) => nativeProgram(at.places, 'nodes', 'latency', ...words)),
  floor: rawHandOff,
};

const stream: BenchCase = {
  suite: 'multinode',
  name: 'links.stream',
  about: 'transfers from memory to memory, eight on the way, every byte read',
  unit: 'B/s',
  better: 'higher',
  variants: [
    { bytes: STREAM_BYTES.small, lang: 'c++', cores: 2 },
    { bytes: STREAM_BYTES.large, lang: 'c++', cores: 2 },
  ],
  smoke: [{ bytes: STREAM_BYTES.small, lang: 'c++', cores: 2 }],
  product: (at) => streamOf(at, 'nodes'),
  floor: tcpStream,
};

const rate: BenchCase = {
  suite: 'multinode',
  name: 'links.rate',
  about: 'frames of 64 bytes from one node to the other',
  unit: '1/s',
  better: 'higher',
  variants: [{ bytes: SMALL, lang: 'c++', cores: 2 }],
  smoke: [{ bytes: SMALL, lang: 'c++', cores: 2 }],
  product: (at) => {
    const cpus = pinning(at);
    if (isMissing(cpus)) return cpus;
    return nativeProgram(at.places, 'nodes', 'rate', '--rounds', sized(at, 1, 20), ...cpus);
  },
};

export const NODE_CASES: readonly BenchCase[] = [latency, stream, rate];
