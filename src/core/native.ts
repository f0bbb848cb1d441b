/**
 * The faces of the native addon, and how it is found.
 *
 * Goals: one place that knows the addon's path and its signatures. Conditions of the data
 * path come back as status numbers (`spec/errors.yaml`), never as exceptions.
 * Non-goals: no behaviour. The classes in this folder give the faces their meaning.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DragonError } from '../runtime/errors/index.ts';

/** A status number of `spec/errors.yaml`; 0 is success. */
export type Status = number;

export interface NativeNode {
  readonly actorId: number;
  readonly hostId: bigint;
  wellKnown(index: number): Uint8Array | undefined;
  setWellKnown(index: number, handle: Uint8Array): Status;
  /** Puts a woken wait back into its queue, at its old place. */
  rearm(waitId: number): void;
  /** Gives a wait up; a wake that had reached it and was not `used` wakes the next. */
  cancel(waitId: number, used: boolean): void;
  /**
   * Calls back from the event loop with how many ids of woken records lie in `words`, in wake
   * order. Ids that are left there afterwards are ended: their wakes were used.
   */
  onWake(callback: (count: number) => void, words: Uint32Array): void;
  /** Keeps the event loop alive until `WakeWord.refs` is 0 when it is about to sleep. */
  hold(): void;
  /** From here to `endBlock` the thread may sleep until something rings this actor's waits. */
  beginBlock(): void;
  /** Sleeps up to `timeoutMs`, -1 for ever; also for less, since who owed a ring may be dead. */
  block(timeoutMs: number): void;
  endBlock(): void;
  onActor(callback: (actorId: number, pid: number, dead: number) => void): void;
  reclaim(actorId: number): ReclaimReport | Status;
  actors(): ActorInfo[];
  waits(): WaitInfo[];
  segments(): { id: number; fd: number }[];
  /** Gives bytes that lie in a pool back and detaches them; false for other bytes. */
  releaseBytes(bytes: Uint8Array): boolean;
  /**
   * Detaches this ArrayBuffer only; other parts of its memory may still be shown. NOT_FOUND for one
   * that does not lie in a pool, STATE if the bytes were moved from it or to it.
   */
  releaseBuffer(buffer: ArrayBufferLike): Status;
  /** An ArrayBuffer over some of the bytes that lie in a pool; undefined for other bytes. */
  partOfBytes(bytes: Uint8Array, offset: number, length: number): ArrayBuffer | undefined;
  /** A handle to a duplicate of a descriptor, which the broker keeps until it is taken. */
  offerDescriptor(fd: number): Uint8Array | Status;
  /** The number of what was offered, or minus a status. */
  takeDescriptor(handle: Uint8Array): number;
  withdrawDescriptor(handle: Uint8Array): Status;
  close(): void;
}

export interface ReclaimReport {
  readonly allocations: number;
  readonly slots: number;
  readonly records: number;
  readonly locks: number;
}

export interface ActorInfo {
  readonly actorId: number;
  readonly pid: number;
  /** Clock ticks after boot, as field 22 of /proc/PID/stat. */
  readonly startTime: bigint;
  readonly state: 'live' | 'dead' | 'reclaiming';
}

export interface WaitInfo {
  readonly actorId: number;
  readonly pid: number;
  /** Segment and allocation of the object in hexadecimal. */
  readonly objectId: string;
  readonly lane: number;
  /** True for a blocked thread, false for a pending promise. */
  readonly blocked: boolean;
  readonly sinceMs: number;
}

/** What a pool holds; exact while nobody allocates or frees. */
export interface PoolStats {
  /** Most that it may commit. */
  readonly limitBytes: number;
  /** Taken from the system for data. */
  readonly committedBytes: number;
  /** The blocks of live allocations. */
  readonly usedBytes: number;
  /** What those were asked for with. */
  readonly requestedBytes: number;
  /** The limit less what is used. */
  readonly freeBytes: number;
  /** The part of it that stands in processes' magazines; it is taken back when it is needed. */
  readonly cachedBytes: number;
  /** The largest block to be had without that. */
  readonly largestFreeBytes: number;
  /** Most that was ever used and cached at once. */
  readonly highWaterBytes: number;
  readonly allocations: number;
  /** How many wait for memory. */
  readonly waiters: number;
}

export interface NativeAllocationInfo {
  readonly id: bigint;
  readonly byteLength: number;
  readonly type: number;
  readonly actorId: number;
}

/** Anything with lanes to wait on. */
export interface NativeObject {
  /** Puts this actor into a lane's queue; returns the wait's id, or minus a status. */
  arm(lane: number): number;
  serialize(): Uint8Array;
  close(): void;
  destroy(): Status;
}

export interface NativePool extends NativeObject {
  tryAllocate(bytes: number, type: number): NativeAllocation | Status;
  allocateSync(bytes: number, type: number, timeoutMs: number): NativeAllocation | Status;
  /** The live allocation of an id, which may be anybody's. */
  find(id: bigint): NativeAllocation | Status;
  list(): NativeAllocationInfo[];
  trim(): number;
  /** NUMA node, -1 for any; 0 small pages, 1 pages that may be joined, 2 huge ones. */
  readonly placement: readonly [number, number];
  stats(): PoolStats;
  /** Checks the pool's invariants; the text names the first that is broken, '' is well. */
  audit(): string;
}

export interface NativeAllocation {
  readonly id: bigint;
  readonly byteLength: number;
  /** Whether this object gives the memory back. */
  readonly owned: boolean;
  /** An external ArrayBuffer over exactly the allocation; the same one at each call. */
  buffer(): ArrayBuffer | Status;
  read(offset: number, length: number | undefined): Uint8Array | Status;
  write(bytes: Uint8Array, offset: number): Status;
  serialize(offset: number, length: number | undefined): Uint8Array | Status;
  hash(): bigint | Status;
  equals(other: NativeAllocation): boolean | Status;
  isSame(other: NativeAllocation): boolean;
  copyTo(other: NativeAllocation): Status;
  copy(pool: NativePool, timeoutMs: number): NativeAllocation | Status;
  clear(start: number, stop: number | undefined): Status;
  /** A further holder's part in the memory, of which this object becomes one. */
  share(node: NativeNode, holders: number): NativeAllocation | Status;
  free(): Status;
  resize(bytes: number): Status;
  /** Detaches the buffer and leaves the memory allocated. */
  detach(): Status;
}

/** Words by which the waits of a node talk with it, of WAKE_WORDS in all. */
export const WakeWord = {
  /** How many waits keep the event loop alive. */
  refs: 0,
  /** 1 while the addon does so. */
  held: 1,
  /** Here the ids of those that are woken begin. */
  first: 2,
} as const;
export const WAKE_WORDS = 66;

/** A channel, or its task board, as the calls of the data path take it; the face keeps it. */
export type NativePort = { readonly port: unique symbol };

/** Words that those calls set, of WORDS in all. */
export const PortWord = { hints: 0, status: 1, readOnly: 2, bytes: 3 } as const;
export const PORT_WORDS = 16;

/** What a channel is, and who is at it, at one moment. */
export interface ChannelInfo {
  /** Most messages. */
  readonly capacity: number;
  /** Payloads up to this many bytes lie in the channel itself. */
  readonly blockBytes: number;
  readonly endOfStream: boolean;
  /** Whether this attachment masquerades as one of another node. */
  readonly remote: boolean;
  /** Messages that wait. */
  readonly messages: number;
  /** Messages that fit beside them. */
  readonly free: number;
  /** Open handles over all processes. */
  readonly senders: number;
  readonly receivers: number;
  /** Attachments over all processes. */
  readonly holders: number;
  /** Sends and receives, by threads and by promises, that wait. */
  readonly blockedSenders: number;
  readonly blockedReceivers: number;
}

export interface NativeChannel extends NativeObject {
  readonly capacity: number;
  readonly blockBytes: number;
  readonly messageCount: number;
  readonly senders: number;
  readonly receivers: number;
  /** Hints of the message that the last peek of this object returned. */
  readonly lastHints: number;
  /** The handle that an adopted descriptor brought along, 0 if none. */
  readonly adopted: number;
  /** What the calls of the data path take for the channel, and the words that they set. */
  port(words: Float64Array): NativePort;
  /** Opens a counted handle; its number, or minus a status. */
  openHandle(role: number): number;
  closeHandle(handle: number): void;
  trySendAllocation(
    allocation: NativeAllocation,
    hints: number,
    readOnly: boolean,
    how: number,
  ): Status;
  sendAllocationSync(
    allocation: NativeAllocation,
    hints: number,
    readOnly: boolean,
    how: number,
    timeoutMs: number,
  ): Status;
  /** The number of a message whose receipt is waited for, or minus a status. */
  trySendNoted(
    payload: Uint8Array | Uint8Array[] | NativeAllocation,
    hints: number,
    readOnly: boolean,
  ): number;
  /** SUCCESS once that message was received, WOULD_BLOCK before. */
  tryReceipt(message: number): Status;
  /** SUCCESS if that message is this process's again, STATE if it was received. */
  takeBack(message: number): Status;
  receiveToPool(pool: NativePool, timeoutMs: number): NativeAllocation | Status;
  /** The length of the message, or minus a status. */
  receiveToAllocation(allocation: NativeAllocation, timeoutMs: number): number;
  tryPop(): Status;
  /** How many messages there were, or minus a status. */
  drain(): number;
  reset(): Status;
  info(): ChannelInfo;
  masquerade(isRemote: boolean): void;
  tryPeek(): Uint8Array | Status;
  tryPoll(event: number): Status;
  pollSync(event: number, timeoutMs: number): Status;
  /** A reference in flight: a descriptor owned by this actor until it is adopted. */
  lend(role: number): Uint8Array | Status;
  cancelLent(descriptor: Uint8Array): void;
}

export interface NativeLock extends NativeObject {
  readonly locked: boolean;
  readonly heldHere: boolean;
  readonly ownerDied: boolean;
  /** Number of the acquisition that holds the lock or held it last, modulo 2^32. */
  readonly sequence: number;
  /** `probe` asks the kernel whether the holder lives. */
  /** `behindOthers`: does not take what is kept for a waiter, even one of this actor's. */
  tryAcquire(probe: boolean, behindOthers: boolean): Status;
  acquireSync(timeoutMs: number): Status;
  release(): Status;
  /** Frees the lock if the acquisition with this number holds it. */
  releaseIf(sequence: number): Status;
  /** Wakes who a release by the lock's words has to wake. */
  wake(): Status;
  /** The header, and the word of its pool. */
  words(): [lock: ArrayBuffer, pool: ArrayBuffer] | Status;
  lend(role: number): Uint8Array | Status;
  cancelLent(descriptor: Uint8Array): void;
}

export interface NativeBinding {
  createNode(dir: string, nodeId: number): NativeNode | Status;
  attachNode(dir: string): NativeNode | Status;
  createPool(
    node: NativeNode,
    limitBytes: number,
    initialBytes: number,
    growthBytes: number,
    numaNode: number,
    hugePages: boolean,
    populate: boolean,
  ): NativePool | Status;
  attachPool(node: NativeNode, handle: Uint8Array, readOnly: boolean): NativePool | Status;
  attachAllocation(node: NativeNode, handle: Uint8Array): NativeAllocation | Status;
  createChannel(
    pool: NativePool,
    capacity: number,
    blockBytes: number,
    endOfStream: boolean,
    payloadPool: NativePool | undefined,
  ): NativeChannel | Status;
  attachChannel(node: NativeNode, handle: Uint8Array, adopt: boolean): NativeChannel | Status;
  /** 0 or minus a status, as all calls of the data path; a time-out of 0 tries once. */
  send(
    port: NativePort,
    parts: Uint8Array | Uint8Array[],
    hints: number,
    timeoutMs: number,
    how: number,
  ): number;
  /** Tries to send a part of the bytes, without hints. */
  sendAt(port: NativePort, bytes: Uint8Array, offset: number, length: number): number;
  /** Bytes that now lie in `room`, or the payload if that was too short, or minus a status. */
  receive(
    port: NativePort,
    room: Uint8Array,
    timeoutMs: number,
    waitMode: number,
    tasks?: NativePort,
  ): number | Uint8Array;
  /** Bytes that now lie in `room`, or minus a status; a message without room stays. */
  receiveInto(port: NativePort, room: Uint8Array, timeoutMs: number, waitMode: number): number;
  /** How many of the list from `first` on were put in; PortWord.status says why no more. */
  sendMany(
    port: NativePort,
    list: readonly Uint8Array[],
    first: number,
    hints: number,
    timeoutMs: number,
  ): number;
  sendPacked(
    port: NativePort,
    bytes: Uint8Array,
    lengths: Uint32Array,
    first: number,
    hints: number,
    timeoutMs: number,
  ): number;
  /**
   * How many messages now lie in `bytes`; waits for the first only. PortWord.status says why no
   * more: BUFFER_TOO_SHORT for one that has no room or is longer than `most`. The table `flags`
   * gets 1 for those that stay their sender's.
   */
  receivePacked(
    port: NativePort,
    bytes: Uint8Array,
    lengths: Uint32Array,
    hints: Float64Array,
    timeoutMs: number,
    waitMode: number,
    most?: number,
    flags?: Uint8Array,
  ): number;
  createLock(pool: NativePool, robust: boolean): NativeLock | Status;
  attachLock(node: NativeNode, handle: Uint8Array, adopt: boolean): NativeLock | Status;
  /** The text that the last failed factory or attach left, '' if none. */
  lastErrorText(): string;
}

/** The root of the installed package: the first folder above this file with package.json. */
export function packageRoot(): string {
  let dir = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(dir, 'package.json'))) {
    const above = dirname(dir);
    if (above === dir) throw missing(dir);
    dir = above;
  }
  return dir;
}

function missing(root: string, cause?: unknown): DragonError {
  return new DragonError(
    `the native part of dragon is not built in ${root}: run \`npm rebuild\` there`,
    { code: 'ERR_NATIVE_MISSING', cause },
  );
}

let binding: unknown;

/** Loads the addon once. Throws ERR_NATIVE_MISSING with the command that builds it. */
export function loadAddon<T = NativeBinding>(): T {
  if (binding === undefined) {
    const root = packageRoot();
    const path = join(root, 'build', 'Release', 'dragon_native.node');
    try {
      binding = createRequire(import.meta.url)(path);
    } catch (cause) {
      throw missing(root, cause);
    }
  }
  return binding as T;
}
