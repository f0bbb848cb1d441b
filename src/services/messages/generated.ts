// The messages of the control plane, generated from spec/messages.
//
// Do not edit: change a YAML file there and run `node ci/generate.mjs`. The types and the
// table say the same; wire.ts reads and writes messages by the table.
// biome-ignore-all format: generated

import type { MessageSchema, StructSchema } from './schema.ts';

/** One registered name. */
export interface NameInfo {
  /** unique in the run */
  readonly name: string;
  /** what the descriptor describes, for example channel or pool */
  readonly kind: string;
  /** the node of the object */
  readonly nodeId: number;
  /** how many references are counted */
  readonly holders: number;
}

/** One node. */
export interface NodeInfo {
  /** 0 for the primary node */
  readonly nodeId: number;
  /** identifies the host in serialized handles */
  readonly hostId: bigint;
  /** as the host calls itself */
  readonly hostname: string;
  /** processors that the run may use */
  readonly cpus: number;
  /** memory that the run may use */
  readonly memoryBytes: bigint;
}

/** Nodes with consecutive ids. */
export interface NodeRange {
  /** the first */
  readonly first: number;
  /** the last */
  readonly last: number;
}

/** What one node answers in a phase, if it has something to say. */
export interface NodePart {
  /** the node */
  readonly nodeId: number;
  /** a status of errors.yaml; 0 is success */
  readonly err: number;
  /** what went wrong */
  readonly info?: string | undefined;
  /** an encoded message */
  readonly body?: Uint8Array | undefined;
}

/** What global services know of one process. */
export interface ProcessInfo {
  /** unique in the run and never used again */
  readonly puid: bigint;
  /** unique among the living; chosen by who created it */
  readonly name?: string | undefined;
  /** free text for people */
  readonly label: string;
  /** absent for the head */
  readonly parent?: bigint | undefined;
  /** ends with its parent */
  readonly daemon: boolean;
  /** the node that it runs on */
  readonly nodeId: number;
  /** its place in the life cycle */
  readonly state: 'pending' | 'active' | 'dead';
  /** the operating system's id */
  readonly pid?: number | undefined;
  /** present when it ended by exiting */
  readonly exitCode?: number | undefined;
  /** present when a signal ended it */
  readonly signal?: number | undefined;
  /** as in ProcessExit */
  readonly err?: number | undefined;
}

/** How a process ended, or that it has not. */
export interface ProcessExit {
  /** the process */
  readonly puid: bigint;
  /** true when it had not ended at the answer */
  readonly alive: boolean;
  /** present when it ended by exiting */
  readonly exitCode?: number | undefined;
  /** present when a signal ended it */
  readonly signal?: number | undefined;
  /** the encoded value that its target threw */
  readonly error?: Uint8Array | undefined;
  /** NODE_GONE when its end was not seen because its node is down */
  readonly err?: number | undefined;
}

/** A back end tells the front end over the connection that started it that it listens. */
export interface BackEndUp {
  readonly type: 'BackEndUp';
  /** the node */
  readonly nodeId: number;
  /** where the overlay of the node is reached */
  readonly address: string;
}

/** What every node learns first. */
export interface AddressTable {
  readonly type: 'AddressTable';
  /** of the nodes in order of their ids */
  readonly addresses: readonly string[];
}

/** What every node learns when local services are up everywhere. */
export interface NodeTable {
  readonly type: 'NodeTable';
  /** in order of their ids */
  readonly nodes: readonly NodeInfo[];
}

/** The front end has the primary node begin a phase. */
export interface FrontBegin {
  readonly type: 'FrontBegin';
  /** larger than that of every earlier phase */
  readonly phase: number;
  /** what people call the phase */
  readonly name: string;
  /** how long answers are waited for */
  readonly patienceMs: number;
  /** an encoded message */
  readonly body?: Uint8Array | undefined;
}

/** How a phase has ended. */
export interface FrontOutcome {
  readonly type: 'FrontOutcome';
  /** the phase */
  readonly phase: number;
  /** who has answered */
  readonly answered: readonly NodeRange[];
  /** who is down */
  readonly down: readonly NodeRange[];
  /** who lives and has not answered in time */
  readonly missing: readonly NodeRange[];
  /** what was answered */
  readonly parts: readonly NodePart[];
}

/** The front end has the primary node start something. */
export interface FrontOrder {
  readonly type: 'FrontOrder';
  /** global services or the head */
  readonly what: 'global' | 'head';
}

/** What was ordered has started, or has failed to. */
export interface FrontAnswer {
  readonly type: 'FrontAnswer';
  /** what was ordered */
  readonly what: 'global' | 'head';
  /** a status of errors.yaml; 0 is success */
  readonly err: number;
  /** what went wrong */
  readonly info?: string | undefined;
}

/** The head has ended. */
export interface HeadEnded {
  readonly type: 'HeadEnded';
  /** present when it ended by exiting */
  readonly exitCode?: number | undefined;
  /** present when a signal ended it */
  readonly signal?: number | undefined;
}

/** A service of a node has died, and the node leaves the run. */
export interface NodeTrouble {
  readonly type: 'NodeTrouble';
  /** the node */
  readonly nodeId: number;
  /** what has died */
  readonly service: 'local' | 'agent' | 'global';
  /** how */
  readonly text: string;
}

/** The primary node tells the front end that a node is down. */
export interface NodeLost {
  readonly type: 'NodeLost';
  /** the node */
  readonly nodeId: number;
}

/** Answers a request that has nothing to return, and any request that can't be read. */
export interface GsReply {
  readonly type: 'GsReply';
  /** the tag that this answers */
  readonly ref: number;
  /** a status of errors.yaml; 0 is success */
  readonly err: number;
  /** what went wrong, for people */
  readonly info?: string | undefined;
}

/** A client no longer waits for one of its requests. */
export interface GsCancel {
  readonly type: 'GsCancel';
  /** the client's process */
  readonly puid: bigint;
  /** the client's actor */
  readonly actor: number;
  /** the tag of the request */
  readonly cancelled: number;
}

/** Start a process on this node. */
export interface LsProcessCreate {
  readonly type: 'LsProcessCreate';
  /** unique among the open commands of the sender */
  readonly tag: number;
  /** the new process */
  readonly puid: bigint;
  /** an executable; absent runs a target function */
  readonly exe?: string | undefined;
  /** as in GsProcessCreate */
  readonly argv: readonly string[];
  /** as in GsProcessCreate */
  readonly env: readonly string[];
  /** working directory */
  readonly cwd: string;
  /** as in GsProcessCreate */
  readonly stdio: readonly string[];
  /** as in GsProcessCreate */
  readonly interpreter?: string | undefined;
  /** what to deposit in the new process's start channel */
  readonly start?: Uint8Array | undefined;
}

/** Answers LsProcessCreate once the process has started, or has failed to and is gone. */
export interface LsProcessCreated {
  readonly type: 'LsProcessCreated';
  /** the tag that this answers */
  readonly ref: number;
  /** a status of errors.yaml; 0 is success */
  readonly err: number;
  /** what went wrong, for people */
  readonly info?: string | undefined;
  /** the operating system's id */
  readonly pid?: number | undefined;
  /** the encoded error of a target that could not be loaded */
  readonly error?: Uint8Array | undefined;
}

/** Send a signal to a process of this node. */
export interface LsProcessKill {
  readonly type: 'LsProcessKill';
  /** unique among the open commands of the sender */
  readonly tag: number;
  /** the process */
  readonly puid: bigint;
  /** 1 to 64 */
  readonly signal: number;
}

/** End a process with SIGTERM, and with SIGKILL if it outlives the patience. */
export interface LsProcessEnd {
  readonly type: 'LsProcessEnd';
  /** the process */
  readonly puid: bigint;
  /** how long it may take */
  readonly patienceMs: number;
}

/** Answers a command that has nothing to return. */
export interface LsReply {
  readonly type: 'LsReply';
  /** the tag that this answers */
  readonly ref: number;
  /** a status of errors.yaml; 0 is success */
  readonly err: number;
  /** what went wrong, for people */
  readonly info?: string | undefined;
}

/** A started process of this node has ended and what it owned was given back. */
export interface LsProcessExit {
  readonly type: 'LsProcessExit';
  /** the process */
  readonly puid: bigint;
  /** present when it ended by exiting */
  readonly exitCode?: number | undefined;
  /** present when a signal ended it */
  readonly signal?: number | undefined;
  /** the encoded value that its target threw */
  readonly error?: Uint8Array | undefined;
}

/** End every process of this node. */
export interface LsTeardown {
  readonly type: 'LsTeardown';
  /** how long they may take before SIGKILL */
  readonly patienceMs: number;
}

/** No process of this node is left. */
export interface LsHalted {
  readonly type: 'LsHalted';
  /** the node */
  readonly nodeId: number;
}

/** A new process has loaded its target and is about to call it. */
export interface ProcessStarted {
  readonly type: 'ProcessStarted';
  /** the process */
  readonly puid: bigint;
}

/** A new process could not load its target and is about to end. */
export interface ProcessStartFailed {
  readonly type: 'ProcessStartFailed';
  /** the process */
  readonly puid: bigint;
  /** the encoded error */
  readonly error: Uint8Array;
}

/** The target of a process has thrown, and the process is about to end. */
export interface ProcessFailed {
  readonly type: 'ProcessFailed';
  /** the process */
  readonly puid: bigint;
  /** the encoded value */
  readonly error: Uint8Array;
}

/** What a new process finds in its start channel. */
export interface StartTarget {
  readonly type: 'StartTarget';
  /** what the loader needs to find the function */
  readonly target: unknown;
  /** settings that the process takes over from its creator */
  readonly inherited: unknown;
  /** the encoded list of arguments */
  readonly args: Uint8Array;
  /** an allocation that holds the arguments when they are many */
  readonly argsHandle?: Uint8Array | undefined;
  /** the process's name for people */
  readonly label: string;
  /** ends with its parent */
  readonly daemon: boolean;
  /** the process that created it */
  readonly parent: bigint;
  /** the parent's operating system id */
  readonly parentPid: number;
  /** the parent's name for people */
  readonly parentLabel: string;
}

/** Give an object a name. The caller holds the first reference. */
export interface GsNameRegister {
  readonly type: 'GsNameRegister';
  /** unique among the open requests of the sender */
  readonly tag: number;
  /** the process that asks */
  readonly puid: bigint;
  /** the actor that asks */
  readonly actor: number;
  /** the channel that the answer goes to */
  readonly replyTo: Uint8Array;
  /** the name */
  readonly name: string;
  /** what the descriptor describes */
  readonly kind: string;
  /** the object's serialized handle */
  readonly descriptor: Uint8Array;
  /** the node of the object; absent is the asker's */
  readonly nodeId?: number | undefined;
  /** whether the name stays without references until it is unlinked */
  readonly keep: boolean;
}

/** Find the object of a name, or wait until there is one. */
export interface GsNameLookup {
  readonly type: 'GsNameLookup';
  /** unique among the open requests of the sender */
  readonly tag: number;
  /** the process that asks */
  readonly puid: bigint;
  /** the actor that asks */
  readonly actor: number;
  /** the channel that the answer goes to */
  readonly replyTo: Uint8Array;
  /** the name */
  readonly name: string;
  /** whether to count a reference for the caller */
  readonly hold: boolean;
  /** whether to wait until the name exists */
  readonly wait: boolean;
  /** absent waits for ever; used with wait */
  readonly timeoutMs?: number | undefined;
}

/** Answers GsNameRegister and GsNameLookup; EXISTS describes the object that has the name. */
export interface GsNameReply {
  readonly type: 'GsNameReply';
  /** the tag that this answers */
  readonly ref: number;
  /** a status of errors.yaml; 0 is success */
  readonly err: number;
  /** what went wrong, for people */
  readonly info?: string | undefined;
  /** what the descriptor describes */
  readonly kind?: string | undefined;
  /** the object's serialized handle */
  readonly descriptor?: Uint8Array | undefined;
  /** the node of the object */
  readonly nodeId?: number | undefined;
}

/** Give a reference back; the last one frees the name. */
export interface GsNameRelease {
  readonly type: 'GsNameRelease';
  /** unique among the open requests of the sender */
  readonly tag: number;
  /** the process that asks */
  readonly puid: bigint;
  /** the actor that asks */
  readonly actor: number;
  /** the channel that the answer goes to */
  readonly replyTo: Uint8Array;
  /** the name */
  readonly name: string;
  /** the object that is meant; absent means whatever has the name */
  readonly descriptor?: Uint8Array | undefined;
}

/** Free a name, whoever holds references to it. */
export interface GsNameUnlink {
  readonly type: 'GsNameUnlink';
  /** unique among the open requests of the sender */
  readonly tag: number;
  /** the process that asks */
  readonly puid: bigint;
  /** the actor that asks */
  readonly actor: number;
  /** the channel that the answer goes to */
  readonly replyTo: Uint8Array;
  /** the name */
  readonly name: string;
  /** the object that is meant; absent means whatever has the name */
  readonly descriptor?: Uint8Array | undefined;
}

/** All names. */
export interface GsNameList {
  readonly type: 'GsNameList';
  /** unique among the open requests of the sender */
  readonly tag: number;
  /** the process that asks */
  readonly puid: bigint;
  /** the actor that asks */
  readonly actor: number;
  /** the channel that the answer goes to */
  readonly replyTo: Uint8Array;
}

/** Answers GsNameList. */
export interface GsNameListReply {
  readonly type: 'GsNameListReply';
  /** the tag that this answers */
  readonly ref: number;
  /** a status of errors.yaml; 0 is success */
  readonly err: number;
  /** what went wrong, for people */
  readonly info?: string | undefined;
  /** in order of registration */
  readonly names: readonly NameInfo[];
}

/** All nodes. */
export interface GsNodeList {
  readonly type: 'GsNodeList';
  /** unique among the open requests of the sender */
  readonly tag: number;
  /** the process that asks */
  readonly puid: bigint;
  /** the actor that asks */
  readonly actor: number;
  /** the channel that the answer goes to */
  readonly replyTo: Uint8Array;
}

/** Answers GsNodeList. */
export interface GsNodeListReply {
  readonly type: 'GsNodeListReply';
  /** the tag that this answers */
  readonly ref: number;
  /** a status of errors.yaml; 0 is success */
  readonly err: number;
  /** what went wrong, for people */
  readonly info?: string | undefined;
  /** in order of their ids */
  readonly nodes: readonly NodeInfo[];
}

/** Local services tell global services that their node is ready. */
export interface LsNodeUp {
  readonly type: 'LsNodeUp';
  /** the node */
  readonly node: NodeInfo;
}

/** From parent to child, what every node is to do in a phase. */
export interface OverlayDown {
  readonly type: 'OverlayDown';
  /** larger than that of every earlier phase */
  readonly phase: number;
  /** what people call the phase */
  readonly name: string;
  /** how long the primary waits for the answers */
  readonly patienceMs: number;
  /** an encoded message */
  readonly body?: Uint8Array | undefined;
  /** which nodes are down */
  readonly down: readonly NodeRange[];
}

/** From child to parent, the answers of the child's part of the tree. */
export interface OverlayUp {
  readonly type: 'OverlayUp';
  /** the phase that is answered */
  readonly phase: number;
  /** which nodes have answered */
  readonly answered: readonly NodeRange[];
  /** what they have answered */
  readonly parts: readonly NodePart[];
}

/** The sender is there. */
export interface OverlayBeat {
  readonly type: 'OverlayBeat';
  /** which nodes are down as far as the sender knows */
  readonly down: readonly NodeRange[];
}

/** To the primary, a node that its parent does not hear any more. */
export interface OverlayLost {
  readonly type: 'OverlayLost';
  /** the node */
  readonly nodeId: number;
}

/** Start a process. Answered once it has started or has failed to. */
export interface GsProcessCreate {
  readonly type: 'GsProcessCreate';
  /** unique among the open requests of the sender */
  readonly tag: number;
  /** the process that asks */
  readonly puid: bigint;
  /** the actor that asks */
  readonly actor: number;
  /** the channel that the answer goes to */
  readonly replyTo: Uint8Array;
  /** unique name */
  readonly name?: string | undefined;
  /** free text for people */
  readonly label: string;
  /** ends with its parent */
  readonly daemon: boolean;
  /** where to run it; absent leaves it to the services */
  readonly nodeId?: number | undefined;
  /** an executable; absent runs a target function in an interpreter */
  readonly exe?: string | undefined;
  /** arguments of the executable or flags of the interpreter */
  readonly argv: readonly string[];
  /** the whole environment as NAME=value */
  readonly env: readonly string[];
  /** working directory */
  readonly cwd: string;
  /** standard input, output and error: inherit, null, or r:, w: or a: before an absolute path */
  readonly stdio: readonly string[];
  /** what runs the target; absent is the interpreter of the run */
  readonly interpreter?: string | undefined;
  /** an encoded StartTarget; absent for an executable */
  readonly start?: Uint8Array | undefined;
}

/** Answers GsProcessCreate. */
export interface GsProcessCreateReply {
  readonly type: 'GsProcessCreateReply';
  /** the tag that this answers */
  readonly ref: number;
  /** a status of errors.yaml; 0 is success */
  readonly err: number;
  /** what went wrong, for people */
  readonly info?: string | undefined;
  /** the new process */
  readonly puid?: bigint | undefined;
  /** the operating system's id */
  readonly pid?: number | undefined;
  /** the encoded error of a target that could not be loaded */
  readonly error?: Uint8Array | undefined;
}

/** Look up one process by id or by name. */
export interface GsProcessQuery {
  readonly type: 'GsProcessQuery';
  /** unique among the open requests of the sender */
  readonly tag: number;
  /** the process that asks */
  readonly puid: bigint;
  /** the actor that asks */
  readonly actor: number;
  /** the channel that the answer goes to */
  readonly replyTo: Uint8Array;
  /** the process */
  readonly target?: bigint | undefined;
  /** its name; used when target is absent */
  readonly name?: string | undefined;
}

/** Answers GsProcessQuery. */
export interface GsProcessQueryReply {
  readonly type: 'GsProcessQueryReply';
  /** the tag that this answers */
  readonly ref: number;
  /** a status of errors.yaml; 0 is success */
  readonly err: number;
  /** what went wrong, for people */
  readonly info?: string | undefined;
  /** absent on failure */
  readonly process?: ProcessInfo | undefined;
}

/** All processes, the newest last. */
export interface GsProcessList {
  readonly type: 'GsProcessList';
  /** unique among the open requests of the sender */
  readonly tag: number;
  /** the process that asks */
  readonly puid: bigint;
  /** the actor that asks */
  readonly actor: number;
  /** the channel that the answer goes to */
  readonly replyTo: Uint8Array;
  /** whether to list those that have ended and are remembered */
  readonly ended: boolean;
}

/** Answers GsProcessList. */
export interface GsProcessListReply {
  readonly type: 'GsProcessListReply';
  /** the tag that this answers */
  readonly ref: number;
  /** a status of errors.yaml; 0 is success */
  readonly err: number;
  /** what went wrong, for people */
  readonly info?: string | undefined;
  /** in order of creation */
  readonly processes: readonly ProcessInfo[];
}

/** Wait until all or any of some processes have ended. */
export interface GsProcessJoin {
  readonly type: 'GsProcessJoin';
  /** unique among the open requests of the sender */
  readonly tag: number;
  /** the process that asks */
  readonly puid: bigint;
  /** the actor that asks */
  readonly actor: number;
  /** the channel that the answer goes to */
  readonly replyTo: Uint8Array;
  /** the processes */
  readonly targets: readonly bigint[];
  /** how many must have ended */
  readonly mode: 'all' | 'any';
  /** absent waits for ever */
  readonly timeoutMs?: number | undefined;
}

/** Answers GsProcessJoin; TIMEOUT still describes every process asked for. */
export interface GsProcessJoinReply {
  readonly type: 'GsProcessJoinReply';
  /** the tag that this answers */
  readonly ref: number;
  /** a status of errors.yaml; 0 is success */
  readonly err: number;
  /** what went wrong, for people */
  readonly info?: string | undefined;
  /** one for each target in the order of the request */
  readonly exits: readonly ProcessExit[];
}

/** Send a signal to a process. */
export interface GsProcessKill {
  readonly type: 'GsProcessKill';
  /** unique among the open requests of the sender */
  readonly tag: number;
  /** the process that asks */
  readonly puid: bigint;
  /** the actor that asks */
  readonly actor: number;
  /** the channel that the answer goes to */
  readonly replyTo: Uint8Array;
  /** the process */
  readonly target: bigint;
  /** 1 to 64 */
  readonly signal: number;
}

export type Request =
  | GsNameRegister
  | GsNameLookup
  | GsNameRelease
  | GsNameUnlink
  | GsNameList
  | GsNodeList
  | GsProcessCreate
  | GsProcessQuery
  | GsProcessList
  | GsProcessJoin
  | GsProcessKill;

export type Command =
  | LsProcessCreate
  | LsProcessKill;

export type Reply =
  | GsReply
  | LsProcessCreated
  | LsReply
  | GsNameReply
  | GsNameListReply
  | GsNodeListReply
  | GsProcessCreateReply
  | GsProcessQueryReply
  | GsProcessListReply
  | GsProcessJoinReply;

export type Event =
  | BackEndUp
  | AddressTable
  | NodeTable
  | FrontBegin
  | FrontOutcome
  | FrontOrder
  | FrontAnswer
  | HeadEnded
  | NodeTrouble
  | NodeLost
  | GsCancel
  | LsProcessEnd
  | LsProcessExit
  | LsTeardown
  | LsHalted
  | ProcessStarted
  | ProcessStartFailed
  | ProcessFailed
  | StartTarget
  | LsNodeUp
  | OverlayDown
  | OverlayUp
  | OverlayBeat
  | OverlayLost;

export type Message = Request | Command | Reply | Event;

/** Which reply answers which request or command. */
export interface ReplyTo {
  LsProcessCreate: LsProcessCreated;
  LsProcessKill: LsReply;
  GsNameRegister: GsNameReply;
  GsNameLookup: GsNameReply;
  GsNameRelease: GsReply;
  GsNameUnlink: GsReply;
  GsNameList: GsNameListReply;
  GsNodeList: GsNodeListReply;
  GsProcessCreate: GsProcessCreateReply;
  GsProcessQuery: GsProcessQueryReply;
  GsProcessList: GsProcessListReply;
  GsProcessJoin: GsProcessJoinReply;
  GsProcessKill: GsReply;
}

export const structs: Readonly<Record<string, StructSchema>> = {
  NameInfo: {
    fields: [
      { name: 'name', type: 'string' },
      { name: 'kind', type: 'string' },
      { name: 'nodeId', type: 'u32' },
      { name: 'holders', type: 'u32' },
    ],
  },
  NodeInfo: {
    fields: [
      { name: 'nodeId', type: 'u32' },
      { name: 'hostId', type: 'u64' },
      { name: 'hostname', type: 'string' },
      { name: 'cpus', type: 'u32' },
      { name: 'memoryBytes', type: 'u64' },
    ],
  },
  NodeRange: {
    fields: [
      { name: 'first', type: 'u32' },
      { name: 'last', type: 'u32' },
    ],
  },
  NodePart: {
    fields: [
      { name: 'nodeId', type: 'u32' },
      { name: 'err', type: 'u32' },
      { name: 'info', type: 'string', optional: true },
      { name: 'body', type: 'bytes', optional: true },
    ],
  },
  ProcessInfo: {
    fields: [
      { name: 'puid', type: 'u64' },
      { name: 'name', type: 'string', optional: true },
      { name: 'label', type: 'string' },
      { name: 'parent', type: 'u64', optional: true },
      { name: 'daemon', type: 'bool' },
      { name: 'nodeId', type: 'u32' },
      { name: 'state', type: { enum: ['pending', 'active', 'dead'] } },
      { name: 'pid', type: 'u32', optional: true },
      { name: 'exitCode', type: 'u32', optional: true },
      { name: 'signal', type: 'u32', optional: true },
      { name: 'err', type: 'u32', optional: true },
    ],
  },
  ProcessExit: {
    fields: [
      { name: 'puid', type: 'u64' },
      { name: 'alive', type: 'bool' },
      { name: 'exitCode', type: 'u32', optional: true },
      { name: 'signal', type: 'u32', optional: true },
      { name: 'error', type: 'bytes', optional: true },
      { name: 'err', type: 'u32', optional: true },
    ],
  },
};

export const messages: Readonly<Record<Message['type'], MessageSchema>> = {
  BackEndUp: {
    kind: 'event',
    fields: [
      { name: 'nodeId', type: 'u32' },
      { name: 'address', type: 'string' },
    ],
  },
  AddressTable: {
    kind: 'event',
    fields: [
      { name: 'addresses', type: { list: 'string' } },
    ],
  },
  NodeTable: {
    kind: 'event',
    fields: [
      { name: 'nodes', type: { list: { struct: 'NodeInfo' } } },
    ],
  },
  FrontBegin: {
    kind: 'event',
    fields: [
      { name: 'phase', type: 'u32' },
      { name: 'name', type: 'string' },
      { name: 'patienceMs', type: 'u32' },
      { name: 'body', type: 'bytes', optional: true },
    ],
  },
  FrontOutcome: {
    kind: 'event',
    fields: [
      { name: 'phase', type: 'u32' },
      { name: 'answered', type: { list: { struct: 'NodeRange' } } },
      { name: 'down', type: { list: { struct: 'NodeRange' } } },
      { name: 'missing', type: { list: { struct: 'NodeRange' } } },
      { name: 'parts', type: { list: { struct: 'NodePart' } } },
    ],
  },
  FrontOrder: {
    kind: 'event',
    fields: [
      { name: 'what', type: { enum: ['global', 'head'] } },
    ],
  },
  FrontAnswer: {
    kind: 'event',
    fields: [
      { name: 'what', type: { enum: ['global', 'head'] } },
      { name: 'err', type: 'u32' },
      { name: 'info', type: 'string', optional: true },
    ],
  },
  HeadEnded: {
    kind: 'event',
    fields: [
      { name: 'exitCode', type: 'u32', optional: true },
      { name: 'signal', type: 'u32', optional: true },
    ],
  },
  NodeTrouble: {
    kind: 'event',
    fields: [
      { name: 'nodeId', type: 'u32' },
      { name: 'service', type: { enum: ['local', 'agent', 'global'] } },
      { name: 'text', type: 'string' },
    ],
  },
  NodeLost: {
    kind: 'event',
    fields: [
      { name: 'nodeId', type: 'u32' },
    ],
  },
  GsReply: {
    kind: 'reply',
    fields: [
      { name: 'ref', type: 'u32' },
      { name: 'err', type: 'u32' },
      { name: 'info', type: 'string', optional: true },
    ],
  },
  GsCancel: {
    kind: 'event',
    fields: [
      { name: 'puid', type: 'u64' },
      { name: 'actor', type: 'u32' },
      { name: 'cancelled', type: 'u32' },
    ],
  },
  LsProcessCreate: {
    kind: 'command', reply: 'LsProcessCreated',
    fields: [
      { name: 'tag', type: 'u32' },
      { name: 'puid', type: 'u64' },
      { name: 'exe', type: 'string', optional: true },
      { name: 'argv', type: { list: 'string' } },
      { name: 'env', type: { list: 'string' } },
      { name: 'cwd', type: 'string' },
      { name: 'stdio', type: { list: 'string' } },
      { name: 'interpreter', type: 'string', optional: true },
      { name: 'start', type: 'bytes', optional: true },
    ],
  },
  LsProcessCreated: {
    kind: 'reply',
    fields: [
      { name: 'ref', type: 'u32' },
      { name: 'err', type: 'u32' },
      { name: 'info', type: 'string', optional: true },
      { name: 'pid', type: 'u32', optional: true },
      { name: 'error', type: 'bytes', optional: true },
    ],
  },
  LsProcessKill: {
    kind: 'command', reply: 'LsReply',
    fields: [
      { name: 'tag', type: 'u32' },
      { name: 'puid', type: 'u64' },
      { name: 'signal', type: 'u32' },
    ],
  },
  LsProcessEnd: {
    kind: 'event',
    fields: [
      { name: 'puid', type: 'u64' },
      { name: 'patienceMs', type: 'u32' },
    ],
  },
  LsReply: {
    kind: 'reply',
    fields: [
      { name: 'ref', type: 'u32' },
      { name: 'err', type: 'u32' },
      { name: 'info', type: 'string', optional: true },
    ],
  },
  LsProcessExit: {
    kind: 'event',
    fields: [
      { name: 'puid', type: 'u64' },
      { name: 'exitCode', type: 'u32', optional: true },
      { name: 'signal', type: 'u32', optional: true },
      { name: 'error', type: 'bytes', optional: true },
    ],
  },
  LsTeardown: {
    kind: 'event',
    fields: [
      { name: 'patienceMs', type: 'u32' },
    ],
  },
  LsHalted: {
    kind: 'event',
    fields: [
      { name: 'nodeId', type: 'u32' },
    ],
  },
  ProcessStarted: {
    kind: 'event',
    fields: [
      { name: 'puid', type: 'u64' },
    ],
  },
  ProcessStartFailed: {
    kind: 'event',
    fields: [
      { name: 'puid', type: 'u64' },
      { name: 'error', type: 'bytes' },
    ],
  },
  ProcessFailed: {
    kind: 'event',
    fields: [
      { name: 'puid', type: 'u64' },
      { name: 'error', type: 'bytes' },
    ],
  },
  StartTarget: {
    kind: 'event',
    fields: [
      { name: 'target', type: 'json' },
      { name: 'inherited', type: 'json' },
      { name: 'args', type: 'bytes' },
      { name: 'argsHandle', type: 'bytes', optional: true },
      { name: 'label', type: 'string' },
      { name: 'daemon', type: 'bool' },
      { name: 'parent', type: 'u64' },
      { name: 'parentPid', type: 'u32' },
      { name: 'parentLabel', type: 'string' },
    ],
  },
  GsNameRegister: {
    kind: 'request', reply: 'GsNameReply',
    fields: [
      { name: 'tag', type: 'u32' },
      { name: 'puid', type: 'u64' },
      { name: 'actor', type: 'u32' },
      { name: 'replyTo', type: 'bytes' },
      { name: 'name', type: 'string' },
      { name: 'kind', type: 'string' },
      { name: 'descriptor', type: 'bytes' },
      { name: 'nodeId', type: 'u32', optional: true },
      { name: 'keep', type: 'bool' },
    ],
  },
  GsNameLookup: {
    kind: 'request', reply: 'GsNameReply',
    fields: [
      { name: 'tag', type: 'u32' },
      { name: 'puid', type: 'u64' },
      { name: 'actor', type: 'u32' },
      { name: 'replyTo', type: 'bytes' },
      { name: 'name', type: 'string' },
      { name: 'hold', type: 'bool' },
      { name: 'wait', type: 'bool' },
      { name: 'timeoutMs', type: 'u32', optional: true },
    ],
  },
  GsNameReply: {
    kind: 'reply',
    fields: [
      { name: 'ref', type: 'u32' },
      { name: 'err', type: 'u32' },
      { name: 'info', type: 'string', optional: true },
      { name: 'kind', type: 'string', optional: true },
      { name: 'descriptor', type: 'bytes', optional: true },
      { name: 'nodeId', type: 'u32', optional: true },
    ],
  },
  GsNameRelease: {
    kind: 'request', reply: 'GsReply',
    fields: [
      { name: 'tag', type: 'u32' },
      { name: 'puid', type: 'u64' },
      { name: 'actor', type: 'u32' },
      { name: 'replyTo', type: 'bytes' },
      { name: 'name', type: 'string' },
      { name: 'descriptor', type: 'bytes', optional: true },
    ],
  },
  GsNameUnlink: {
    kind: 'request', reply: 'GsReply',
    fields: [
      { name: 'tag', type: 'u32' },
      { name: 'puid', type: 'u64' },
      { name: 'actor', type: 'u32' },
      { name: 'replyTo', type: 'bytes' },
      { name: 'name', type: 'string' },
      { name: 'descriptor', type: 'bytes', optional: true },
    ],
  },
  GsNameList: {
    kind: 'request', reply: 'GsNameListReply',
    fields: [
      { name: 'tag', type: 'u32' },
      { name: 'puid', type: 'u64' },
      { name: 'actor', type: 'u32' },
      { name: 'replyTo', type: 'bytes' },
    ],
  },
  GsNameListReply: {
    kind: 'reply',
    fields: [
      { name: 'ref', type: 'u32' },
      { name: 'err', type: 'u32' },
      { name: 'info', type: 'string', optional: true },
      { name: 'names', type: { list: { struct: 'NameInfo' } } },
    ],
  },
  GsNodeList: {
    kind: 'request', reply: 'GsNodeListReply',
    fields: [
      { name: 'tag', type: 'u32' },
      { name: 'puid', type: 'u64' },
      { name: 'actor', type: 'u32' },
      { name: 'replyTo', type: 'bytes' },
    ],
  },
  GsNodeListReply: {
    kind: 'reply',
    fields: [
      { name: 'ref', type: 'u32' },
      { name: 'err', type: 'u32' },
      { name: 'info', type: 'string', optional: true },
      { name: 'nodes', type: { list: { struct: 'NodeInfo' } } },
    ],
  },
  LsNodeUp: {
    kind: 'event',
    fields: [
      { name: 'node', type: { struct: 'NodeInfo' } },
    ],
  },
  OverlayDown: {
    kind: 'event',
    fields: [
      { name: 'phase', type: 'u32' },
      { name: 'name', type: 'string' },
      { name: 'patienceMs', type: 'u32' },
      { name: 'body', type: 'bytes', optional: true },
      { name: 'down', type: { list: { struct: 'NodeRange' } } },
    ],
  },
  OverlayUp: {
    kind: 'event',
    fields: [
      { name: 'phase', type: 'u32' },
      { name: 'answered', type: { list: { struct: 'NodeRange' } } },
      { name: 'parts', type: { list: { struct: 'NodePart' } } },
    ],
  },
  OverlayBeat: {
    kind: 'event',
    fields: [
      { name: 'down', type: { list: { struct: 'NodeRange' } } },
    ],
  },
  OverlayLost: {
    kind: 'event',
    fields: [
      { name: 'nodeId', type: 'u32' },
    ],
  },
  GsProcessCreate: {
    kind: 'request', reply: 'GsProcessCreateReply',
    fields: [
      { name: 'tag', type: 'u32' },
      { name: 'puid', type: 'u64' },
      { name: 'actor', type: 'u32' },
      { name: 'replyTo', type: 'bytes' },
      { name: 'name', type: 'string', optional: true },
      { name: 'label', type: 'string' },
      { name: 'daemon', type: 'bool' },
      { name: 'nodeId', type: 'u32', optional: true },
      { name: 'exe', type: 'string', optional: true },
      { name: 'argv', type: { list: 'string' } },
      { name: 'env', type: { list: 'string' } },
      { name: 'cwd', type: 'string' },
      { name: 'stdio', type: { list: 'string' } },
      { name: 'interpreter', type: 'string', optional: true },
      { name: 'start', type: 'bytes', optional: true },
    ],
  },
  GsProcessCreateReply: {
    kind: 'reply',
    fields: [
      { name: 'ref', type: 'u32' },
      { name: 'err', type: 'u32' },
      { name: 'info', type: 'string', optional: true },
      { name: 'puid', type: 'u64', optional: true },
      { name: 'pid', type: 'u32', optional: true },
      { name: 'error', type: 'bytes', optional: true },
    ],
  },
  GsProcessQuery: {
    kind: 'request', reply: 'GsProcessQueryReply',
    fields: [
      { name: 'tag', type: 'u32' },
      { name: 'puid', type: 'u64' },
      { name: 'actor', type: 'u32' },
      { name: 'replyTo', type: 'bytes' },
      { name: 'target', type: 'u64', optional: true },
      { name: 'name', type: 'string', optional: true },
    ],
  },
  GsProcessQueryReply: {
    kind: 'reply',
    fields: [
      { name: 'ref', type: 'u32' },
      { name: 'err', type: 'u32' },
      { name: 'info', type: 'string', optional: true },
      { name: 'process', type: { struct: 'ProcessInfo' }, optional: true },
    ],
  },
  GsProcessList: {
    kind: 'request', reply: 'GsProcessListReply',
    fields: [
      { name: 'tag', type: 'u32' },
      { name: 'puid', type: 'u64' },
      { name: 'actor', type: 'u32' },
      { name: 'replyTo', type: 'bytes' },
      { name: 'ended', type: 'bool' },
    ],
  },
  GsProcessListReply: {
    kind: 'reply',
    fields: [
      { name: 'ref', type: 'u32' },
      { name: 'err', type: 'u32' },
      { name: 'info', type: 'string', optional: true },
      { name: 'processes', type: { list: { struct: 'ProcessInfo' } } },
    ],
  },
  GsProcessJoin: {
    kind: 'request', reply: 'GsProcessJoinReply',
    fields: [
      { name: 'tag', type: 'u32' },
      { name: 'puid', type: 'u64' },
      { name: 'actor', type: 'u32' },
      { name: 'replyTo', type: 'bytes' },
      { name: 'targets', type: { list: 'u64' } },
      { name: 'mode', type: { enum: ['all', 'any'] } },
      { name: 'timeoutMs', type: 'u32', optional: true },
    ],
  },
  GsProcessJoinReply: {
    kind: 'reply',
    fields: [
      { name: 'ref', type: 'u32' },
      { name: 'err', type: 'u32' },
      { name: 'info', type: 'string', optional: true },
      { name: 'exits', type: { list: { struct: 'ProcessExit' } } },
    ],
  },
  GsProcessKill: {
    kind: 'request', reply: 'GsReply',
    fields: [
      { name: 'tag', type: 'u32' },
      { name: 'puid', type: 'u64' },
      { name: 'actor', type: 'u32' },
      { name: 'replyTo', type: 'bytes' },
      { name: 'target', type: 'u64' },
      { name: 'signal', type: 'u32' },
    ],
  },
};
