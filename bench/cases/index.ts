/** All cases of the kit, in the order in which they run and are listed. */
import type { BenchCase } from '../runner/types.ts';
import { CHANNEL_CASES } from './channels.ts';
import { HAND_OFF_CASES } from './hand-off.ts';
import { LOCK_CASES } from './locks.ts';
import { MEMORY_CASES } from './memory.ts';
import { MICRO_CASES } from './micro.ts';
import { PROOF_CASES } from './proof.ts';
import { RATE_CASES } from './rates.ts';
import { SCRIPT_CHANNEL_CASES } from './script-channels.ts';
import { START_CASES } from './start.ts';
import { WAIT_CASES } from './waits.ts';

export const CASES: readonly BenchCase[] = [
  ...START_CASES,
  ...HAND_OFF_CASES,
  ...RATE_CASES,
  ...CHANNEL_CASES,
  ...SCRIPT_CHANNEL_CASES,
  ...LOCK_CASES,
  ...MEMORY_CASES,
  ...WAIT_CASES,
  ...PROOF_CASES,
  ...MICRO_CASES,
];
