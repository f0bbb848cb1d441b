/**
 * The state of local services, the events that change it and the effects they ask for.
 *
 * Local services carry out on one node what global services decide. Non-goals: no behaviour
 * beyond a fresh state; that is step.ts.
 */

import type { LogLevel } from '../global/state.ts';
import type { Event, Message, Reply, Sender } from '../messages/index.ts';
import type { ExitStatus } from './spawner.ts';

export const SIGTERM = 15;
export const SIGKILL = 9;

/** How long a process whose start has failed may take to end by itself. */
export const FAILED_START_PATIENCE_MS = 2000;

/** How long after SIGKILL the teardown waits for ends to be reported. */
export const LAST_PATIENCE_MS = 1000;

export interface LocalProcess {
  readonly puid: bigint;
  /** Whether a target function runs in it, so that it tells when it has started. */
  readonly scripted: boolean;
  /** Whether it has told that it has started. */
  started: boolean;
  /** The creation's tag until it is answered. */
  createTag: number | undefined;
  pid: number | undefined;
  /** The signal to send as soon as there is a pid. */
  pendingSignal: number | undefined;
  /** What the start failed with. */
  startError: Uint8Array | undefined;
  /** What the target threw. */
  error: Uint8Array | undefined;
  /** The timer that will kill it, by id. */
  killTimer: number | undefined;
}

/** What local services need to know to start a process; the shell adds its own part. */
export interface SpawnEffect {
  readonly kind: 'spawn';
  readonly puid: bigint;
  readonly exe: string | undefined;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly stdio: readonly string[];
  /** Runs the target instead of the run's interpreter. */
  readonly interpreter: string | undefined;
  /** What the start channel is to hold; absent for an executable. */
  readonly start: Uint8Array | undefined;
}

export interface LocalState {
  readonly nodeId: number;
  phase: 'up' | 'halting' | 'halted';
  readonly processes: Map<bigint, LocalProcess>;
  readonly puidOfPid: Map<number, bigint>;
  /** Spawns whose outcome is not known, and exits that may belong to them. */
  spawning: number;
  readonly earlyExits: Map<number, ExitStatus>;
  /** Actors that are attached, by process id. */
  readonly actors: Map<number, Set<number>>;
  nextTimer: number;
  readonly killTimers: Map<number, bigint>;
  teardownTimer: number | undefined;
  /** Whether the teardown has sent SIGKILL to all. */
  killedAll: boolean;
  invalidMessages: number;
}

export type LocalEvent =
  | { readonly kind: 'message'; readonly message: Message; readonly nowMs: number }
  | { readonly kind: 'unreadable'; readonly what: string; readonly sender: Sender | undefined }
  | { readonly kind: 'timer'; readonly id: number; readonly nowMs: number }
  /** A process that the launcher has started itself. */
  | { readonly kind: 'adopt'; readonly puid: bigint; readonly pid: number }
  | { readonly kind: 'spawned'; readonly puid: bigint; readonly pid: number }
  | {
      readonly kind: 'spawn-failed';
      readonly puid: bigint;
      readonly status: number;
      readonly info: string;
    }
  | { readonly kind: 'exit'; readonly pid: number; readonly status: ExitStatus }
  | { readonly kind: 'actor'; readonly actorId: number; readonly pid: number }
  | { readonly kind: 'actor-dead'; readonly actorId: number; readonly pid: number };

export type LocalEffect =
  | { readonly kind: 'send'; readonly message: Reply | Event }
  | SpawnEffect
  /** The start channel of a process is no longer needed. */
  | { readonly kind: 'end-start'; readonly puid: bigint }
  | { readonly kind: 'signal'; readonly pid: number; readonly signal: number }
  | { readonly kind: 'reclaim'; readonly actorId: number }
  | { readonly kind: 'timer'; readonly id: number; readonly atMs: number }
  | { readonly kind: 'clear-timer'; readonly id: number }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly text: string };

/** One step in progress: the state, and what the step has asked for so far. */
export interface LocalStep {
  readonly state: LocalState;
  readonly effects: LocalEffect[];
  readonly nowMs: number;
}

export function localState(nodeId: number): LocalState {
  return {
    nodeId,
    phase: 'up',
    processes: new Map(),
    puidOfPid: new Map(),
    spawning: 0,
    earlyExits: new Map(),
    actors: new Map(),
    nextTimer: 1,
    killTimers: new Map(),
    teardownTimer: undefined,
    killedAll: false,
    invalidMessages: 0,
  };
}
