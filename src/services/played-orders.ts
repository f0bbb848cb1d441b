/** What a test and its played launcher tell each other. */
import type { ExitStatus, SpawnRequest } from './index.ts';

export type Order =
  | { readonly kind: 'exited'; readonly pid: number; readonly status: ExitStatus }
  | { readonly kind: 'teardown'; readonly patienceMs: number };

export type Report =
  | { readonly kind: 'up' }
  | { readonly kind: 'spawn'; readonly pid: number; readonly request: SpawnRequest }
  | { readonly kind: 'signal'; readonly pid: number; readonly signal: number }
  | { readonly kind: 'halted' };

/** An id that no process of this machine has; spawned ones follow it. */
export const HEAD_PID = 2 ** 30;
