/** Channels from TypeScript: one way, woken by the event loop, and in batches. */
import type { BenchCase, Situation } from '../runner/types.ts';
import { floor, nodePeer, product, sized } from './commands.ts';
import { floorFor, pinned } from './pinned.ts';

const peers = (at: Situation) => {
  const words = ['--rounds', sized(at, 200, 2000), '--bytes', 64];
  return [nodePeer(at.places, 'message-port', ...words), nodePeer(at.places, 'fork-ipc', ...words)];
};

const latency: BenchCase = {
  suite: 'core',
  name: 'channel.latency.ts',
  about: 'a message through a channel from TypeScript, one way',
  unit: 'ns',
  better: 'lower',
  variants: [
    { bytes: 64, wait: 'spin', lang: 'ts', cores: 2 },
    { bytes: 64, wait: 'block', lang: 'ts', cores: 1 },
  ],
  smoke: [{ bytes: 64, wait: 'spin', lang: 'ts', cores: 2 }],
  product: (at) =>
    pinned(at, 200, 20_000, (...words) => product(at.places, 'channel-latency', ...words)),
  floor: floorFor,
  peers,
};

const wake: BenchCase = {
  suite: 'core',
  name: 'channel.wake',
  about: 'a message that an event loop awaits, one way',
  unit: 'ns',
  better: 'lower',
  variants: [
    { bytes: 64, wait: 'async', lang: 'ts', cores: 2 },
    { bytes: 64, wait: 'async', lang: 'ts', cores: 1 },
  ],
  smoke: [{ bytes: 64, wait: 'async', lang: 'ts', cores: 1 }],
  product: (at) =>
    pinned(at, 200, 5000, (...words) => product(at.places, 'channel-latency', ...words)),
  floor: floorFor,
  peers,
};

const rate: BenchCase = {
  suite: 'core',
  name: 'channel.rate.ts',
  about: 'messages of 64 bytes from TypeScript, 64 in a batch, all processes together',
  unit: '1/s',
  better: 'higher',
  variants: [
    { producers: 1, consumers: 1, lang: 'ts', form: 'packed' },
    { producers: 2, consumers: 2, lang: 'ts', form: 'packed' },
    { producers: 4, consumers: 4, lang: 'ts', form: 'packed' },
    { producers: 1, consumers: 1, lang: 'ts', form: 'messages' },
  ],
  smoke: [{ producers: 1, consumers: 1, lang: 'ts', form: 'packed' }],
  product: (at) => {
    const { producers, consumers, form } = at.params;
    const sides = ['--senders', Number(producers), '--receivers', Number(consumers)];
    const words = [
      ...sides,
      '--batch',
      64,
      '--form',
      String(form),
      '--count',
      sized(at, 20_000, 200_000),
    ];
    return product(at.places, 'channel-rate', ...words, '--rounds', sized(at, 2, 7));
  },
  floor: (at) => {
    const { producers, consumers } = at.params;
    const sides = ['--producers', Number(producers), '--consumers', Number(consumers)];
    return floor(at.places, 'ring', ...sides, '--rounds', sized(at, 2, 20));
  },
  peers: (at) => [nodePeer(at.places, 'message-port-stream', '--rounds', sized(at, 5, 50))],
};

export const SCRIPT_CHANNEL_CASES: readonly BenchCase[] = [latency, wake, rate];
