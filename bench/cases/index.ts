/** All cases of the kit, in the order in which they run and are listed. */
import type { BenchCase } from '../runner/types.ts';
import { HAND_OFF_CASES } from './hand-off.ts';
import { MICRO_CASES } from './micro.ts';
import { RATE_CASES } from './rates.ts';
import { START_CASES } from './start.ts';

export const CASES: readonly BenchCase[] = [
  ...START_CASES,
  ...HAND_OFF_CASES,
  ...RATE_CASES,
  ...MICRO_CASES,
];
