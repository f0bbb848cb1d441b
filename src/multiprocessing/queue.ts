/**
 * Queues: first-in first-out hand-over of values between any number of processes.
 *
 * Goals: the items of one producer come out in its order; an item is serialised before `put`
 * returns, so what can't be serialised is the caller's error and changes nothing; an aborted
 * or timed-out call has put or taken nothing.
 * Non-goals: no task counting (JoinableQueue) and no order between producers.
 */
import type { ReadableStream, WritableStream } from 'node:stream/web';
import { type Encoded, encode, encodeHere, registerHandle } from '../codec/index.ts';
import type { Lent, WaitOptions } from '../core/index.ts';
import { ClosedError } from '../runtime/errors/index.ts';
import { channelWatch, checkCall, NOTHING_THERE, ReadEnd, Undecoded, WriteEnd } from './ends.ts';
import { copyOfHere, type Decoded, sendAll, sendAllSync, takePack } from './packs.ts';
import { emptyError, fullError, queueError, withDone } from './queue-errors.ts';
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
  /** What was taken together with an item that could not be decoded, and that itself. */
  readonly #late: Decoded[] = [];
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
    checkCall(options);
    const encoded = this.#begin(writer, item);
    if (encoded !== undefined) await this.#send(writer, encoded, options);
  }

  /** As `put`; blocks the thread. */
  putSync(item: T, options?: WaitOptions): void {
    const writer = this.#openWriter();
    checkCall(options);
    const encoded = this.#begin(writer, item);
    if (encoded !== undefined) this.#sendSync(writer, encoded, options);
  }

  /** Puts `item` in and returns true, or returns false when the queue is full. */
  tryPut(item: T): boolean {
    const writer = this.#openWriter();
    const encoded = this.#begin(writer, item);
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
    const writer = this.#openWriter();
    checkCall(options);
    if (this.#onSerializeError !== undefined) return this.#putEach(items, options);
    const deadline = deadlineOf(options);
    const left = (): WaitOptions => ({ ...options, timeout: leftUntil(deadline) });
    await sendAll(writer, items, (message) => this.#send(writer, message, left()));
  }

  /** As `putMany`; blocks the thread. */
  putManySync(items: Iterable<T>, options?: WaitOptions): void {
    const writer = this.#openWriter();
    checkCall(options);
    const deadline = deadlineOf(options);
    const left = (): WaitOptions => ({ ...options, timeout: leftUntil(deadline) });
    if (this.#onSerializeError === undefined) {
      const sendAlone = (message: Encoded) => this.#sendSync(writer, message, left());
      return sendAllSync(items, (pack) => writer.sendPackSync(pack, left()), sendAlone);
    }
    let done = 0;
    try {
      for (const item of items) {
        this.putSync(item, left());
        done++;
      }
    } catch (error) {
      throw withDone(error, done);
    }
  }

  /**
   * Takes the oldest item and waits while there is none. Rejects with QueueEmpty after
   * `timeout` ms, the signal's reason or ClosedError; then nothing was taken. An item that can't
   * be decoded here is taken: DecodeError. Large arrays in it lie in shared memory (`release`).
   */
  async get(options?: WaitOptions): Promise<T> {
    const reader = this.#openReader();
    checkCall(options);
    if (this.#late.length > 0) return this.#nextLate();
    try {
      return (await reader.next(this.waitOptions(options))) as T;
    } catch (error) {
      throw this.#getError(error);
    }
  }

  /** As `get`; blocks the thread. */
  getSync(options?: WaitOptions): T {
    const reader = this.#openReader();
    checkCall(options);
    if (this.#late.length > 0) return this.#nextLate();
    try {
      return reader.nextSync(options) as T;
    } catch (error) {
      throw this.#getError(error);
    }
  }

  /** Takes the oldest item if there is one. */
  tryGet(): TryGetResult<T> {
    const reader = this.#openReader();
    if (this.#late.length > 0) return { ok: true, value: this.#nextLate() };
    let value: unknown;
    try {
      value = reader.tryNext();
    } catch (error) {
      throw this.#getError(error);
    }
    return value === NOTHING_THERE ? NOTHING : { ok: true, value: value as T };
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
    return this.parts.channel.messageCount + this.#late.length;
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
    const { isReady, places } = channelWatch(this.parts.channel);
    return { isReady: () => this.#late.length > 0 || isReady(), places };
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

  /** Puts the item in if that needs no waiting; else what is to be sent. */
  #begin(writer: WriteEnd, item: T): Encoded | undefined {
    if (this.#onSerializeError !== undefined) return this.#encode(item);
    const encoded = encodeHere(item);
    if (encoded !== undefined) return encoded;
    try {
      if (writer.trySendHere()) return undefined;
    } catch (error) {
      throw queueError(error, fullError);
    }
    return { parts: [copyOfHere()], lent: [] };
  }

  async #send(writer: WriteEnd, { parts, lent }: Encoded, options?: WaitOptions): Promise<void> {
    const how = this.#putsRef ? this.waitOptions(options) : { ...options, ref: false };
    try {
      await writer.send(parts, 0, how);
    } catch (error) {
      cancelAll(lent);
      throw queueError(error, fullError);
    }
  }

  #sendSync(writer: WriteEnd, { parts, lent }: Encoded, options?: WaitOptions): void {
    try {
      writer.sendSync(parts, 0, options);
    } catch (error) {
      cancelAll(lent);
      throw queueError(error, fullError);
    }
  }

  async #putEach(items: Iterable<T>, options?: WaitOptions): Promise<void> {
    const deadline = deadlineOf(options);
    let done = 0;
    for (const item of items) {
      try {
        await this.put(item, { ...options, timeout: leftUntil(deadline) });
      } catch (error) {
        throw withDone(error, done);
      }
      done++;
    }
  }

  /** An item that can't be decoded is in nobody's hand. */
  #getError(error: unknown): unknown {
    if (!(error instanceof Undecoded)) return queueError(error, emptyError);
    this.parts.tasks?.done();
    return error.error;
  }

  #nextLate(): T {
    const next = this.#late.shift() as Decoded;
    if ('error' in next) throw next.error;
    return next.value as T;
  }

  #andThoseThere(first: T, max: number): T[] {
    const late = this.#late;
    const items = [first];
    try {
      while (items.length < max) {
        if (late[0] !== undefined) {
          if ('error' in late[0]) break;
          items.push(this.#nextLate());
        } else if (
          this.parts.tasks !== undefined ||
          !takePack(this.#openReader(), items, max, late)
        ) {
          const next = this.tryGet();
          if (!next.ok) break;
          items.push(next.value);
        }
      }
    } catch (error) {
      // What is wrong with the queue itself is told again; what is wrong with an item is not.
      if (!(error instanceof ClosedError)) late.unshift({ error });
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
