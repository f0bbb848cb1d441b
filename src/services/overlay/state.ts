/**
 * The state of one node of the overlay, the events that change it and the effects it asks for.
 *
 * Non-goals: no behaviour beyond a fresh state; that is step.ts and watch.ts.
 */
import type {
  NodePart,
  OverlayBeat,
  OverlayDown,
  OverlayLost,
  OverlayUp,
} from '../messages/index.ts';
import { childrenOf, DEFAULT_FAN_OUT, parentOf, type TreeShape } from './tree.ts';

/** How often neighbours tell each other that they are there. */
export const BEAT_MS = 1000;
/** How long a child may be silent. */
export const BEAT_PATIENCE_MS = 5000;
/** How long a parent may be silent: long enough for others to notice that it is lost. */
export const CUT_OFF_MS = 15_000;

export type OverlayMessage = OverlayDown | OverlayUp | OverlayBeat | OverlayLost;

/** How a phase has ended, at the primary. */
export interface PhaseOutcome {
  readonly phase: number;
  readonly name: string;
  readonly patienceMs: number;
  readonly answered: readonly number[];
  /** What living nodes had to say, in order of their ids. */
  readonly parts: readonly NodePart[];
  readonly down: readonly number[];
  /** Living nodes that have not answered in time. */
  readonly missing: readonly number[];
}

/** The newest phase, as one node sees it. */
export interface Phase {
  readonly down: OverlayDown;
  readonly answered: Set<number>;
  readonly parts: Map<number, NodePart>;
  /** Answers that the parent has been told. */
  told: Set<number>;
  /** Patience has passed, so that every answer is passed on as it comes. */
  isLate: boolean;
  isOver: boolean;
}

export interface OverlayState {
  readonly nodeId: number;
  readonly shape: TreeShape;
  readonly dead: Set<number>;
  parent: number | undefined;
  children: readonly number[];
  phase: Phase | undefined;
  /** When each neighbour was heard last. */
  readonly heardMs: Map<number, number>;
  isCutOff: boolean;
  /** Messages that are of no use here. */
  dropped: number;
}

export type OverlayEvent =
  | { readonly kind: 'start'; readonly nowMs: number }
  /** At the primary: a new phase begins. Its number is larger than every earlier one. */
  | {
      readonly kind: 'begin';
      readonly phase: number;
      readonly name: string;
      readonly patienceMs: number;
      readonly body?: Uint8Array | undefined;
      readonly nowMs: number;
    }
  /** This node has done what a phase asks of it. */
  | {
      readonly kind: 'answer';
      readonly phase: number;
      readonly part?: Omit<NodePart, 'nodeId'> | undefined;
      readonly nowMs: number;
    }
  | {
      readonly kind: 'message';
      readonly from: number;
      readonly message: OverlayMessage;
      readonly nowMs: number;
    }
  /** The connection to a node has broken for good. */
  | { readonly kind: 'link-down'; readonly nodeId: number; readonly nowMs: number }
  | { readonly kind: 'timer'; readonly id: OverlayTimer; readonly nowMs: number };

export type OverlayTimer = 'beat' | 'phase';

export type OverlayEffect =
  | { readonly kind: 'send'; readonly to: number; readonly message: OverlayMessage }
  /** What this node is to do in a phase; it answers with an event. */
  | { readonly kind: 'deliver'; readonly message: OverlayDown }
  /** Every answer of the own part of the tree has been passed on. */
  | { readonly kind: 'gathered'; readonly phase: number }
  /** At the primary: the phase has ended. */
  | { readonly kind: 'done'; readonly outcome: PhaseOutcome }
  /** At the primary: a node is down; told once. */
  | { readonly kind: 'node-down'; readonly nodeId: number }
  /** This node is no part of the run any more; told once. */
  | { readonly kind: 'cut-off'; readonly why: string }
  /** Replaces the timer of the same id. */
  | { readonly kind: 'timer'; readonly id: OverlayTimer; readonly atMs: number }
  | { readonly kind: 'clear-timer'; readonly id: OverlayTimer };

/** One step in progress: the state, and what the step has asked for so far. */
export interface OverlayStep {
  readonly state: OverlayState;
  readonly effects: OverlayEffect[];
  readonly nowMs: number;
}

export function overlayState(
  nodeId: number,
  { count, fanOut = DEFAULT_FAN_OUT }: { count: number; fanOut?: number },
): OverlayState {
  const shape = { count, fanOut };
  const dead = new Set<number>();
  return {
    nodeId,
    shape,
    dead,
    parent: parentOf(shape, dead, nodeId),
    children: childrenOf(shape, dead, nodeId),
    phase: undefined,
    heardMs: new Map(),
    isCutOff: false,
    dropped: 0,
  };
}
