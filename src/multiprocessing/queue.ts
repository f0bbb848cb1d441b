/**
 * Queues: first-in first-out hand-over of values between any number of processes.
 *
 * Goals: the items of one producer come out in its order; an item is serialised before `put`
 * returns, so what can't be serialised is the caller's error and changes nothing; an aborted
 * or timed-out call has put or taken nothing.
 * Non-goals: no task counting (JoinableQueue) and no order between producers.
 */
import { encode, registerHandle } from '../codec/index.ts';
import { Channel, type Message, type WaitOptions } from '../core/index.ts';
import { getRuntime } from '../runtime/client/index.ts';
import { ClosedError, DragonError, QueueEmpty, QueueFull } from '../runtime/errors/index.ts';
import { ReadEnd, valueIn, WriteEnd } from './ends.ts';
import { takeOver } from './lent.ts';

/** Places in a queue without a `maxsize`; memory is used only for items that wait. */
const UNBOUNDED_CAPACITY = 2 ** 20;

export interface QueueOptions {
  /** Most items that wait in the queue; 0, the default, sets no limit but the pool's memory. */
  readonly maxsize?: number;
}

/** What `tryGet` found; a value of `undefined` is a legal item. */
export type TryGetResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly value?: undefined };

/** What makes a queue from its descriptor instead of a new one. */
class Revived implements QueueOptions {
  readonly channel: Channel;
  readonly maxsize: number;

  constructor(channel: Channel, maxsize: number) {
    this.channel = channel;
    this.maxsize = maxsize;
  }
}

const NOTHING: TryGetResult<never> = Object.freeze({ ok: false });

function validMaxsize(maxsize: number): number {
  if (Number.isInteger(maxsize) && maxsize <= UNBOUNDED_CAPACITY) return Math.max(0, maxsize);
  throw new DragonError(`maxsize must be an integer up to ${UNBOUNDED_CAPACITY}, not ${maxsize}`, {
    code: 'ERR_INVALID_ARGUMENT',
  });
}

/** The queue's own error for a channel's time-out or end. */
function translate(error: unknown, onTimeout: () => Error): unknown {
  if (!DragonError.is(error)) return error;
  if (error.code === 'ERR_TIMEOUT') return onTimeout();
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

const CLOSED_HERE = 'the queue was closed in this process';

const emptyError = (): Error => new QueueEmpty('get: the queue stayed empty');
const fullError = (): Error => new QueueFull('put: the queue stayed full');

/**
 * A queue that processes share. Pass it in `args`, through a connection or through another
 * queue; every holder may put and get.
 *
 * @example
 * import { Queue } from 'dragon-runtime/multiprocessing';
 * using queue = new Queue<number>({ maxsize: 10 });
 * await queue.put(1);
 * console.log(await queue.get()); // 1
 */
export class Queue<T = unknown> implements Disposable, AsyncIterable<T> {
  readonly #channel: Channel;
  readonly #maxsize: number;
  #writer: WriteEnd | undefined;
  #reader: ReadEnd | undefined;
  #closed = false;

  /** Makes a queue in the node's default pool. Throws ERR_NO_RUNTIME outside a runtime. */
  constructor(options: QueueOptions = {}) {
    this.#maxsize = validMaxsize(options.maxsize ?? 0);
    if (options instanceof Revived) {
      this.#channel = options.channel;
    } else {
      const capacity = this.#maxsize === 0 ? UNBOUNDED_CAPACITY : this.#maxsize;
      this.#channel = Channel.create(getRuntime().pool, { capacity });
    }
  }

  /** The limit that the queue was made with; 0 is none. */
  get maxsize(): number {
    return this.#maxsize;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Puts `item` in and waits while the queue is full. The item is serialised before this
   * returns. Rejects with QueueFull after `timeout` ms, the signal's reason, SerializeError
   * or ClosedError; then nothing was put in.
   */
  put(item: T, options?: WaitOptions): Promise<void> {
    return this.#put(item, (writer, parts) => writer.send(parts, 0, options));
  }

  /** As `put`; blocks the thread. */
  putSync(item: T, options?: WaitOptions): void {
    const writer = this.#openWriter();
    const { parts, lent } = encode(item);
    try {
      writer.sendSync(parts, 0, options);
    } catch (error) {
      for (const reference of lent) reference.cancel();
      throw translate(error, fullError);
    }
  }

  /** Puts `item` in and returns true, or returns false when the queue is full. */
  tryPut(item: T): boolean {
    const writer = this.#openWriter();
    const { parts, lent } = encode(item);
    let sent = false;
    try {
      sent = writer.trySend(parts, 0);
    } catch (error) {
      throw translate(error, fullError);
    } finally {
      if (!sent) for (const reference of lent) reference.cancel();
    }
    return sent;
  }

  /**
   * Puts all items in, in order. Rejects as `put` does; the error's `details.done` is the
   * number of items that were put in. One time-out spans the whole call.
   */
  async putMany(items: Iterable<T>, options?: WaitOptions): Promise<void> {
    const deadline = performance.now() + (options?.timeout ?? Number.POSITIVE_INFINITY);
    let done = 0;
    for (const item of items) {
      try {
        if (!this.tryPut(item)) {
          await this.put(item, { ...options, timeout: deadline - performance.now() });
        }
      } catch (error) {
        throw withDone(error, done);
      }
      done++;
    }
  }

  /**
   * Takes the oldest item and waits while there is none. Rejects with QueueEmpty after
   * `timeout` ms, the signal's reason or ClosedError; then nothing was taken.
   */
  async get(options?: WaitOptions): Promise<T> {
    const reader = this.#openReader();
    let message: Message;
    try {
      message = await reader.receive(options);
    } catch (error) {
      throw translate(error, emptyError);
    }
    return valueIn(message) as T;
  }

  /** As `get`; blocks the thread. */
  getSync(options?: WaitOptions): T {
    const reader = this.#openReader();
    let message: Message;
    try {
      message = reader.receiveSync(options);
    } catch (error) {
      throw translate(error, emptyError);
    }
    return valueIn(message) as T;
  }

  /** Takes the oldest item if there is one. */
  tryGet(): TryGetResult<T> {
    const reader = this.#openReader();
    let message: Message | undefined;
    try {
      message = reader.tryReceive();
    } catch (error) {
      throw translate(error, emptyError);
    }
    return message === undefined ? NOTHING : { ok: true, value: valueIn(message) as T };
  }

  /**
   * Takes at least one item, and then those that are there, up to `max` (default: all).
   * Waits only for the first; rejects as `get` does.
   */
  async getMany(max = Number.POSITIVE_INFINITY, options?: WaitOptions): Promise<T[]> {
    if (!(max >= 1)) return [];
    const items: T[] = [await this.get(options)];
    while (items.length < max) {
      const next = this.tryGet();
      if (!next.ok) break;
      items.push(next.value);
    }
    return items;
  }

  /** Items that wait now; others may put and get at the same time. */
  qsize(): number {
    this.#alive('qsize');
    return this.#channel.messageCount;
  }

  empty(): boolean {
    return this.qsize() === 0;
  }

  full(): boolean {
    return this.qsize() >= this.#channel.capacity;
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
    this.#channel.close();
  }

  /** Ends the queue for every holder; waiting items are dropped. */
  destroy(): void {
    this.#alive('destroy');
    this.#channel.destroy();
    this.close();
  }

  [Symbol.dispose](): void {
    this.close();
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

  async #put(item: T, send: (writer: WriteEnd, parts: Uint8Array[]) => Promise<void>) {
    const writer = this.#openWriter();
    const { parts, lent } = encode(item);
    try {
      await send(writer, parts);
    } catch (error) {
      for (const reference of lent) reference.cancel();
      throw translate(error, fullError);
    }
  }

  #openWriter(): WriteEnd {
    this.#alive('put');
    try {
      this.#writer ??= new WriteEnd(this.#channel.openSender());
    } catch (error) {
      throw translate(error, fullError);
    }
    return this.#writer;
  }

  #openReader(): ReadEnd {
    this.#alive('get');
    try {
      this.#reader ??= new ReadEnd(this.#channel.openReceiver());
    } catch (error) {
      throw translate(error, emptyError);
    }
    return this.#reader;
  }

  #alive(call: string): void {
    if (this.#closed) throw new ClosedError(`${call}: ${CLOSED_HERE}`);
  }

  /** @internal What passing a queue to another process sends. */
  static lend(queue: Queue): { descriptor: Uint8Array; cancel(): void } {
    queue.#alive('send to another process');
    const { descriptor, cancel } = queue.#channel.lend('holder');
    const bytes = new Uint8Array(4 + descriptor.byteLength);
    new DataView(bytes.buffer).setUint32(0, queue.#maxsize, true);
    bytes.set(descriptor, 4);
    return { descriptor: bytes, cancel };
  }

  /** @internal */
  static revive(bytes: Uint8Array): Queue {
    const maxsize = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
    const { node } = getRuntime();
    const { object } = takeOver((how) => Channel.attach(node, bytes.subarray(4), how));
    return new Queue(new Revived(object, maxsize));
  }
}

registerHandle(Queue, { kind: 'queue', lend: Queue.lend, revive: Queue.revive });
