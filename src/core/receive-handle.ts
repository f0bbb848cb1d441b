/**
 * The receiving end of a channel.
 *
 * Goals: each message is received once, in the order of its sender; one whose receive timed out
 * or was aborted stays in the channel. Large payloads are not copied (`message.ts`).
 */
import { Status } from '../runtime/errors/codes.ts';
import { BufferTooShort, errorFromStatus } from '../runtime/errors/index.ts';
import type { Channel } from './channel.ts';
import type { Batch, Line } from './line.ts';
import { Message } from './message.ts';
import type { NativeChannel } from './native.ts';
import { Lane, NOT_YET, timeoutMsOf, type WaitOptions } from './wait.ts';

const EMPTY = Status.EMPTY;
const TIMED_OUT = Status.TIMEOUT;
const NO_HINTS = new Float64Array();

export class ReceiveHandle implements Disposable {
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

  /** The next message, or undefined when there is none. Throws ERR_EOF at the end. */
  tryReceive(): Message | undefined {
    this.#alive('receive');
    return this.#message(this.#line.receive(0), 'receive');
  }

  /** A copy of the next message, which stays in the channel. */
  tryPeek(): Message | undefined {
    this.#alive('peek');
    const result = this.#native.tryPeek();
    if (typeof result === 'number') return this.#message(result, 'peek');
    return new Message(this.channel.node, result, this.#native.lastHints);
  }

  receiveSync(options?: WaitOptions): Message {
    this.#alive('receive');
    options?.signal?.throwIfAborted();
    const message = this.#message(this.#line.receive(timeoutMsOf(options)), 'receive');
    if (message === undefined) throw errorFromStatus(TIMED_OUT, 'receive');
    return message;
  }

  receive(options?: WaitOptions): Promise<Message> {
    return this.channel.node.waits.wait<Message>(
      this.#native,
      Lane.receive,
      () => this.tryReceive() ?? NOT_YET,
      options,
      () => {
        throw errorFromStatus(TIMED_OUT, 'receive');
      },
    );
  }

  /**
   * Receives the next message into `room` and returns its length, or -1 when there is none; makes
   * no object. A message that does not fit throws BufferTooShort, which carries it.
   */
  tryReceiveInto(room: Uint8Array): number {
    this.#alive('receive');
    return this.#length(this.#line.receiveInto(room, 0), room);
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
  receiveIntoSync(room: Uint8Array, timeoutMs = -1): number {
    this.#alive('receive');
    return this.#length(this.#line.receiveInto(room, timeoutMs), room);
  }

  /** The hints of the last message that was received through this attachment of the channel. */
  get hints(): number {
    return this.#line.hints;
  }

  /** Up to `max` messages that are there now, in one call. Throws ERR_EOF at the end. */
  tryReceiveMany(max = Number.POSITIVE_INFINITY): Message[] {
    this.#alive('receive');
    return this.#messages(this.#line.receiveMany(max, 0));
  }

  /** At least one message, and then those that are there, up to `max`; blocks the thread. */
  receiveManySync(max = Number.POSITIVE_INFINITY, options?: WaitOptions): Message[] {
    this.#alive('receive');
    options?.signal?.throwIfAborted();
    const messages = this.#messages(this.#line.receiveMany(max, timeoutMsOf(options)));
    if (messages.length === 0 && max >= 1) throw errorFromStatus(TIMED_OUT, 'receive');
    return messages;
  }

  /** As `receiveManySync`, without blocking the thread. */
  receiveMany(max = Number.POSITIVE_INFINITY, options?: WaitOptions): Promise<Message[]> {
    return this.channel.node.waits.wait<Message[]>(
      this.#native,
      Lane.receive,
      () => {
        const messages = this.tryReceiveMany(max);
        return messages.length > 0 || !(max >= 1) ? messages : NOT_YET;
      },
      options,
      () => {
        throw errorFromStatus(TIMED_OUT, 'receive');
      },
    );
  }

  /**
   * Receives messages into `bytes`, one behind the other, and their lengths and hints into
   * `lengths` and `hints`, as many as those have places; returns how many. Makes no object. Waits
   * up to `timeoutMs` for the first of them (0, the default: not at all; -1: for ever). `bytes`
   * needs room for one block more than the messages. A payload that does not lie in the channel
   * itself, and does not fit or has 16 KiB and more, ends the call and is what the next receive of
   * this handle gets.
   */
  receivePacked(
    bytes: Uint8Array,
    lengths: Uint32Array,
    hints: Float64Array = NO_HINTS,
    timeoutMs = 0,
  ): number {
    this.#alive('receive');
    const count = this.#line.receivePacked(bytes, lengths, hints, timeoutMs);
    if (count < 0 && count !== -EMPTY && count !== -TIMED_OUT) {
      throw errorFromStatus(-count, 'receive');
    }
    return Math.max(0, count);
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

  #alive(what: string): void {
    if (this.#closed) throw errorFromStatus(Status.CLOSED, what);
  }

  #message(result: Uint8Array | number, what: string): Message | undefined {
    if (typeof result !== 'number') {
      return new Message(this.channel.node, result, this.#line.hints);
    }
    if (result === EMPTY || result === TIMED_OUT) return undefined;
    throw errorFromStatus(result, what);
  }

  #length(result: number | Uint8Array, room: Uint8Array): number {
    if (typeof result !== 'number') {
      const text = `receive: ${result.byteLength} bytes do not fit into ${room.byteLength}`;
      throw new BufferTooShort(text, result);
    }
    if (result >= 0) return result;
    if (result === -EMPTY || result === -TIMED_OUT) return -1;
    throw errorFromStatus(-result, 'receive');
  }

  #messages({ payloads, hints, status }: Batch): Message[] {
    if (status !== 0 && status !== EMPTY && status !== TIMED_OUT) {
      throw errorFromStatus(status, 'receive');
    }
    const node = this.channel.node;
    return payloads.map((bytes, i) => new Message(node, bytes, hints[i] as number));
  }
}
