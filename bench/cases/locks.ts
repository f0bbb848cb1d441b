/** Locks, and many processes on few processors. */
import { type BenchCase, isMissing, type Situation } from '../runner/types.ts';
import { nativeProgram, pinning, sized } from './commands.ts';

const pair: BenchCase = {
  suite: 'core',
  name: 'lock.pair',
  about: 'lock and unlock of a robust lock that nobody else wants',
  unit: 'ns',
  better: 'lower',
  variants: [{}],
  smoke: [{}],
  product: (at) => locked(at, 'dragon'),
  floor: (at) => ({ name: 'floor.mutex', program: locked(at, 'plain') }),
  peers: (at) => [{ name: 'pthread.robust', program: locked(at, 'robust') }],
};

function locked(at: Situation, lock: string) {
  const words = ['--lock', lock, '--rounds', sized(at, 100, 1000)];
  return nativeProgram(at.places, 'locks', 'pair', ...words);
}

const contended: BenchCase = {
  suite: 'core',
  name: 'lock.contended',
  about: 'lock and unlock of a robust lock that two processes want all the time',
  unit: 'ns',
  better: 'lower',
  variants: [{ processes: 2, cores: 2 }],
  smoke: [{ processes: 2, cores: 2 }],
  product: (at) => contendedBy(at, 'dragon'),
  floor: (at) => ({ name: 'floor.mutex', program: contendedBy(at, 'plain') }),
  peers: (at) => [{ name: 'pthread.robust', program: contendedBy(at, 'robust') }],
};

function contendedBy(at: Situation, lock: string) {
  const cpus = pinning(at);
  if (isMissing(cpus)) return cpus;
  const words = ['--lock', lock, '--rounds', sized(at, 5, 60), ...cpus];
  return nativeProgram(at.places, 'locks', 'contend', ...words);
}

const longestWait: BenchCase = {
  suite: 'core',
  name: 'lock.longest-wait',
  about: 'the longest wait of one of eight processes that want a lock all the time',
  unit: 'ns',
  better: 'lower',
  variants: [{ contenders: 8 }],
  smoke: [],
  product: (at) => longestWaitOf(at, 'dragon'),
  peers: (at) => [{ name: 'pthread.mutex', program: longestWaitOf(at, 'plain') }],
};

function longestWaitOf({ places }: Situation, lock: string) {
  const words = ['--lock', lock, '--contenders', 8, '--rounds', 3, '--ms', 200];
  return nativeProgram(places, 'locks', 'wait', ...words);
}

const PAIRS = [{ pairs: 4 }, { pairs: 16 }];

/** Ping-pong pairs over channels or, beside them, over pipes; twice as many processes. */
function pairs(at: Situation, over: string, ...more: readonly string[]) {
  const cpus = pinning({ ...at, params: { cores: 2 } });
  if (isMissing(cpus)) return cpus;
  const words = ['--pairs', Number(at.params['pairs']), '--over', over, '--ms', sized(at, 50, 600)];
  return nativeProgram(at.places, 'pairs', ...words, ...more, ...cpus);
}

const beside = (at: Situation, ...more: readonly string[]) =>
  ['pipe', 'socket'].map((name) => ({ name, program: pairs(at, name, ...more) }));

const pairRate: BenchCase = {
  suite: 'core',
  name: 'pairs.rate',
  about: 'round trips a second of many pairs of processes on two processors',
  unit: '1/s',
  better: 'higher',
  variants: PAIRS,
  smoke: [{ pairs: 4 }],
  product: (at) => pairs(at, 'channel'),
  peers: (at) => beside(at),
};

const pairTail: BenchCase = {
  suite: 'core',
  name: 'pairs.p99',
  about: 'the 99th percentile of the round trips of many pairs on two processors',
  unit: 'ns',
  better: 'lower',
  variants: PAIRS,
  smoke: [],
  product: (at) => pairs(at, 'channel', '--report', 'p99'),
  peers: (at) => beside(at, '--report', 'p99'),
};

export const LOCK_CASES: readonly BenchCase[] = [pair, contended, longestWait, pairRate, pairTail];
