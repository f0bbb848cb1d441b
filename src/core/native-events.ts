/**
 * The faces of event objects in the addon: semaphores, barriers, events and their like.
 *
 * A result that is a count is a number from 0 on, or minus a status. Non-goals: no behaviour.
 */
import type { BlockedWait } from './blocked.ts';
import type {
  NativeChannel,
  NativeLock,
  NativeNode,
  NativeObject,
  NativePool,
  NativePort,
} from './native.ts';
import { loadAddon, type Status } from './native.ts';

/** A number from 0 on, or minus a status. */
export type Count = number;

/** An object that can be lent. */
export interface NativeManaged extends NativeObject {
  lend(role: number): Uint8Array | Status;
  cancelLent(descriptor: Uint8Array): void;
  /** Makes a lent reference the node's own, until somebody adopts it. */
  entrust(descriptor: Uint8Array): Status;
}

export interface NativeSemaphore extends NativeManaged {
  readonly value: number;
  /** 0 if it is not bounded. */
  readonly bound: number;
  /** The value before. */
  tryAcquire(permits: number): Count;
  acquireSync(timeoutMs: number, permits: number): Count;
  release(permits: number): Status;
  tryZero(): Status;
  waitZeroSync(timeoutMs: number): Status;
}

export interface NativeEvent extends NativeManaged {
  readonly isSet: boolean;
  readonly timesSet: number;
  set(): Status;
  clear(): Status;
  /** SUCCESS if it is set, or has been since it was set `since` times. */
  tryWait(since: number): Status;
  waitSync(timeoutMs: number): Status;
}

export interface NativeBarrier extends NativeManaged {
  readonly parties: number;
  readonly waiting: number;
  readonly broken: boolean;
  /** Whether the last party of each generation acts, and ends it by `finish`. */
  readonly acts: boolean;
  /** The number of the wait, for `look` and the like; minus FULL while the last party acts. */
  arrive(): Count;
  /** Waits while it is full. */
  arriveSync(timeoutMs: number): Count;
  /** Minus WOULD_BLOCK unless it is the last. */
  tryArrive(): Count;
  isActing(wait: number): boolean;
  /** The index of the arrival. */
  finish(wait: number): Count;
  lookSync(wait: number, timeoutMs: number): Count;
  /** The index of the arrival. `probe` asks the kernel whether those that arrived live. */
  look(wait: number, probe: boolean): Count;
  giveUp(wait: number): Count;
  /** The index of the arrival. */
  tryWait(): Count;
  waitSync(timeoutMs: number): Count;
  abort(): Status;
  reset(): Status;
}

export interface NativeCondition extends NativeManaged {
  readonly waiting: number;
  /** The number of the wait, for `look` and `leave`, and the lane to arm. */
  enter(): Count;
  look(wait: number): Status;
  /** SUCCESS if it had been notified; `pass` hands that to the next waiter. */
  leave(wait: number, pass: boolean): Status;
  waitSync(lock: NativeLock, timeoutMs: number): Status;
  /** How many were notified. */
  notify(count: number): Count;
}

export interface NativeBroadcast extends NativeManaged {
  readonly round: number;
  readonly payloadBytes: number;
  /** Of the round that was read last. */
  readonly lastRound: number;
  readonly lastMissed: number;
  /** How many waited for the round that was published last. */
  readonly lastWoken: number;
  /** The number of the round. */
  tryPublish(payload: Uint8Array): Count;
  publishSync(payload: Uint8Array, timeoutMs: number): Count;
  tryRead(from: number): Uint8Array | Status;
  waitSync(timeoutMs: number): Uint8Array | Status;
}

/** `lane` is 0 to read, 1 to write. */
export interface NativeRwLock extends NativeManaged {
  /** Actor that writes, 0 if none. */
  readonly writer: number;
  readonly readers: number;
  readonly ownerDied: boolean;
  /** `probe` asks the kernel whether those in the way live. */
  attempt(lane: number, probe: boolean): Status;
  waitSync(lane: number, timeoutMs: number): Status;
  end(lane: number): Status;
  /** Who waited to write and does not come tells those that let it go first. */
  giveUp(): void;
}

export interface NativeRegion extends NativeManaged {
  readonly byteLength: number;
  buffer(): ArrayBuffer | Status;
}

export interface NativeChannelSet {
  /** The member's number. */
  add(channel: NativeChannel, mask: number): Count;
  change(member: number, mask: number): Status;
  remove(member: number): Status;
  /** The number of a ready member times 32, and its events. */
  tryPoll(): Count;
  pollSync(timeoutMs: number): Count;
  /** The ids of waits in all queues; the last is minus a status if not all could be entered. */
  armAll(): number[];
  close(): void;
}

export interface NativeTaskBoard extends NativeManaged {
  /** What the calls of a channel's data path take for the board. */
  port(): NativePort;
  end(): Status;
  /** SUCCESS if all is done. `probe` asks the kernel whether those with items in hand live. */
  look(channel: NativeChannel, probe: boolean): Status;
  joinSync(channel: NativeChannel, timeoutMs: number): Status;
  forgetLost(): void;
}

type Made<T> = T | Status;

interface EventBinding {
  blockedWaits(node: NativeNode): BlockedWait[];
  createSemaphore(pool: NativePool, initial: number, bound: number): Made<NativeSemaphore>;
  attachSemaphore(node: NativeNode, handle: Uint8Array, adopt: boolean): Made<NativeSemaphore>;
  createEvent(pool: NativePool, set: boolean): Made<NativeEvent>;
  attachEvent(node: NativeNode, handle: Uint8Array, adopt: boolean): Made<NativeEvent>;
  createBarrier(pool: NativePool, parties: number, acts: boolean): Made<NativeBarrier>;
  attachBarrier(node: NativeNode, handle: Uint8Array, adopt: boolean): Made<NativeBarrier>;
  createCondition(pool: NativePool, waiters: number): Made<NativeCondition>;
  attachCondition(node: NativeNode, handle: Uint8Array, adopt: boolean): Made<NativeCondition>;
  createBroadcast(pool: NativePool, bytes: number, rounds: number): Made<NativeBroadcast>;
  attachBroadcast(node: NativeNode, handle: Uint8Array, adopt: boolean): Made<NativeBroadcast>;
  createRwLock(pool: NativePool, readers: number): Made<NativeRwLock>;
  attachRwLock(node: NativeNode, handle: Uint8Array, adopt: boolean): Made<NativeRwLock>;
  createRegion(pool: NativePool, bytes: number): Made<NativeRegion>;
  attachRegion(node: NativeNode, handle: Uint8Array, adopt: boolean): Made<NativeRegion>;
  createChannelSet(node: NativeNode): Made<NativeChannelSet>;
  createTaskBoard(pool: NativePool, consumers: number): Made<NativeTaskBoard>;
  attachTaskBoard(node: NativeNode, handle: Uint8Array, adopt: boolean): Made<NativeTaskBoard>;
}

/** The addon, as this file knows it. */
export function eventAddon(): EventBinding {
  return loadAddon<EventBinding>();
}
