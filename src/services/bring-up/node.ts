/**
 * One node's part of bring-up and tear-down: state, events, effects, and the step.
 *
 * What a phase of the overlay asks is done by services of the node; when they have done it,
 * the phase is answered. Non-goals: the rules themselves, which are in node-table.ts.
 */
import type { NodeTrouble } from '../messages/index.ts';
import { nodeRows } from './node-table.ts';
import { rowFor } from './table.ts';

export type NodePhase =
  | 'joining'
  | 'joined'
  | 'preparing'
  | 'prepared'
  | 'linking'
  | 'up'
  | 'ending'
  | 'ended'
  | 'unlinking'
  | 'unlinked'
  | 'leaving'
  | 'gone';

export type ServiceName = NodeTrouble['service'];

export interface NodeState {
  readonly nodeId: number;
  phase: NodePhase;
  /** The phase of the overlay that is to be answered. */
  open: number;
}

export type NodeEvent =
  /** The overlay hands on what a phase asks. */
  | {
      readonly kind: 'deliver';
      readonly phase: number;
      readonly name: string;
      readonly patienceMs: number;
      readonly body?: Uint8Array | undefined;
    }
  /** Local services run; `body` describes the node. */
  | { readonly kind: 'local-up'; readonly body: Uint8Array }
  | { readonly kind: 'agent-up' }
  /** Something could not be started. */
  | { readonly kind: 'start-failed'; readonly err: number; readonly info: string }
  /** No process is left. */
  | { readonly kind: 'local-halted' }
  | { readonly kind: 'agent-stopped' }
  /** The answers of all nodes below have gone up. */
  | { readonly kind: 'gathered'; readonly phase: number }
  /** A service has ended that should not have. */
  | { readonly kind: 'died'; readonly service: ServiceName; readonly text: string }
  | { readonly kind: 'cut-off'; readonly why: string }
  /** At the primary node: the front end is no more. */
  | { readonly kind: 'front-gone' }
  | { readonly kind: 'timer' };

export type NodeEffect =
  | {
      readonly kind: 'answer';
      readonly phase: number;
      readonly part?: {
        readonly err: number;
        readonly info?: string | undefined;
        readonly body?: Uint8Array | undefined;
      };
    }
  | { readonly kind: 'learn-addresses'; readonly body: Uint8Array | undefined }
  | { readonly kind: 'start-local' }
  | { readonly kind: 'start-agent'; readonly body: Uint8Array | undefined }
  /** Ends every process of the node; at the primary, global services take no more requests. */
  | { readonly kind: 'end-processes'; readonly patienceMs: number }
  | { readonly kind: 'stop-agent' }
  /** Ends everything that runs on the node at once. */
  | { readonly kind: 'kill' }
  /** To the front end, over the primary node. */
  | { readonly kind: 'trouble'; readonly service: ServiceName; readonly text: string }
  /** At the primary node: everybody is to leave. */
  | { readonly kind: 'begin-leave' }
  | { readonly kind: 'timer'; readonly afterMs: number }
  | { readonly kind: 'exit'; readonly code: number };

export interface NodeStep {
  readonly state: NodeState;
  readonly effects: NodeEffect[];
}

export function nodeState(nodeId: number): NodeState {
  return { nodeId, phase: 'joining', open: 0 };
}

/** `taken` hears which row of the table was taken. */
export function step(
  state: NodeState,
  event: NodeEvent,
  taken?: (row: string) => void,
): NodeEffect[] {
  const effects: NodeEffect[] = [];
  const now: NodeStep = { state, effects };
  if (event.kind === 'deliver') state.open = event.phase;
  const row = rowFor(nodeRows, state.phase, now, event);
  if (row === undefined) return effects;
  taken?.(row.name);
  row.run(now, event);
  if (row.to !== undefined) state.phase = row.to;
  return effects;
}
