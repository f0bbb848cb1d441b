/** Channels from C++. */
import { type BenchCase, type Contender, isMissing, type Situation } from '../runner/types.ts';
import { nativeProgram, pinning, sized } from './commands.ts';
import { floorFor, pinned } from './pinned.ts';

const SMALL = 64;

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

export const CHANNEL_CASES: readonly BenchCase[] = [latency];
