/**
 * Conditions: processes that hold a lock wait until others say that something has changed.
 *
 * A notify ends the wait of who came first. One that reaches a waiter which dies, aborts or closes
 * goes to the next. After such a death a wait may end without a notify: look whether what you
 * wait for is so, or let `waitFor` do it.
 */
import { Status } from '../runtime/errors/codes.ts';
import { errorFromStatus } from '../runtime/errors/index.ts';
import type { RobustLock } from './lock.ts';
import { type AttachOptions, counted, ManagedObject } from './managed.ts';
import { eventAddon, type NativeCondition } from './native-events.ts';
import { type Node, unwrap } from './node.ts';
import type { Pool } from './pool.ts';
import { NOT_YET, timeoutMsOf, type WaitOptions } from './wait.ts';

export interface ConditionOptions {
  /** Most waits at a time; default 256. */
  readonly waiters?: number;
}

const WHAT = 'wait for a condition';

export class Condition extends ManagedObject<NativeCondition> {
  private constructor(node: Node, native: NativeCondition) {
    super(node, native, 'a condition');
  }

  static create(pool: Pool, options: ConditionOptions = {}): Condition {
    const native = eventAddon().createCondition(pool.native, options.waiters ?? 256);
    return new Condition(pool.node, unwrap(native, 'create a condition'));
  }

  static attach(node: Node, handle: Uint8Array, options: AttachOptions = {}): Condition {
    const native = eventAddon().attachCondition(node.native, handle, options.adopt ?? false);
    return new Condition(node, unwrap(native, 'attach to a condition'));
  }

  /**
   * Releases the lock, waits for a notify, and takes the lock again: true, or false at the
   * deadline. The lock is held then, and also when this throws, but for a lock that was itself
   * destroyed or closed; taking it again has no deadline. Blocks the thread.
   */
  waitSync(lock: RobustLock, options?: WaitOptions): boolean {
    options?.signal?.throwIfAborted();
    const status = this.native.waitSync(lock.native, timeoutMsOf(options));
    if (status === 0) return true;
    if (status === Status.TIMEOUT || status === Status.WOULD_BLOCK) return false;
    throw errorFromStatus(status, WHAT);
  }

  /** As `waitSync`, as a promise. After an abort the lock is held, and no notify was used. */
  async wait(lock: RobustLock, options?: WaitOptions): Promise<boolean> {
    timeoutMsOf(options);
    options?.signal?.throwIfAborted();
    if (!lock.locked) throw errorFromStatus(Status.NOT_OWNER, WHAT);
    const wait = counted(this.native.enter(), WHAT);
    try {
      lock.release();
    } catch (error) {
      this.native.leave(wait, true);
      throw error;
    }
    try {
      return await this.#notified(wait, options);
    } finally {
      await lock.acquire();
    }
  }

  async #notified(wait: number, options: WaitOptions | undefined): Promise<boolean> {
    const look = (): true | typeof NOT_YET => {
      const status = this.native.look(wait);
      if (status === 0) return true;
      if (status === Status.WOULD_BLOCK) return NOT_YET;
      throw errorFromStatus(status, WHAT);
    };
    try {
      const isNotified = await this.node.waits.wait<boolean>(
        this.native,
        wait,
        look,
        options,
        () => false,
      );
      return isNotified || this.native.leave(wait, false) === 0;
    } catch (error) {
      this.native.leave(wait, true);
      throw error;
    }
  }

  /** Waits until `holds()` is true, which is asked with the lock held; false at the deadline. */
  async waitFor(lock: RobustLock, holds: () => boolean, options?: WaitOptions): Promise<boolean> {
    const timeoutMs = timeoutMsOf(options);
    const endMs = timeoutMs < 0 ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
    for (;;) {
      if (holds()) return true;
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) return false;
      await this.wait(lock, { ...options, timeout: leftMs });
    }
  }

  /** Ends up to `count` waits, of those that came first; returns how many. */
  notify(count = 1): number {
    return counted(this.native.notify(count), 'notify a condition');
  }

  notifyAll(): number {
    return this.notify(Number.POSITIVE_INFINITY);
  }

  /** Waits that have not been notified. */
  get waiting(): number {
    return this.native.waiting;
  }
}
