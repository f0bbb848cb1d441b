/**
 * The sending end of a channel.
 *
 * Goals: a send that fails has sent nothing; bytes are copied before a call returns, whether it
 * waits or not; an allocation is sent without a copy, and is the receiver's from then on, or is
 * lent and stays the sender's.
 */
import { Status } from '../runtime/errors/codes.ts';
import { DragonError, errorFromStatus } from '../runtime/errors/index.ts';
import { Allocation } from './allocation.ts';
import type { Channel } from './channel.ts';
import { ChannelEnd, type EndOptions } from './channel-end.ts';
import { Countdown } from './countdown.ts';
import { Lane, NOT_YET, type WaitOptions } from './wait.ts';

const FULL = Status.FULL;
const TIMED_OUT = Status.TIMEOUT;
const NO_MEMORY = Status.OUT_OF_MEMORY;
const NOT_RECEIVED = Status.WOULD_BLOCK;

/**
 * When a send is back: the message will be in the channel (`immediately`), its bytes may be used
 * again too (`whenBuffered`), it is in the channel (`whenDeposited`: on one node the three are the
 * same), or it was received, popped or drained (`whenReceived`).
 */
export type ReturnMode = 'immediately' | 'whenBuffered' | 'whenDeposited' | 'whenReceived';

const MODE: Record<ReturnMode, number> = {
  immediately: 0,
  whenBuffered: 1,
  whenDeposited: 2,
  whenReceived: 3,
};
/** The addon takes the mode and the way to wait as one number. */
const WAIT_MODE = 4;

export interface SenderOptions extends EndOptions {
  /** For sends that name no other; default `whenBuffered`. */
  readonly mode?: ReturnMode | undefined;
}

export interface SendOptions extends WaitOptions {
  /** A number that travels with the message: an integer from 0 to 2^53 - 1. */
  readonly hints?: number | undefined;
  /** Default: that of the handle. */
  readonly mode?: ReturnMode | undefined;
  /**
   * Lends an allocation: it stays the sender's, who keeps it until its receivers have said that
   * they have it: they copy it, and get ERR_OBJECT_DESTROYED for one that was freed. Not for bytes.
   */
  readonly readOnly?: boolean | undefined;
  /** The bytes will not change before the send has settled, so it keeps no copy while it waits. */
  readonly stable?: boolean | undefined;
}

/** What a message is made of: bytes, up to 64 parts of it, or an allocation as it is. */
export type Payload = Uint8Array | Uint8Array[] | Allocation;

/** One copy of all parts: what a message that can't be sent at once keeps. */
export function snapshot(parts: Uint8Array | readonly Uint8Array[]): Uint8Array {
  if (parts instanceof Uint8Array) return parts.slice();
  const copy = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    copy.set(part, offset);
    offset += part.byteLength;
  }
  return copy;
}

/** The messages that lie one behind the other in `bytes`, from number `first` on. */
function unpacked(bytes: Uint8Array, lengths: Uint32Array, first: number): Uint8Array[] {
  const all: Uint8Array[] = [];
  let at = 0;
  for (const length of lengths) {
    all.push(bytes.subarray(at, at + length));
    at += length;
  }
  if (at > bytes.length) throw errorFromStatus(Status.INVALID_ARGUMENT, 'send');
  return all.slice(first);
}

/** Notes in an error how many messages of a batch went. */
function noteDone(error: unknown, done: number): unknown {
  if (!DragonError.is(error)) return error;
  return Object.assign(error, { details: { ...error.details, done } });
}

function withDone(status: number, done: number): unknown {
  return noteDone(errorFromStatus(status, 'send'), done);
}

function isNoRoom(status: number): boolean {
  return status === FULL || status === NO_MEMORY || status === NOT_RECEIVED;
}

/**
 * A counted handle of a channel in the role of a sender.
 *
 * @example
 * import { Channel, Pool } from 'dragon-runtime/core';
 * const channel = Channel.create(Pool.default(), { capacity: 2 });
 * const [sender, receiver] = [channel.openSender({ timeout: 1000 }), channel.openReceiver()];
 * sender.sendSync(Uint8Array.of(1), { hints: 7 });
 * const received = sender.send(Uint8Array.of(2), { mode: 'whenReceived' });
 * console.log(receiver.receiveSync().hints, receiver.receiveSync().bytes); // 7 Uint8Array(1) [ 2 ]
 * await received;
 */
export class SendHandle extends ChannelEnd {
  readonly #how: number;

  /** @internal Channels open handles. */
  constructor(channel: Channel, handle: number, options: SenderOptions = {}) {
    super(channel, handle, options);
    this.#how = MODE[options.mode ?? 'whenBuffered'] + WAIT_MODE * this.waitMode;
  }

  /**
   * Puts a message in, or returns false when the channel or the pool is full, or, with the mode
   * `whenReceived`, when nobody takes it at once: then it was not sent.
   */
  trySend(payload: Payload, hints = 0, options?: Pick<SendOptions, 'mode' | 'readOnly'>): boolean {
    const status = this.#try(payload, hints, this.#howOf(options), options?.readOnly ?? false);
    if (status === 0) return true;
    if (isNoRoom(status)) return false;
    throw errorFromStatus(status, 'send');
  }

  /**
   * @internal As `trySend`, whatever the handle's mode, for the `length` bytes of `bytes` from
   * `offset` on: they lie outside of the engine's heap, as those of more than 64 bytes do.
   */
  trySendAt(bytes: Uint8Array, offset: number, length: number): boolean {
    this.alive('send');
    const status = this.line.sendAt(bytes, offset, length);
    if (status === 0) return true;
    if (isNoRoom(status)) return false;
    throw errorFromStatus(status, 'send');
  }

  /** As `send`; blocks the thread. */
  sendSync(payload: Payload, options?: SendOptions): void {
    this.alive('send');
    options?.signal?.throwIfAborted();
    const hints = options?.hints ?? 0;
    const timeoutMs = this.timeoutMs(options);
    const how = this.#howOf(options);
    const readOnly = options?.readOnly ?? false;
    const status =
      payload instanceof Allocation
        ? this.native.sendAllocationSync(payload.native, hints, readOnly, how, timeoutMs)
        : this.#line(payload, hints, how, readOnly, timeoutMs);
    if (status === 0) return;
    const isOver = status === FULL || status === NOT_RECEIVED;
    throw errorFromStatus(isOver ? TIMED_OUT : status, 'send');
  }

  /**
   * Puts a message in; waits while the channel is full (ERR_TIMEOUT) or its pool is
   * (ERR_OUT_OF_MEMORY), and with the mode `whenReceived` until it was received (ERR_TIMEOUT: it
   * was taken back). Parts are one message; they are copied before this returns, unless they are
   * `stable`. An allocation of the channel's pool is sent without a copy: when this fulfils it is
   * the message's, its buffer is detached and it is of no more use here; when this rejects it is
   * the caller's. Throws ERR_BROKEN_PIPE, ERR_TOO_LARGE, ERR_NOT_OWNER for an allocation of
   * another process, ERR_INVALID_ARGUMENT for one of another pool, ERR_OBJECT_DESTROYED and
   * ERR_CLOSED.
   */
  send(payload: Payload, options?: SendOptions): Promise<void> {
    const how = this.#howOf(options);
    if (how % WAIT_MODE === MODE.whenReceived) return this.#sendReceived(payload, options);
    const hints = options?.hints ?? 0;
    const readOnly = options?.readOnly ?? false;
    return this.#deposit(
      payload,
      this.waitOptions(options),
      (kept) => -this.#try(kept, hints, how, readOnly),
    ) as Promise<undefined>;
  }

  /** Waits until `attempt` has put the payload in, and returns its number; undefined for 0. */
  #deposit(
    payload: Payload,
    options: SendOptions | undefined,
    attempt: (payload: Payload) => number,
  ): Promise<number | undefined> {
    let last: number = FULL;
    let kept: Payload | undefined;
    const isKept = payload instanceof Allocation || options?.stable === true;
    return this.channel.node.waits.wait<number | undefined>(
      this.native,
      [Lane.send, Lane.channelMemory],
      () => {
        const result = attempt(kept ?? payload);
        if (result >= 0) return result === 0 ? undefined : result;
        last = -result;
        if (last !== FULL && last !== NO_MEMORY) throw errorFromStatus(last, 'send');
        kept ??= isKept ? payload : snapshot(payload as Uint8Array);
        return NOT_YET;
      },
      options,
      () => {
        throw errorFromStatus(last === FULL ? TIMED_OUT : last, 'send');
      },
    );
  }

  async #sendReceived(payload: Payload, options: SendOptions | undefined): Promise<void> {
    const timeoutMs = this.timeoutMs(options);
    if (timeoutMs === 0) return this.sendSync(payload, options);
    const deadline = new Countdown(timeoutMs);
    const { hints = 0, readOnly = false, signal, ref } = options ?? {};
    const number = await this.#deposit(payload, this.waitOptions(options), (kept) => {
      this.#check(kept, readOnly);
      const native = kept instanceof Allocation ? kept.native : kept;
      return this.native.trySendNoted(native, hints, readOnly);
    });
    const message = number as number;
    const look = (): undefined | typeof NOT_YET => {
      if (this.closed) throw errorFromStatus(Status.CLOSED, 'send');
      const status = this.native.tryReceipt(message);
      if (status === 0) return undefined;
      if (status === NOT_RECEIVED) return NOT_YET;
      throw errorFromStatus(status, 'send');
    };
    const leftMs = deadline.leftMs();
    const left = { signal, ref, timeout: leftMs < 0 ? undefined : leftMs };
    try {
      await this.channel.node.waits.wait<undefined>(this.native, Lane.receipt, look, left);
    } catch (error) {
      const status = this.native.takeBack(message);
      // Received at the last moment.
      if (status === Status.STATE) return;
      if (status === Status.OBJECT_DESTROYED) throw errorFromStatus(status, 'send');
      throw error;
    }
  }

  /**
   * Puts in as many of the messages, in their order, as there is room for now, and returns how
   * many that were. One call for a batch costs far less than one for each message.
   */
  trySendMany(payloads: readonly Uint8Array[], hints = 0): number {
    this.alive('send');
    if (this.#waitsForReceipt()) {
      const refused = payloads.findIndex((payload) => !this.trySend(payload, hints));
      return refused < 0 ? payloads.length : refused;
    }
    const sent = this.line.sendMany(payloads, 0, hints, 0);
    this.#checkBatch(sent, payloads.length);
    return sent;
  }

  /**
   * Puts all the messages in, in their order; blocks the thread while the channel is full. One
   * time-out spans the call. The `details.done` of an error is how many were put in before it.
   *
   * @example
   * import { Channel, Pool } from 'dragon-runtime/core';
   * const channel = Channel.create(Pool.default());
   * channel.openSender().sendManySync([Uint8Array.of(1), Uint8Array.of(2, 3)]);
   * const messages = channel.openReceiver().receiveManySync(10);
   * console.log(messages.map((message) => message.bytes.length)); // [ 1, 2 ]
   */
  sendManySync(payloads: readonly Uint8Array[], options?: SendOptions): void {
    this.alive('send');
    options?.signal?.throwIfAborted();
    if (this.#waitsForReceipt(options)) return this.#sendEachSync(payloads, options);
    const sent = this.line.sendMany(payloads, 0, options?.hints ?? 0, this.timeoutMs(options));
    this.#checkSent(sent, payloads.length);
  }

  /** As `sendManySync`, without blocking the thread. The payloads are copied if it has to wait. */
  async sendMany(payloads: readonly Uint8Array[], options?: SendOptions): Promise<void> {
    const deadline = new Countdown(this.timeoutMs(options));
    options?.signal?.throwIfAborted();
    this.alive('send');
    const isEach = this.#waitsForReceipt(options);
    let done = isEach ? 0 : this.trySendMany(payloads, options?.hints);
    if (done === payloads.length) return;
    const isStable = options?.stable ?? false;
    const left = payloads.slice(done).map((payload) => (isStable ? payload : payload.slice()));
    for (const payload of left) {
      const leftMs = deadline.leftMs();
      const timeout = leftMs < 0 ? undefined : leftMs;
      try {
        await this.send(payload, { ...options, timeout, stable: true });
      } catch (error) {
        throw noteDone(error, done);
      }
      done++;
    }
  }

  /**
   * The same as `trySendMany` for messages that lie one behind the other in `bytes`, each of the
   * length that `lengths` says, from the message `first` on.
   */
  trySendPacked(bytes: Uint8Array, lengths: Uint32Array, first = 0, hints = 0): number {
    this.alive('send');
    if (this.#waitsForReceipt()) return this.trySendMany(unpacked(bytes, lengths, first), hints);
    const sent = this.line.sendPacked(bytes, lengths, first, hints, 0);
    this.#checkBatch(sent, lengths.length - first);
    return sent;
  }

  /** As `trySendPacked`; blocks the thread until all are in. */
  sendPackedSync(bytes: Uint8Array, lengths: Uint32Array, options?: SendOptions): void {
    this.alive('send');
    options?.signal?.throwIfAborted();
    if (this.#waitsForReceipt(options)) {
      return this.#sendEachSync(unpacked(bytes, lengths, 0), options);
    }
    const hints = options?.hints ?? 0;
    const sent = this.line.sendPacked(bytes, lengths, 0, hints, this.timeoutMs(options));
    this.#checkSent(sent, lengths.length);
  }

  #sendEachSync(payloads: readonly Uint8Array[], options: SendOptions | undefined): void {
    const deadline = new Countdown(this.timeoutMs(options));
    for (const [done, payload] of payloads.entries()) {
      const leftMs = deadline.leftMs();
      try {
        this.sendSync(payload, { ...options, timeout: leftMs < 0 ? undefined : leftMs });
      } catch (error) {
        throw noteDone(error, done);
      }
    }
  }

  /** Throws for a batch that ended early for another reason than a lack of room. */
  #checkBatch(sent: number, wanted: number): void {
    if (sent === wanted) return;
    const status = sent < 0 ? -sent : this.line.status;
    if (!isNoRoom(status)) throw withDone(status, Math.max(0, sent));
  }

  /** Throws for a batch that ended early. */
  #checkSent(sent: number, wanted: number): void {
    if (sent === wanted) return;
    const status = sent < 0 ? -sent : this.line.status;
    throw withDone(status === FULL ? TIMED_OUT : status, Math.max(0, sent));
  }

  #howOf(options: Pick<SendOptions, 'mode'> | undefined): number {
    const mode = options?.mode;
    return mode === undefined ? this.#how : MODE[mode] + WAIT_MODE * this.waitMode;
  }

  #waitsForReceipt(options?: SendOptions): boolean {
    return this.#howOf(options) % WAIT_MODE === MODE.whenReceived;
  }

  #check(payload: Payload, readOnly: boolean): void {
    this.alive('send');
    if (!readOnly || payload instanceof Allocation) return;
    throw errorFromStatus(Status.INVALID_ARGUMENT, 'lend bytes that are no allocation');
  }

  #try(payload: Payload, hints: number, how: number, readOnly: boolean): number {
    this.alive('send');
    return payload instanceof Allocation
      ? this.native.trySendAllocation(payload.native, hints, readOnly, how)
      : this.#line(payload, hints, how, readOnly, 0);
  }

  #line(
    payload: Uint8Array | Uint8Array[],
    hints: number,
    how: number,
    readOnly: boolean,
    timeoutMs: number,
  ): number {
    if (readOnly) this.#check(payload, readOnly);
    return this.line.send(payload, hints, timeoutMs, how);
  }
}
