/**
 * The state of global services, the events that change it and the effects it asks for.
 *
 * Goals: everything global services know is in one value, so that a simulator can run them
 * and a failure can be replayed. Time comes with the events, in milliseconds of any clock.
 * Non-goals: no behaviour beyond a fresh state; that is step.ts and the files it names.
 */
import type { Command, Event, Message, NodeInfo, Reply, Sender } from '../messages/index.ts';

/** The head's process id; every later process has a larger one. */
export const HEAD_PUID = 2n ** 32n;

/** The node of global services and, as a rule, of the head. */
export const PRIMARY = 0;

/** How long an ended process's daemons get between SIGTERM and SIGKILL. */
export const DAEMON_PATIENCE_MS = 1000;

/** Who asked, and how the answer is addressed. */
export interface Asker extends Sender {
  readonly puid: bigint;
}

/** How a process ended: exactly one of exit code and signal. */
export interface Exit {
  readonly exitCode?: number | undefined;
  readonly signal?: number | undefined;
  readonly error?: Uint8Array | undefined;
  /** Why nobody saw the end, if so. */
  readonly err?: number | undefined;
}

export interface ProcessRecord {
  readonly puid: bigint;
  readonly name: string | undefined;
  readonly label: string;
  readonly parent: bigint | undefined;
  readonly daemon: boolean;
  readonly nodeId: number;
  state: 'pending' | 'active' | 'dead';
  pid: number | undefined;
  exit: Exit | undefined;
  /** An exit that was reported before the answer to the creation. */
  parkedExit: Exit | undefined;
  /** Children that have not ended. */
  readonly children: Set<bigint>;
  /** Joins that wait for this process, by wait id. */
  readonly joins: Set<number>;
}

/** What to do with the answer of a command. */
export type Continuation =
  | { readonly kind: 'create'; readonly puid: bigint; readonly asker: Asker }
  | { readonly kind: 'kill'; readonly puid: bigint; readonly asker: Asker };

export interface JoinWait {
  readonly kind: 'join';
  readonly asker: Asker;
  readonly targets: readonly bigint[];
  readonly mode: 'all' | 'any';
  /** Targets that have not ended. */
  readonly open: Set<bigint>;
}

export interface NameWait {
  readonly kind: 'name';
  readonly asker: Asker;
  readonly name: string;
  readonly hold: boolean;
}

export type Wait = JoinWait | NameWait;

export interface NameRecord {
  readonly name: string;
  readonly kind: string;
  readonly descriptor: Uint8Array;
  /** Where the object is. */
  readonly nodeId: number;
  /** How many references each process holds. */
  readonly holders: Map<bigint, number>;
  /** Stays without holders, until it is unlinked. */
  readonly kept: boolean;
}

export interface GlobalState {
  phase: 'up' | 'halting' | 'halted';
  readonly nodes: Map<number, NodeInfo>;
  /** Nodes that have left the run. */
  readonly down: Set<number>;
  /** The node that had the last turn in taking a process. */
  lastPlace: number;
  /** Nodes that have told that nothing is left on them. */
  readonly halted: Set<number>;
  nextPuid: bigint;
  readonly processes: Map<bigint, ProcessRecord>;
  readonly processNames: Map<string, bigint>;
  /** Ended processes that are remembered, the oldest first. */
  readonly ended: Set<bigint>;
  readonly endedMax: number;
  nextTag: number;
  readonly continuations: Map<number, Continuation>;
  nextWait: number;
  readonly waits: Map<number, Wait>;
  /** Open waits and creations by the request that asked for them. */
  readonly waitOfRequest: Map<string, number>;
  readonly createOfRequest: Map<string, bigint>;
  /** Open waits by the process that asked. */
  readonly waitsOfPuid: Map<bigint, Set<number>>;
  readonly names: Map<string, NameRecord>;
  /** Which names a process holds. */
  readonly namesOfPuid: Map<bigint, Set<string>>;
  readonly nameWaits: Map<string, Set<number>>;
  /** Messages that could not be used. */
  invalidMessages: number;
}

export type GlobalEvent =
  | { readonly kind: 'message'; readonly message: Message; readonly nowMs: number }
  | { readonly kind: 'unreadable'; readonly what: string; readonly sender: Sender | undefined }
  | { readonly kind: 'timer'; readonly id: number }
  | {
      readonly kind: 'head';
      readonly pid: number;
      readonly nodeId: number;
      readonly label: string;
    }
  /** A node has left the run and takes nothing with it that anybody can see. */
  | { readonly kind: 'node-down'; readonly nodeId: number }
  /** The end begins; `told` when local services hear of it from somebody else. */
  | { readonly kind: 'teardown'; readonly patienceMs: number; readonly told?: boolean };

export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

export type GlobalEffect =
  | { readonly kind: 'reply'; readonly to: Sender; readonly message: Reply }
  | { readonly kind: 'send'; readonly nodeId: number; readonly message: Command | Event }
  | { readonly kind: 'timer'; readonly id: number; readonly atMs: number }
  | { readonly kind: 'clear-timer'; readonly id: number }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly text: string }
  | { readonly kind: 'head-exit'; readonly exit: Exit }
  | { readonly kind: 'halted' };

/** One step in progress: the state, and what the step has asked for so far. */
export interface GlobalStep {
  readonly state: GlobalState;
  readonly effects: GlobalEffect[];
  readonly nowMs: number;
}

export function globalState(options: { endedMax?: number } = {}): GlobalState {
  return {
    phase: 'up',
    nodes: new Map(),
    down: new Set(),
    lastPlace: -1,
    halted: new Set(),
    nextPuid: HEAD_PUID + 1n,
    processes: new Map(),
    processNames: new Map(),
    ended: new Set(),
    endedMax: options.endedMax ?? 65_536,
    nextTag: 1,
    continuations: new Map(),
    nextWait: 1,
    waits: new Map(),
    waitOfRequest: new Map(),
    createOfRequest: new Map(),
    waitsOfPuid: new Map(),
    names: new Map(),
    namesOfPuid: new Map(),
    nameWaits: new Map(),
    invalidMessages: 0,
  };
}

/** The part of a request that is kept until its answer; not its frame, which may be large. */
export function askerOf({ puid, actor, tag, replyTo }: Asker): Asker {
  return { puid, actor, tag, replyTo: replyTo.slice() };
}

/** Identifies a request among all that are open. */
export function requestKey(puid: bigint, actor: number, tag: number): string {
  return `${puid}:${actor}:${tag}`;
}
