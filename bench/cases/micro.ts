/** Operations within one process from TypeScript, against the same work in C++. */
import type { BenchCase, Contender, Places, Situation } from '../runner/types.ts';
import { floor, product, sized } from './commands.ts';

function micro(
  operation: string,
  about: string,
  check: boolean,
  floorOf: (places: Places) => Contender,
): BenchCase {
  return {
    suite: 'core',
    name: `micro.${operation}`,
    about,
    unit: 'ns',
    better: 'lower',
    variants: [{ lang: 'ts' }],
    smoke: [{ lang: 'ts' }],
    product: (at: Situation) => {
      const words = ['--operation', operation, '--check', check ? 'yes' : 'no'];
      return product(at.places, 'micro', ...words, '--time', sized(at, 50, 500));
    },
    floor: ({ places }) => floorOf(places),
  };
}

export const MICRO_CASES: readonly BenchCase[] = [
  micro('channel', 'trySend and tryReceive of 64 bytes in one process', true, (places) =>
    floor(places, 'ring-pair', '--rounds', 200),
  ),
  micro('lock', 'tryAcquire and release of a core lock', true, (places) =>
    floor(places, 'mutex', '--rounds', 200),
  ),
  micro('user-lock', 'acquireSync and release of a Lock', false, (places) =>
    floor(places, 'mutex', '--rounds', 200),
  ),
];
