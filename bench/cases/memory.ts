/** Managed memory: what an allocation wastes. */
import type { BenchCase } from '../runner/types.ts';
import { nativeProgram, sized } from './commands.ts';

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

export const MEMORY_CASES: readonly BenchCase[] = [waste, trace];
