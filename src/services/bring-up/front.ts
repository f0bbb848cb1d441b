/**
 * The front end of a run on several nodes: state, events, effects, and the step.
 *
 * Non-goals: the rules themselves (front-table.ts), and what signals mean, which the launcher
 * decides; it asks for an end.
 */
import type { FrontBegin, FrontOrder, NodePart, NodeTrouble } from '../messages/index.ts';
import { frontRows } from './front-table.ts';
import { rowFor } from './table.ts';

export type FrontPhase =
  | 'idle'
  | 'launching'
  | 'connecting'
  | 'preparing'
  | 'linking'
  | 'starting-global'
  | 'starting-head'
  | 'running'
  | 'ending'
  | 'unlinking'
  | 'leaving'
  | 'closing'
  | 'over';

export interface FrontState {
  readonly count: number;
  phase: FrontPhase;
  /** The number of the newest phase of the overlay. */
  newest: number;
  /** Addresses of the back ends that are up. */
  readonly addresses: Map<number, string>;
  /** Back ends whose process has ended. */
  readonly exited: Set<number>;
  /** Nodes of which people have been told that something is wrong. */
  readonly told: Set<number>;
  exitCode: number | undefined;
}

/** How a phase of the overlay has ended. */
export interface Outcome {
  readonly phase: number;
  readonly down: readonly number[];
  readonly missing: readonly number[];
  readonly parts: readonly NodePart[];
}

export type FrontEvent =
  | { readonly kind: 'begin' }
  | { readonly kind: 'back-end-up'; readonly nodeId: number; readonly address: string }
  | { readonly kind: 'back-end-exit'; readonly nodeId: number; readonly how: string }
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | {
      readonly kind: 'answer';
      readonly what: FrontOrder['what'];
      readonly err: number;
      readonly info?: string | undefined;
    }
  | { readonly kind: 'head-exit'; readonly code: number }
  | {
      readonly kind: 'trouble';
      readonly nodeId: number;
      readonly service: NodeTrouble['service'];
      readonly text: string;
    }
  | { readonly kind: 'node-lost'; readonly nodeId: number }
  | { readonly kind: 'primary-lost' }
  /** Somebody wants the run to end, with this exit code. */
  | { readonly kind: 'end'; readonly exitCode: number }
  | { readonly kind: 'timer' };

export type FrontEffect =
  | { readonly kind: 'launch' }
  | { readonly kind: 'tell-primary'; readonly message: FrontBegin | FrontOrder }
  /** Ends the back ends that are left, by force. */
  | { readonly kind: 'kill' }
  | { readonly kind: 'say'; readonly text: string }
  /** Replaces the timer that runs. */
  | { readonly kind: 'timer'; readonly afterMs: number }
  | { readonly kind: 'exit'; readonly code: number };

export interface FrontStep {
  readonly state: FrontState;
  readonly effects: FrontEffect[];
}

export function frontState(count: number): FrontState {
  return {
    count,
    phase: 'idle',
    newest: 0,
    addresses: new Map(),
    exited: new Set(),
    told: new Set(),
    exitCode: undefined,
  };
}

/** `taken` hears which row of the table was taken. */
export function step(
  state: FrontState,
  event: FrontEvent,
  taken?: (row: string) => void,
): FrontEffect[] {
  const effects: FrontEffect[] = [];
  const now: FrontStep = { state, effects };
  const row = rowFor(frontRows, state.phase, now, event);
  if (row === undefined) return effects;
  taken?.(row.name);
  row.run(now, event);
  if (row.to !== undefined) state.phase = row.to;
  return effects;
}
