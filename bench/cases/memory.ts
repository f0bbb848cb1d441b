/** Managed memory: what an allocation costs, and what it wastes. */
import { type BenchCase, type Contender, isMissing, type Situation } from '../runner/types.ts';
import { floor, nativeProgram, pinning, sized } from './commands.ts';

const SIZES = [64, 4096, 65_536];

/** Two compare-and-swaps: what taking and giving back shared memory can't come under. */
const atomicFloor = (at: Situation): Contender =>
  floor(at.places, 'atomic-pair', '--rounds', sized(at, 100, 1000));

function memory(at: Situation, kind: string, ...more: readonly (string | number)[]) {
  const words = ['--bytes', Number(at.params['bytes']), ...more, '--rounds', sized(at, 10, 200)];
  return nativeProgram(at.places, 'memory', kind, ...words);
}

const pair: BenchCase = {
  suite: 'core',
  name: 'memory.pair',
  about: 'allocate and free in one process',
  unit: 'ns',
  better: 'lower',
  variants: SIZES.map((bytes) => ({ bytes })),
  smoke: [{ bytes: 64 }],
  product: (at) => memory(at, 'pair'),
  floor: atomicFloor,
  peers: (at) => {
    const words = ['--bytes', Number(at.params['bytes']), '--rounds', sized(at, 100, 1000)];
    return [{ name: 'malloc', program: nativeProgram(at.places, 'floors', 'malloc', ...words) }];
  },
};

const rate: BenchCase = {
  suite: 'core',
  name: 'memory.rate',
  about: 'allocations freed in a second by two processes at the same time',
  unit: '1/s',
  better: 'higher',
  variants: SIZES.map((bytes) => ({ bytes, cores: 2 })),
  smoke: [{ bytes: 64, cores: 2 }],
  product: (at) => rateOf(at, 2),
  references: (at) => [{ name: 'self.one-process', program: rateOf(at, 1) }],
};

function rateOf(at: Situation, processes: number) {
  const cpus = pinning(at);
  return isMissing(cpus) ? cpus : memory(at, 'rate', '--processes', processes, ...cpus);
}

const handover: BenchCase = {
  suite: 'core',
  name: 'memory.handover',
  about: 'allocated in one process and freed in another',
  unit: 'ns',
  better: 'lower',
  variants: SIZES.map((bytes) => ({ bytes, cores: 2 })),
  smoke: [{ bytes: 64, cores: 2 }],
  product: (at) => {
    const cpus = pinning(at);
    return isMissing(cpus) ? cpus : memory(at, 'handover', ...cpus);
  },
  floor: (at) => {
    const cpus = pinning(at);
    if (isMissing(cpus)) return { name: 'floor.shm-spin', program: cpus };
    return floor(at.places, 'shm-spin', '--rounds', sized(at, 200, 2000), ...cpus);
  },
};

const full: BenchCase = {
  suite: 'core',
  name: 'memory.full',
  about: 'free one block and allocate another in a pool that is 95 % full',
  unit: 'ns',
  better: 'lower',
  // 0: sizes from 64 bytes to 64 KiB, mixed.
  variants: [0, ...SIZES].map((bytes) => ({ bytes })),
  smoke: [{ bytes: 4096 }],
  product: (at) => memory(at, 'full'),
  floor: atomicFloor,
  peers: (at) => [{ name: 'malloc', program: memory(at, 'full', '--from', 'malloc') }],
};

const waste: BenchCase = {
  suite: 'core',
  name: 'memory.waste',
  about: 'the largest share of its block that an allocation of such a size leaves unused',
  unit: '%',
  better: 'lower',
  variants: [
    { from: 64, to: 65_536 },
    { from: 9, to: 63 },
  ],
  smoke: [{ from: 9, to: 63 }],
  product: ({ places, params }) => {
    const words = ['--from', Number(params['from']), '--to', Number(params['to'])];
    return nativeProgram(places, 'waste', 'sizes', ...words);
  },
};

/** How often the live bytes are replaced: sizes drift slower than blocks come and go. */
const TURNS: Readonly<Record<string, number>> = { uniform: 20, power: 16, drift: 40 };

const trace: BenchCase = {
  suite: 'core',
  name: 'memory.trace',
  about: 'the span of a pool over the most live bytes, half of the frees by another process',
  unit: 'x',
  better: 'lower',
  variants: Object.keys(TURNS).map((name) => ({ trace: name })),
  smoke: [{ trace: 'uniform' }],
  product: (at) => {
    const name = String(at.params['trace']);
    const words = ['--trace', name, '--live-mib', sized(at, 4, 32), '--turns', TURNS[name] ?? 0];
    return nativeProgram(at.places, 'waste', 'trace', ...words);
  },
};

export const MEMORY_CASES: readonly BenchCase[] = [pair, rate, handover, full, waste, trace];
