/** What goes between two nodes: links over the TCP fabric, each node a process on the loopback. */
import { type BenchCase, type Contender, isMissing, type Situation } from '../runner/types.ts';
import { floor, nativeProgram, pinning, sized } from './commands.ts';
import { pinned } from './pinned.ts';

const SMALL = 64;
const MIB = 1_048_576;
const LARGE = 64 * MIB;

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

/** Transfers on two processors, for the product and for the bare connection. */
function streamWords(at: Situation) {
  const cpus = pinning(at);
  if (isMissing(cpus)) return cpus;
  const bytes = Number(at.params['bytes']);
  const rounds = bytes > MIB ? sized(at, 1, 5) : sized(at, 5, 100);
  return ['--bytes', bytes, '--rounds', rounds, ...cpus];
}

const stream: BenchCase = {
  suite: 'multinode',
  name: 'links.stream',
  about: 'transfers from memory to memory, eight on the way, every byte read',
  unit: 'B/s',
  better: 'higher',
  variants: [
    { bytes: MIB, lang: 'c++', cores: 2 },
    { bytes: LARGE, lang: 'c++', cores: 2 },
  ],
  smoke: [{ bytes: MIB, lang: 'c++', cores: 2 }],
  product: (at) => {
    const words = streamWords(at);
    return isMissing(words) ? words : nativeProgram(at.places, 'nodes', 'stream', ...words);
  },
  floor: (at) => {
    const words = streamWords(at);
    if (isMissing(words)) return { name: 'floor.tcp-stream', program: words };
    return floor(at.places, 'tcp-stream', ...words);
  },
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
