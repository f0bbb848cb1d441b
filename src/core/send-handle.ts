/**
 * The sending end of a channel.
 *
 * Goals: a send that fails has sent nothing; bytes are copied before a call returns, whether it
 * waits or not; an allocation is sent without a copy, and is the receiver's from then on.
 */
import { Status } from '../runtime/errors/codes.ts';
import { errorFromStatus } from '../runtime/errors/index.ts';
import { Allocation } from './allocation.ts';
import type { Channel } from './channel.ts';
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

export class SendHandle implements Disposable {
  readonly channel: Channel;
  readonly #native: NativeChannel;
  readonly #handle: number;
  #closed = false;

  constructor(channel: Channel, handle: number) {
    this.channel = channel;
    this.#native = channel.native;
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
        : this.#native.sendSync(payload, hints, timeoutMs);
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

  #try(payload: Payload, hints: number): number {
    this.#alive();
    return payload instanceof Allocation
      ? this.#native.trySendAllocation(payload.native, hints)
      : this.#native.trySend(payload, hints);
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
