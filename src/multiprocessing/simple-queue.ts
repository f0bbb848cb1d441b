/**
 * Simple queues: put, get and empty, without a limit and without time-outs of put.
 *
 * They are queues with less to learn. Non-goals: everything else that a Queue does.
 */
import { registerHandle } from '../codec/index.ts';
import type { Lent, WaitOptions } from '../core/index.ts';
import { Queue } from './queue.ts';
import type { Watch } from './waitable.ts';
import { waitable } from './waitable.ts';

/**
 * A queue without a limit that processes share.
 *
 * @example
 * import { SimpleQueue } from 'dragon-runtime/multiprocessing';
 * using queue = new SimpleQueue<number>();
 * await queue.put(1);
 * console.log(queue.empty(), await queue.get(), queue.empty()); // false 1 true
 */
export class SimpleQueue<T = unknown> implements Disposable, AsyncIterable<T> {
  readonly #queue: Queue<T>;

  /** Makes a queue in the node's default pool. Throws ERR_NO_RUNTIME outside a runtime. */
  constructor();
  /** @internal */
  constructor(queue: Queue<T>);
  constructor(queue = new Queue<T>()) {
    this.#queue = queue;
  }

  /** Puts `item` in. Rejects with SerializeError or ClosedError; then nothing was put in. */
  put(item: T): Promise<void> {
    return this.#queue.put(item);
  }

  /** As `put`; blocks the thread. */
  putSync(item: T): void {
    this.#queue.putSync(item);
  }

  /** Takes the oldest item and waits while there is none. Rejects as `Queue.get` does. */
  get(options?: WaitOptions): Promise<T> {
    return this.#queue.get(options);
  }

  /** As `get`; blocks the thread. */
  getSync(options?: WaitOptions): T {
    return this.#queue.getSync(options);
  }

  /** Whether no item waits now; others may put and get at the same time. */
  empty(): boolean {
    return this.#queue.empty();
  }

  get closed(): boolean {
    return this.#queue.closed;
  }

  /**
   * Ends this process's use of the queue, of both its ends: pending and later calls throw
   * ClosedError. Closing again does nothing.
   */
  close(): void {
    this.#queue.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Takes items until the queue is closed here. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return this.#queue[Symbol.asyncIterator]();
  }

  [waitable](): Watch {
    return this.#queue[waitable]();
  }

  /** @internal What passing a queue to another process sends. */
  static lend(queue: SimpleQueue): Lent {
    return Queue.lend(queue.#queue);
  }

  /** @internal */
  static revive(bytes: Uint8Array): SimpleQueue {
    return new SimpleQueue(Queue.revive(bytes));
  }
}

registerHandle(SimpleQueue, {
  kind: 'simple-queue',
  lend: SimpleQueue.lend,
  revive: SimpleQueue.revive,
});
