/**
 * The receiving end of a channel.
 *
 * Goals: each message is received once, in the order of its sender; one whose receive timed out,
 * was aborted or had no room stays in the channel. Large payloads are not copied (`message.ts`).
 */
import { Status } from '../runtime/errors/codes.ts';
import { errorFromStatus } from '../runtime/errors/index.ts';
import { Allocation } from './allocation.ts';
import type { Channel } from './channel.ts';
import { ChannelEnd, type EndOptions } from './channel-end.ts';
import { Countdown } from './countdown.ts';
import type { ReceivedBatch } from './line.ts';
import { Message, ZERO_COPY_BYTES } from './message.ts';
import type { NativePort } from './native.ts';
import { Pool } from './pool.ts';
import type { TaskBoard } from './task-board.ts';
import { Lane, NOT_YET, type WaitOptions } from './wait.ts';

const EMPTY = Status.EMPTY;
const TIMED_OUT = Status.TIMEOUT;
const NO_MEMORY = Status.OUT_OF_MEMORY;
const NO_HINTS = new Float64Array();
const TOO_SHORT = Status.BUFFER_TOO_SHORT;
/** Ends a wait for a message without having used the wake: there is one, but no memory for it. */
const NO_MEMORY_NOW: unique symbol = Symbol('no memory now');

export interface ReceiverOptions extends EndOptions {
  /** Counts what is received as in this process's hand, until it is said to be done. */
  readonly tasks?: TaskBoard | undefined;
}

/** A message that was received into memory of the receiver's. */
export interface Received {
  /** Where it lies, from its beginning on. */
  readonly memory: Allocation;
  /** Its length in bytes. */
  readonly byteLength: number;
  /** The number that the sender sent along. */
  readonly hints: number;
}

function isNothing(status: number): boolean {
  return status === EMPTY || status === TIMED_OUT || status === Status.WOULD_BLOCK;
}

function timedOut(): never {
  throw errorFromStatus(TIMED_OUT, 'receive');
}

/**
 * A counted handle of a channel in the role of a receiver.
 *
 * With a task board only `receive`, `receiveSync` and `tryReceive` take messages; every other call
 * that would is ERR_NOT_SUPPORTED. Every receive throws ERR_EOF at the end of a stream,
 * ERR_OBJECT_DESTROYED on a channel that was destroyed, and for a message whose payload was freed
 * (the next one is received by the next call), ERR_CLOSED. One that waits throws ERR_TIMEOUT at its
 * deadline.
 *
 * @example
 * import { Channel, Pool } from 'dragon-runtime/core';
 * const pool = Pool.create(Pool.default().node, { limitBytes: 1 << 20 });
 * const channel = Channel.create(Pool.default());
 * const [sender, receiver] = [channel.openSender(), channel.openReceiver({ timeout: 1000 })];
 * sender.sendManySync([Uint8Array.of(1), Uint8Array.of(2, 3), Uint8Array.of(4)]);
 * console.log(receiver.receiveSync().bytes, receiver.tryPop()); // Uint8Array(1) [ 1 ] true
 * const { memory, byteLength } = receiver.receiveToSync(pool);
 * console.log(memory.bytes, byteLength); // Uint8Array(1) [ 4 ] 1
 * await receiver.receive({ timeout: 5 }).catch((error) => console.log(error.code)); // ERR_TIMEOUT
 */
export class ReceiveHandle extends ChannelEnd {
  readonly #tasks: NativePort | undefined;

  /** @internal Channels open handles. */
  constructor(channel: Channel, handle: number, options: ReceiverOptions = {}) {
    super(channel, handle, options);
    this.#tasks = options.tasks?.port;
  }

  /** The next message, or undefined when there is none. */
  tryReceive(): Message | undefined {
    this.alive('receive');
    return this.#message(this.line.receive(0, 0, this.#tasks), 'receive');
  }

  /**
   * @internal As `tryReceive`, without an object for a short message: its length, and it lies at
   * the beginning of `room` until the next receive.
   */
  tryReceiveHere(): Message | number | undefined {
    this.alive('receive');
    return this.#here(this.line.receiveHere(0, 0, this.#tasks));
  }

  /** @internal The same; blocks the thread. */
  receiveHereSync(options?: WaitOptions): Message | number {
    this.alive('receive');
    options?.signal?.throwIfAborted();
    const result = this.line.receiveHere(this.timeoutMs(options), this.waitMode, this.#tasks);
    return this.#here(result) ?? timedOut();
  }

  /** @internal The same without blocking; settles with what `open` makes of it at once. */
  receiveAs<T>(open: (found: Message | number) => T, options?: WaitOptions): Promise<T> {
    return this.channel.node.waits.wait<T>(
      this.native,
      Lane.receive,
      () => {
        const found = this.tryReceiveHere();
        return found === undefined ? NOT_YET : open(found);
      },
      this.waitOptions(options),
      timedOut,
    );
  }

  /** @internal */
  get room(): Uint8Array {
    return this.line.room;
  }

  /** The next message; blocks the thread. */
  receiveSync(options?: WaitOptions): Message {
    this.alive('receive');
    options?.signal?.throwIfAborted();
    const result = this.line.receive(this.timeoutMs(options), this.waitMode, this.#tasks);
    return this.#message(result, 'receive') ?? timedOut();
  }

  /** The next message. */
  receive(options?: WaitOptions): Promise<Message> {
    return this.channel.node.waits.wait<Message>(
      this.native,
      Lane.receive,
      () => this.tryReceive() ?? NOT_YET,
      this.waitOptions(options),
      timedOut,
    );
  }

  /**
   * A copy of the next message, which stays in the channel; undefined without one. Throws
   * ERR_NOT_SUPPORTED on an attachment that masquerades as remote.
   */
  tryPeek(): Message | undefined {
    this.alive('peek');
    const result = this.native.tryPeek();
    if (typeof result !== 'number') {
      return new Message(this.channel.node, result, this.native.lastHints);
    }
    if (isNothing(result)) return undefined;
    throw errorFromStatus(result, 'peek');
  }

  /** Takes the next message away and frees its payload; false without one. Throws as `tryPeek`. */
  tryPop(): boolean {
    this.#aliveUncounted('pop');
    const status = this.native.tryPop();
    if (status === 0) return true;
    if (isNothing(status)) return false;
    throw errorFromStatus(status, 'pop');
  }

  /**
   * Receives the next message into `room` and returns its length, or -1 when there is none; makes
   * no object. A message that does not fit stays where it is: ERR_BUFFER_TOO_SHORT, whose
   * `details.bytes` is its length.
   */
  tryReceiveInto(room: Uint8Array): number {
    this.#aliveUncounted('receive');
    return this.#length(this.line.receiveInto(room, 0, 0), room);
  }

  /**
   * As `tryReceiveInto`; blocks the thread up to `timeoutMs`, -1 for ever, and returns -1 then.
   *
   * @example
   * import { Channel, Pool } from 'dragon-runtime/core';
   * const channel = Channel.create(Pool.default());
   * channel.openSender().trySend(Uint8Array.of(1, 2, 3), 7);
   * const receiver = channel.openReceiver();
   * const room = new Uint8Array(100);
   * console.log(receiver.receiveIntoSync(room), receiver.hints, room[2]); // 3 7 3
   */
  receiveIntoSync(room: Uint8Array, timeoutMs = this.timeoutMs(undefined)): number {
    this.#aliveUncounted('receive');
    return this.#length(this.line.receiveInto(room, timeoutMs, this.waitMode), room);
  }

  /** As `tryReceiveInto`; waits for a message, and is -1 at the deadline. */
  receiveInto(room: Uint8Array, options?: WaitOptions): Promise<number> {
    return this.channel.node.waits.wait<number>(
      this.native,
      Lane.receive,
      () => {
        const length = this.tryReceiveInto(room);
        return length < 0 ? NOT_YET : length;
      },
      this.waitOptions(options),
      () => -1,
    );
  }

  /** The hints of the last message that was received through this attachment of the channel. */
  get hints(): number {
    return this.line.hints;
  }

  /**
   * Receives the next message into a new allocation of the pool, any pool of the node, or into
   * an allocation of this process. Nothing is copied if the payload lies in that pool already.
   * Undefined when there is no message, or no memory for it now. A message that does not fit the
   * allocation stays: ERR_BUFFER_TOO_SHORT with `details.bytes`. ERR_NOT_OWNER for an allocation
   * of another process, ERR_TOO_LARGE for a message above the pool's limit: it stays.
   */
  tryReceiveTo(to: Pool | Allocation): Received | undefined {
    const received = this.#receiveTo(to, 0);
    if (typeof received !== 'number') return received;
    if (isNothing(received) || received === NO_MEMORY) return undefined;
    throw this.#refusal(received);
  }

  /** As `tryReceiveTo`; blocks the thread until there are a message and memory for it. */
  receiveToSync(to: Pool | Allocation, options?: WaitOptions): Received {
    options?.signal?.throwIfAborted();
    const received = this.#receiveTo(to, this.timeoutMs(options));
    if (typeof received !== 'number') return received;
    throw this.#refusal(isNothing(received) ? TIMED_OUT : received);
  }

  /** As `tryReceiveTo`; waits until there are a message and memory for it. */
  async receiveTo(to: Pool | Allocation, options?: WaitOptions): Promise<Received> {
    const deadline = new Countdown(this.timeoutMs(options));
    const { waits } = this.channel.node;
    const left = () => {
      const leftMs = deadline.leftMs();
      return { ...options, timeout: leftMs < 0 ? undefined : leftMs };
    };
    const look = (): Received | typeof NOT_YET => {
      const received = this.#receiveTo(to, 0);
      if (typeof received !== 'number') return received;
      if (isNothing(received)) return NOT_YET;
      throw received === NO_MEMORY ? NO_MEMORY_NOW : this.#refusal(received);
    };
    for (;;) {
      try {
        return await waits.wait<Received>(this.native, Lane.receive, look, left(), timedOut);
      } catch (error) {
        if (error !== NO_MEMORY_NOW || !(to instanceof Pool)) throw error;
      }
      // The message may be another receiver's meanwhile: then there is one to wait for again.
      const memory = (): Received | undefined | typeof NOT_YET => {
        const received = this.#receiveTo(to, 0);
        if (typeof received !== 'number') return received;
        if (received === NO_MEMORY) return NOT_YET;
        if (isNothing(received)) return undefined;
        throw this.#refusal(received);
      };
      const place = this.channel.placeIn(to);
      const received = await waits.wait(place, Lane.memory, memory, left(), timedOut);
      if (received !== undefined) return received;
    }
  }

  #receiveTo(to: Pool | Allocation, timeoutMs: number): Received | number {
    this.#aliveUncounted('receive');
    if (to instanceof Pool) {
      const made = this.native.receiveToPool(to.native, timeoutMs);
      if (typeof made === 'number') return made;
      const memory = new Allocation(to, made);
      return { memory, byteLength: this.line.neededBytes, hints: this.line.hints };
    }
    const byteLength = this.native.receiveToAllocation(to.native, timeoutMs);
    return byteLength < 0 ? -byteLength : { memory: to, byteLength, hints: this.line.hints };
  }

  /** Up to `max` messages, and 256, that are there now, in one call. */
  tryReceiveMany(max = Number.POSITIVE_INFINITY): Message[] {
    this.#aliveUncounted('receive');
    return this.#messages(this.line.receiveMany(max, 0, 0));
  }

  /** At least one message, else as `tryReceiveMany`; blocks the thread. */
  receiveManySync(max = Number.POSITIVE_INFINITY, options?: WaitOptions): Message[] {
    this.#aliveUncounted('receive');
    options?.signal?.throwIfAborted();
    const batch = this.line.receiveMany(max, this.timeoutMs(options), this.waitMode);
    const messages = this.#messages(batch);
    if (messages.length === 0 && max >= 1) timedOut();
    return messages;
  }

  /** As `receiveManySync`, without blocking the thread. */
  receiveMany(max = Number.POSITIVE_INFINITY, options?: WaitOptions): Promise<Message[]> {
    return this.channel.node.waits.wait<Message[]>(
      this.native,
      Lane.receive,
      () => {
        const messages = this.tryReceiveMany(max);
        return messages.length > 0 || !(max >= 1) ? messages : NOT_YET;
      },
      this.waitOptions(options),
      timedOut,
    );
  }

  /**
   * Receives messages into `bytes`, one behind the other, and their lengths and hints into
   * `lengths` and `hints`, as many as those have places; returns how many. Makes no object. Waits
   * up to `timeoutMs` for the first of them (0, the default: not at all; -1: for ever). Ends before
   * a message that has no room any more, which stays in the channel; if that is the first one it
   * is ERR_BUFFER_TOO_SHORT with its length as `details.bytes`.
   */
  receivePacked(
    bytes: Uint8Array,
    lengths: Uint32Array,
    hints: Float64Array = NO_HINTS,
    timeoutMs = 0,
  ): number {
    this.#aliveUncounted('receive');
    const count = this.line.receivePacked(bytes, lengths, hints, timeoutMs, this.waitMode);
    if (count >= 0) return count;
    if (isNothing(-count)) return 0;
    throw this.#refusal(-count);
  }

  /**
   * @internal As `receivePacked`, but ends before a message that need not be copied, too, and is 0
   * where the first is such a one.
   */
  tryReceiveShort(bytes: Uint8Array, lengths: Uint32Array): number {
    this.#aliveUncounted('receive');
    const most = ZERO_COPY_BYTES - 1;
    const count = this.line.receivePacked(bytes, lengths, NO_HINTS, 0, this.waitMode, most);
    if (count >= 0) return count;
    if (isNothing(-count) || -count === TOO_SHORT) return 0;
    throw this.#refusal(-count);
  }

  /** For what takes a message and can't count it. */
  #aliveUncounted(what: string): void {
    this.alive(what);
    if (this.#tasks === undefined) return;
    const why = 'a receiver with a task board takes messages by receive only';
    throw errorFromStatus(Status.NOT_SUPPORTED, what, why);
  }

  #here(result: Uint8Array | number): Message | number | undefined {
    if (typeof result === 'number' && result >= 0) return result;
    return this.#message(typeof result === 'number' ? -result : result, 'receive');
  }

  #message(result: Uint8Array | number, what: string): Message | undefined {
    if (typeof result !== 'number') {
      return new Message(this.channel.node, result, this.line.hints, this.line.readOnly);
    }
    if (result === EMPTY || result === TIMED_OUT) return undefined;
    throw errorFromStatus(result, what);
  }

  #length(result: number, room: Uint8Array): number {
    if (result >= 0) return result;
    if (isNothing(-result)) return -1;
    throw this.#refusal(-result, room.byteLength);
  }

  #refusal(status: number, roomBytes?: number): Error {
    if (status !== Status.BUFFER_TOO_SHORT) return errorFromStatus(status, 'receive');
    const bytes = this.line.neededBytes;
    const why = roomBytes === undefined ? `${bytes} bytes` : `${bytes} bytes into ${roomBytes}`;
    return errorFromStatus(status, 'receive', { why, details: { bytes } });
  }

  #messages({ payloads, hints, readOnly, status }: ReceivedBatch): Message[] {
    if (status !== 0 && !isNothing(status)) throw errorFromStatus(status, 'receive');
    const node = this.channel.node;
    return payloads.map(
      (bytes, i) => new Message(node, bytes, hints[i] as number, readOnly[i] as boolean),
    );
  }
}
