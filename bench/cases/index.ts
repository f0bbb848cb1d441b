/** All cases of the kit, in the order in which they run and are listed. */
import type { BenchCase } from '../runner/types.ts';
import { CHANNEL_CASES } from './channels.ts';
import { LOCK_CASES } from './locks.ts';
import { MEMORY_CASES } from './memory.ts';
import { MICRO_CASES } from './micro.ts';
import { NODE_CASES } from './nodes.ts';
import { OBJECT_CASES } from './objects.ts';
import { POOL_CASES } from './pools.ts';
import { PROOF_CASES } from './proof.ts';
import { QUEUE_CASES } from './queues.ts';
import { REMOTE_CASES } from './remote.ts';
import { SCRIPT_CHANNEL_CASES } from './script-channels.ts';
import { START_CASES } from './start.ts';
import { USER_LOCK_CASES } from './user-locks.ts';
import { WAIT_CASES } from './waits.ts';

export const CASES: readonly BenchCase[] = [
  ...START_CASES,
  ...QUEUE_CASES,
  ...USER_LOCK_CASES,
  ...POOL_CASES,
  ...OBJECT_CASES,
  ...CHANNEL_CASES,
  ...SCRIPT_CHANNEL_CASES,
  ...LOCK_CASES,
  ...MEMORY_CASES,
  ...WAIT_CASES,
  ...NODE_CASES,
  ...REMOTE_CASES,
  ...PROOF_CASES,
  ...MICRO_CASES,
];
