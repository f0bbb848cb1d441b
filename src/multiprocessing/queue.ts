/**
 * Queues: first-in first-out hand-over of values between any number of processes.
 *
 * Goals: the items of one producer come out in its order; an item is serialised before `put`
 * returns, so what can't be serialised is the caller's error and changes nothing; an aborted
 * or timed-out call has put or taken nothing.
 * Non-goals: no task counting (JoinableQueue) and no order between producers.
 */
import type { ReadableStream, WritableStream } from 'node:stream/web';
import { type Encoded, encode, registerHandle } from '../codec/index.ts';
import type { Lent, Message, WaitOptions } from '../core/index.ts';
import { ClosedError, DragonError, QueueEmpty, QueueFull } from '../runtime/errors/index.ts';
import { channelWatch, ReadEnd, valueIn, WriteEnd } from './ends.ts';
import { QueueParts } from './queue-parts.ts';
import { readableOf, writableOf } from './streams.ts';
import { deadlineOf, leftUntil } from './turns.ts';
import { type Waitable, type Watch, waitable } from './waitable.ts';

export interface QueueOptions {
  /** Most items that wait in the queue; 0, the default, sets no limit but the pool's memory. */
  readonly maxsize?: number;
  /**
   * Hears of an item that can't be serialised, which is dropped then; without it, `put` fails.
   * It belongs to this object and does not travel with the queue.
   */
  readonly onSerializeError?: (error: Error, item: unknown) => void;
}

/** What `tryGet` found; a value of `undefined` is a legal item. */
export type TryGetResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly value?: undefined };

const NOTHING: TryGetResult<never> = Object.freeze({ ok: false });
const CLOSED_HERE = 'the queue was closed in this process';

const emptyError = (): Error => new QueueEmpty('get: the queue stayed empty');
const fullError = (): Error => new QueueFull('put: the queue stayed full');

/** The queue's own error for a channel's time-out or end. */
export function queueError(error: unknown, onTimeout?: () => Error): unknown {
  if (!DragonError.is(error)) return error;
  if (error.code === 'ERR_TIMEOUT' && onTimeout !== undefined) return onTimeout();
  if (error.code === 'ERR_OBJECT_DESTROYED') {
    return new ClosedError('the queue was destroyed', { cause: error });
  }
  return error;
}

/** Notes in an error how much of a batch was done before it. */
function withDone(error: unknown, done: number): unknown {
  if (DragonError.is(error)) Object.assign(error, { details: { ...error.details, done } });
  return error;
}

function cancelAll(lent: Encoded['lent']): void {
  for (const reference of lent) reference.cancel();
}

/**
 * A queue that processes share. Pass it in `args`, through a connection or through another
 * queue; every holder may put and get.
 *
 * @example
 * import { Queue } from 'dragon-runtime/multiprocessing';
 * using queue = new Queue<number>({ maxsize: 10 });
 * await queue.put(1);
 * console.log(await queue.get(), queue.tryGet().ok); // 1 false
 */
export class Queue<T = unknown> implements Disposable, AsyncIterable<T>, Waitable {
  /** @internal */
  protected readonly parts: QueueParts;
  readonly #onSerializeError: QueueOptions['onSerializeError'];
  #writer: WriteEnd | undefined;
  #reader: ReadEnd | undefined;
  #closed = false;
  #ref = true;
  #putsRef = true;

  /** Makes a queue in the node's default pool. Throws ERR_NO_RUNTIME outside a runtime. */
  constructor(options: QueueOptions = {}) {
    this.parts = options instanceof QueueParts ? options : QueueParts.create(options);
    this.#onSerializeError = options.onSerializeError;
  }

  /** The limit that the queue was made with; 0 is none. */
  get maxsize(): number {
    return this.parts.maxsize;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Puts `item` in and waits while the queue is full. The item is serialised before this
   * returns. Rejects with QueueFull after `timeout` ms, the signal's reason, SerializeError
   * or ClosedError; then nothing was put in.
   */
  async put(item: T, options?: WaitOptions): Promise<void> {
    const writer = this.#openWriter();
    const encoded = this.#encode(item);
    if (encoded === undefined) return;
    const how = this.#putsRef ? this.waitOptions(options) : { ...options, ref: false };
    try {
      await writer.send(encoded.parts, 0, how);
    } catch (error) {
      cancelAll(encoded.lent);
      throw queueError(error, fullError);
    }
  }

  /** As `put`; blocks the thread. */
  putSync(item: T, options?: WaitOptions): void {
    const writer = this.#openWriter();
    const encoded = this.#encode(item);
    if (encoded === undefined) return;
    try {
      writer.sendSync(encoded.parts, 0, options);
    } catch (error) {
      cancelAll(encoded.lent);
      throw queueError(error, fullError);
    }
  }

  /** Puts `item` in and returns true, or returns false when the queue is full. */
  tryPut(item: T): boolean {
    const writer = this.#openWriter();
    const encoded = this.#encode(item);
    if (encoded === undefined) return true;
    let sent = false;
    try {
      sent = writer.trySend(encoded.parts, 0);
    } catch (error) {
      throw queueError(error, fullError);
    } finally {
      if (!sent) cancelAll(encoded.lent);
    }
    return sent;
  }

  /** Puts `item` in, or throws QueueFull when the queue is full. */
  putNowait(item: T): void {
    if (!this.tryPut(item)) throw fullError();
  }

  /**
   * Puts all items in, in order. Rejects as `put` does; the error's `details.done` is the
   * number of items that were put in. One time-out spans the whole call.
   */
  async putMany(items: Iterable<T>, options?: WaitOptions): Promise<void> {
    const deadline = deadlineOf(options);
    let done = 0;
    for (const item of items) {
      try {
        if (!this.tryPut(item)) {
          await this.put(item, { ...options, timeout: leftUntil(deadline) });
        }
      } catch (error) {
        throw withDone(error, done);
      }
      done++;
    }
  }

  /** As `putMany`; blocks the thread. */
  putManySync(items: Iterable<T>, options?: WaitOptions): void {
    const deadline = deadlineOf(options);
    let done = 0;
    for (const item of items) {
      try {
        if (!this.tryPut(item)) this.putSync(item, { ...options, timeout: leftUntil(deadline) });
      } catch (error) {
        throw withDone(error, done);
      }
      done++;
    }
  }

  /**
   * Takes the oldest item and waits while there is none. Rejects with QueueEmpty after
   * `timeout` ms, the signal's reason or ClosedError; then nothing was taken. An item that can't
   * be decoded here is taken: DecodeError. Large arrays in it lie in shared memory (`release`).
   */
  async get(options?: WaitOptions): Promise<T> {
    const reader = this.#openReader();
    let message: Message;
    try {
      message = await reader.receive(this.waitOptions(options));
    } catch (error) {
      throw queueError(error, emptyError);
    }
    return this.#valueOf(message);
  }

  /** As `get`; blocks the thread. */
  getSync(options?: WaitOptions): T {
    const reader = this.#openReader();
    let message: Message;
    try {
      message = reader.receiveSync(options);
    } catch (error) {
      throw queueError(error, emptyError);
    }
    return this.#valueOf(message);
  }

  /** Takes the oldest item if there is one. */
  tryGet(): TryGetResult<T> {
    const reader = this.#openReader();
    let message: Message | undefined;
    try {
      message = reader.tryReceive();
    } catch (error) {
      throw queueError(error, emptyError);
    }
    return message === undefined ? NOTHING : { ok: true, value: this.#valueOf(message) };
  }

  /** Takes the oldest item, or throws QueueEmpty when there is none. */
  getNowait(): T {
    const { ok, value } = this.tryGet();
    if (!ok) throw emptyError();
    return value;
  }

  /**
   * Takes at least one item, and then those that are there, up to `max` (default: all).
   * Waits only for the first; rejects as `get` does.
   */
  async getMany(max = Number.POSITIVE_INFINITY, options?: WaitOptions): Promise<T[]> {
    if (!(max >= 1)) return [];
    return this.#andThoseThere(await this.get(options), max);
  }

  /** As `getMany`; blocks the thread. */
  getManySync(max = Number.POSITIVE_INFINITY, options?: WaitOptions): T[] {
    if (!(max >= 1)) return [];
    return this.#andThoseThere(this.getSync(options), max);
  }

  /** Items that wait now; others may put and get at the same time. */
  qsize(): number {
    this.alive('qsize');
    return this.parts.channel.messageCount;
  }

  empty(): boolean {
    return this.qsize() === 0;
  }

  full(): boolean {
    return this.qsize() >= this.parts.channel.capacity;
  }

  /**
   * Ends this process's use of the queue: pending and later calls throw ClosedError, and
   * `for await` ends. Items stay for the other holders. Closing again does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#writer?.close(CLOSED_HERE);
    this.#reader?.close(CLOSED_HERE);
    this.parts.close();
  }

  /** Ends the queue for every holder; waiting items are dropped. */
  destroy(): void {
    this.alive('destroy');
    this.parts.destroy();
    this.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Waits until all puts that this process has begun have settled: true, or false after `timeout`
   * ms. Nothing runs in the background: a put that has settled is in the queue.
   */
  async joinThread(options?: WaitOptions): Promise<boolean> {
    return (await this.#writer?.settled(this.waitOptions(options))) ?? true;
  }

  /** From now on a put that waits does not keep the process alive; what it puts may be lost. */
  cancelJoinThread(): void {
    this.#putsRef = false;
  }

  /** Calls that wait keep the process alive, as they do by default. */
  ref(): this {
    this.#ref = true;
    return this;
  }

  /** From now on calls that wait do not keep the process alive. */
  unref(): this {
    this.#ref = false;
    return this;
  }

  /** Takes items until the queue is closed here or destroyed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    while (!this.#closed) {
      let item: T;
      try {
        item = await this.get();
      } catch (error) {
        if (error instanceof ClosedError) return;
        throw error;
      }
      yield item;
    }
  }

  /** A stream of the items, which are taken as they are read; it ends as `for await` does. */
  readable(): ReadableStream<T> {
    return readableOf(
      (options) => this.get(options),
      (error) => error instanceof ClosedError,
    );
  }

  /** A stream that puts what is written to it, and waits while the queue is full. */
  writable(): WritableStream<T> {
    return writableOf((item, options) => this.put(item, options));
  }

  /** For `wait`: a queue is ready while it has an item, and when it was destroyed. */
  [waitable](): Watch {
    this.alive('wait');
    return channelWatch(this.parts.channel);
  }

  /** @internal */
  protected waitOptions(options: WaitOptions | undefined): WaitOptions | undefined {
    return this.#ref || options?.ref !== undefined ? options : { ...options, ref: false };
  }

  /** @internal */
  protected alive(call: string): void {
    if (this.#closed) throw new ClosedError(`${call}: ${CLOSED_HERE}`);
  }

  /** The item's bytes, or undefined if it can't be serialised and that was told. */
  #encode(item: T): Encoded | undefined {
    if (this.#onSerializeError === undefined) return encode(item);
    try {
      return encode(item);
    } catch (error) {
      this.#onSerializeError(error as Error, item);
      return undefined;
    }
  }

  /** An item that can't be decoded is in nobody's hand. */
  #valueOf(message: Message): T {
    try {
      return valueIn(message) as T;
    } catch (error) {
      this.parts.tasks?.done();
      throw error;
    }
  }

  #andThoseThere(first: T, max: number): T[] {
    const items = [first];
    while (items.length < max) {
      const next = this.tryGet();
      if (!next.ok) break;
      items.push(next.value);
    }
    return items;
  }

  #openWriter(): WriteEnd {
    this.alive('put');
    try {
      this.#writer ??= new WriteEnd(this.parts.channel.openSender());
    } catch (error) {
      throw queueError(error);
    }
    return this.#writer;
  }

  #openReader(): ReadEnd {
    this.alive('get');
    const { channel, tasks } = this.parts;
    try {
      this.#reader ??= new ReadEnd(channel.openReceiver({ tasks }));
    } catch (error) {
      throw queueError(error);
    }
    return this.#reader;
  }

  /** @internal What passing a queue to another process sends. */
  static lend(queue: Queue): Lent {
    queue.alive('send to another process');
    return queue.parts.lend();
  }

  /** @internal */
  static revive(bytes: Uint8Array): Queue {
    return new Queue(QueueParts.revive(bytes));
  }
}

registerHandle(Queue, { kind: 'queue', lend: Queue.lend, revive: Queue.revive });
