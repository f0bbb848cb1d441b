/**
 * The two ends of a channel as connections and queues use them: one that writes messages and
 * one that reads them, each an open handle of this process.
 *
 * Goals: asynchronous calls take effect in call order; a message is complete in shared memory,
 * or copied, before a call returns, so that its source may be changed at once; closing an end
 * rejects what waits on it.
 * Non-goals: turning values into bytes. Messages are bytes and a number of hints.
 */
import { decode, decodeFrom, here, LENT_BYTES_MIN } from '../codec/index.ts';
import {
  Channel,
  Lane,
  type Lent,
  type Message,
  type Node,
  type ReceiveHandle,
  type SendHandle,
  snapshot,
  type WaitOptions,
} from '../core/index.ts';
import { ClosedError, DragonError, TimeoutError } from '../runtime/errors/index.ts';
import { takeOver } from './lent.ts';
import { Turns } from './turns.ts';
import type { Watch } from './waitable.ts';

/**
 * The value in a message, from a place on. Big arrays stay in the message's memory, which is given
 * back when the last of them is released or collected; without such it is given back at once.
 */
export function valueIn(message: Message, from = 0): unknown {
  const { bytes } = message;
  // Shorter ones are copies: there is nothing to keep or to give back.
  if (bytes.byteLength >= LENT_BYTES_MIN) return longValueIn(message, from);
  return decode(from === 0 ? bytes : bytes.subarray(from));
}

function longValueIn(message: Message, from: number): unknown {
  const lend = (offset: number, length: number): ArrayBuffer | undefined =>
    message.part(from + offset, length);
  try {
    const value = decode(message.bytes.subarray(from), { lend });
    message.leaveToParts();
    return value;
  } catch (error) {
    message.release();
    throw error;
  }
}

/** Thrown instead of the error of a message that was taken and can't be decoded. */
export class Undecoded {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}

/** What `tryNext` returns when there is nothing. */
export const NOTHING_THERE: unique symbol = Symbol('nothing there');

/** How `wait` watches a channel: for a message, the end of the stream, or its own end. */
export function channelWatch(channel: Channel): Watch {
  const isReady = (): boolean => {
    try {
      return channel.tryPoll('in');
    } catch (error) {
      if (DragonError.is(error) && error.code === 'ERR_OBJECT_DESTROYED') return true;
      throw error;
    }
  };
  return { isReady, places: [{ object: channel.native, lane: Lane.pollIn }] };
}

/** What makes a call fail even if it need not wait. */
export function checkCall(options: WaitOptions | undefined): void {
  if (options === undefined) return;
  options.signal?.throwIfAborted();
  if (Number.isNaN(options.timeout)) throw new TypeError('timeout must not be NaN');
}

/** Messages one behind the other. */
export interface Packed {
  readonly bytes: Uint8Array;
  readonly lengths: Uint32Array;
}

export class WriteEnd {
  readonly #handle: SendHandle;
  readonly #turns = new Turns();

  constructor(handle: SendHandle) {
    this.#handle = handle;
  }

  get channel(): Channel {
    return this.#handle.channel;
  }

  get closed(): boolean {
    return this.#handle.closed;
  }

  /** False when the channel or the pool is full, or when earlier calls still wait. */
  trySend(parts: Uint8Array[], hints: number): boolean {
    return this.#turns.idle && this.#handle.trySend(parts, hints);
  }

  /** The same for the message that `encodeHere` has left. */
  trySendHere(): boolean {
    return this.#turns.idle && this.#handle.trySendAt(here.bytes, here.offset, here.length);
  }

  /** How many of the pack's messages from `first` on were put in; none while earlier calls wait. */
  trySendPack({ bytes, lengths }: Packed, first: number): number {
    return this.#turns.idle ? this.#handle.trySendPacked(bytes, lengths, first) : 0;
  }

  async send(parts: Uint8Array[], hints: number, options?: WaitOptions): Promise<void> {
    checkCall(options);
    if (this.trySend(parts, hints)) return;
    const message = snapshot(parts);
    await this.#turns.run(
      options,
      (left) => this.#handle.send(message, { ...left, hints, stable: true }),
      () => {
        throw new TimeoutError('send: the pipe or queue stayed full');
      },
    );
  }

  sendSync(parts: Uint8Array[], hints: number, options?: WaitOptions): void {
    this.#handle.sendSync(parts, { ...options, hints });
  }

  /** True once all sends that were begun have settled, false at the deadline. */
  settled(options?: WaitOptions): Promise<boolean> {
    return this.#turns.settled(options);
  }

  /** Puts the pack's messages in; blocks the thread. */
  sendPackSync({ bytes, lengths }: Packed, options: WaitOptions): void {
    this.#handle.sendPackedSync(bytes, lengths, options);
  }

  lend(): Lent {
    return this.channel.lend('sender');
  }

  close(why: string): void {
    if (this.#handle.closed) return;
    this.#turns.close(new ClosedError(why));
    this.#handle.close();
  }
}

export class ReadEnd {
  readonly #handle: ReceiveHandle;
  readonly #turns = new Turns();

  constructor(handle: ReceiveHandle) {
    this.#handle = handle;
  }

  get channel(): Channel {
    return this.#handle.channel;
  }

  get closed(): boolean {
    return this.#handle.closed;
  }

  /** Undefined when no message is there, or when earlier calls wait for one. */
  tryReceive(): Message | undefined {
    return this.#turns.idle ? this.#handle.tryReceive() : undefined;
  }

  /** The next message, whoever waits for it: for readers that receive all by themselves. */
  tryReceiveNow(): Message | undefined {
    return this.#handle.tryReceive();
  }

  async receive(options?: WaitOptions): Promise<Message> {
    checkCall(options);
    const message = this.tryReceive();
    if (message !== undefined) return message;
    return this.#turns.run(
      options,
      (left) => this.#handle.receive(left),
      () => {
        throw new TimeoutError('receive: nothing came');
      },
    );
  }

  receiveSync(options?: WaitOptions): Message {
    return this.#handle.receiveSync(options);
  }

  /** The value in the next message; throws Undecoded if it has none. */
  async next(options?: WaitOptions): Promise<unknown> {
    checkCall(options);
    const found = this.tryNext();
    if (found !== NOTHING_THERE) return found;
    return this.#turns.run(
      options,
      (left) => this.#handle.receiveAs(this.#open, left),
      () => {
        throw new TimeoutError('receive: nothing came');
      },
    );
  }

  nextSync(options?: WaitOptions): unknown {
    return this.#open(this.#handle.receiveHereSync(options));
  }

  tryNext(): unknown {
    if (!this.#turns.idle) return NOTHING_THERE;
    const found = this.#handle.tryReceiveHere();
    return found === undefined ? NOTHING_THERE : this.#open(found);
  }

  /** How many short messages were laid into the pack, not more than it has lengths. */
  tryReceivePack({ bytes, lengths }: Packed): number {
    return this.#turns.idle ? this.#handle.tryReceiveShort(bytes, lengths) : 0;
  }

  #open = (found: Message | number): unknown => {
    try {
      if (typeof found === 'number') return decodeFrom(this.#handle.room, 0, found);
      return valueIn(found);
    } catch (error) {
      throw new Undecoded(error);
    }
  };

  lend(): Lent {
    return this.channel.lend('receiver');
  }

  close(why: string): void {
    if (this.#handle.closed) return;
    this.#turns.close(new ClosedError(why));
    this.#handle.close();
  }
}

/** What a connection holds: an end that writes, one that reads, or both. */
export class Ends {
  readonly writer: WriteEnd | undefined;
  readonly reader: ReadEnd | undefined;

  constructor(writer: WriteEnd | undefined, reader: ReadEnd | undefined) {
    this.writer = writer;
    this.reader = reader;
  }

  /** Both ends as one reference: the length of the writer's descriptor, it, the reader's. */
  lend(): Lent {
    const writer = this.writer?.lend();
    let reader: Lent | undefined;
    try {
      reader = this.reader?.lend();
    } catch (error) {
      writer?.cancel();
      throw error;
    }
    const split = 4 + (writer?.descriptor.byteLength ?? 0);
    const descriptor = new Uint8Array(split + (reader?.descriptor.byteLength ?? 0));
    new DataView(descriptor.buffer).setUint32(0, split - 4, true);
    if (writer !== undefined) descriptor.set(writer.descriptor, 4);
    if (reader !== undefined) descriptor.set(reader.descriptor, split);
    return {
      descriptor,
      cancel: () => {
        writer?.cancel();
        reader?.cancel();
      },
    };
  }

  static revive(node: Node, descriptor: Uint8Array): Ends {
    const view = new DataView(descriptor.buffer, descriptor.byteOffset, 4);
    const split = 4 + view.getUint32(0, true);
    let writer: WriteEnd | undefined;
    let reader: ReadEnd | undefined;
    if (split > 4) {
      const lent = descriptor.subarray(4, split);
      const { object, adopted } = takeOver((how) => Channel.attach(node, lent, how));
      writer = new WriteEnd(adopted ? object.adoptedSender() : object.openSender());
    }
    if (split < descriptor.byteLength) {
      const lent = descriptor.subarray(split);
      const { object, adopted } = takeOver((how) => Channel.attach(node, lent, how));
      reader = new ReadEnd(adopted ? object.adoptedReceiver() : object.openReceiver());
    }
    return new Ends(writer, reader);
  }

  /** Closes both ends and this process's attachment to their channels. */
  close(why: string): void {
    for (const end of [this.writer, this.reader]) {
      end?.close(why);
      end?.channel.close();
    }
  }
}
