/**
 * The sending end of a channel.
 *
 * Goals: a send that fails has sent nothing; bytes are copied before a call returns, whether it
 * waits or not; an allocation is sent without a copy, and is the receiver's from then on.
 */
import { Status } from '../runtime/errors/codes.ts';
import { DragonError, errorFromStatus } from '../runtime/errors/index.ts';
import { Allocation } from './allocation.ts';
import type { Channel } from './channel.ts';
import { Countdown } from './countdown.ts';
import type { Line } from './line.ts';
import type { NativeChannel } from './native.ts';
import { Lane, NOT_YET, timeoutMsOf, type WaitOptions } from './wait.ts';

const FULL = Status.FULL;
const TIMED_OUT = Status.TIMEOUT;
const NO_MEMORY = Status.OUT_OF_MEMORY;

export interface SendOptions extends WaitOptions {
  /** A number that travels with the message, below 2^32. */
  readonly hints?: number;
}

/** What a message is made of: bytes, up to 64 parts of it, or an allocation as it is. */
export type Payload = Uint8Array | Uint8Array[] | Allocation;

/** One copy of all parts: what a message that can't be sent at once keeps. */
function snapshot(parts: Uint8Array | Uint8Array[]): Uint8Array {
  if (!Array.isArray(parts)) return parts.slice();
  const copy = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    copy.set(part, offset);
    offset += part.byteLength;
  }
  return copy;
}

function noteDone(error: DragonError, done: number): DragonError {
  return Object.assign(error, { details: { ...error.details, done } });
}

/** The error of a batch of which `done` messages went. */
function withDone(status: number, done: number): DragonError {
  return noteDone(errorFromStatus(status, 'send'), done);
}

export class SendHandle implements Disposable {
  readonly channel: Channel;
  readonly #native: NativeChannel;
  readonly #line: Line;
  readonly #handle: number;
  #closed = false;

  constructor(channel: Channel, handle: number) {
    this.channel = channel;
    this.#native = channel.native;
    this.#line = channel.line;
    this.#handle = handle;
  }

  /** Puts a message in, or returns false when the channel or the pool is full. */
  trySend(payload: Payload, hints = 0): boolean {
    const status = this.#try(payload, hints);
    if (status === 0) return true;
    if (status === FULL || status === NO_MEMORY) return false;
    throw errorFromStatus(status, 'send');
  }

  /** Puts a message in; blocks the thread while the channel is full. */
  sendSync(payload: Payload, options?: SendOptions): void {
    this.#alive();
    options?.signal?.throwIfAborted();
    const hints = options?.hints ?? 0;
    const timeoutMs = timeoutMsOf(options);
    const status =
      payload instanceof Allocation
        ? this.#native.sendAllocationSync(payload.native, hints, timeoutMs)
        : this.#line.send(payload, hints, timeoutMs);
    if (status === 0) return;
    throw errorFromStatus(status === FULL ? TIMED_OUT : status, 'send');
  }

  /**
   * Puts a message in; waits while the channel is full (ERR_TIMEOUT) or its pool is
   * (ERR_OUT_OF_MEMORY). Parts are one message; they are copied before this returns. An
   * allocation of the channel's pool is sent without a copy: when this fulfils it is the
   * message's, its buffer is detached and it is of no more use here; until then, and when this
   * rejects, it is the caller's.
   */
  send(payload: Payload, options?: SendOptions): Promise<void> {
    const hints = options?.hints ?? 0;
    let last: number = FULL;
    let kept: Payload | undefined;
    return this.channel.node.waits.wait<void>(
      this.#native,
      [Lane.send, Lane.channelMemory],
      () => {
        last = this.#try(kept ?? payload, hints);
        if (last === 0) return undefined;
        if (last !== FULL && last !== NO_MEMORY) throw errorFromStatus(last, 'send');
        kept ??= payload instanceof Allocation ? payload : snapshot(payload);
        return NOT_YET;
      },
      options,
      () => {
        throw errorFromStatus(last === FULL ? TIMED_OUT : last, 'send');
      },
    );
  }

  /**
   * Puts in as many of the messages, in their order, as there is room for now, and returns how
   * many that were. One call for a batch costs far less than one for each message.
   */
  trySendMany(payloads: readonly Uint8Array[], hints = 0): number {
    this.#alive();
    const sent = this.#line.sendMany(payloads, 0, hints, 0);
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
    this.#alive();
    options?.signal?.throwIfAborted();
    const deadline = new Countdown(timeoutMsOf(options));
    const hints = options?.hints ?? 0;
    for (let done = 0; done < payloads.length; ) {
      const sent = this.#line.sendMany(payloads, done, hints, deadline.leftMs());
      if (sent < 0) throw withDone(-sent, done);
      done += sent;
      const status = this.#line.status;
      if (status !== 0) throw withDone(status === FULL ? TIMED_OUT : status, done);
    }
  }

  /** As `sendManySync`, without blocking the thread. The payloads are copied if it has to wait. */
  async sendMany(payloads: readonly Uint8Array[], options?: SendOptions): Promise<void> {
    const deadline = new Countdown(timeoutMsOf(options));
    options?.signal?.throwIfAborted();
    let done = this.trySendMany(payloads, options?.hints);
    if (done === payloads.length) return;
    const left = payloads.slice(done).map((payload) => payload.slice());
    for (const payload of left) {
      const timeout = deadline.leftMs();
      try {
        await this.send(payload, { ...options, timeout: timeout < 0 ? undefined : timeout });
      } catch (error) {
        throw DragonError.is(error) ? noteDone(error, done) : error;
      }
      done++;
    }
  }

  /**
   * The same as `trySendMany` for messages that lie one behind the other in `bytes`, each of the
   * length that `lengths` says, from the message `first` on.
   */
  trySendPacked(bytes: Uint8Array, lengths: Uint32Array, first = 0, hints = 0): number {
    this.#alive();
    const sent = this.#line.sendPacked(bytes, lengths, first, hints, 0);
    this.#checkBatch(sent, lengths.length - first);
    return sent;
  }

  /** As `trySendPacked`; blocks the thread until all are in. */
  sendPackedSync(bytes: Uint8Array, lengths: Uint32Array, options?: SendOptions): void {
    this.#alive();
    options?.signal?.throwIfAborted();
    const timeoutMs = timeoutMsOf(options);
    const sent = this.#line.sendPacked(bytes, lengths, 0, options?.hints ?? 0, timeoutMs);
    if (sent === lengths.length) return;
    if (sent < 0) throw errorFromStatus(-sent, 'send');
    const status = this.#line.status;
    throw withDone(status === FULL ? TIMED_OUT : status, sent);
  }

  /** Throws for a batch that ended early for another reason than a lack of room. */
  #checkBatch(sent: number, wanted: number): void {
    if (sent === wanted) return;
    const status = sent < 0 ? -sent : this.#line.status;
    if (status === FULL || status === NO_MEMORY) return;
    throw withDone(status, Math.max(0, sent));
  }

  #try(payload: Payload, hints: number): number {
    this.#alive();
    return payload instanceof Allocation
      ? this.#native.trySendAllocation(payload.native, hints)
      : this.#line.send(payload, hints, 0);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#native.closeHandle(this.#handle);
    this.channel.node.waits.nudge(this.#native);
  }

  get closed(): boolean {
    return this.#closed;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #alive(): void {
    if (this.#closed) throw errorFromStatus(Status.CLOSED, 'send');
  }
}
