/**
 * Semaphores: a number of permits that any process takes and gives.
 *
 * Permits belong to nobody: anyone may release, also in place of a process that died after it
 * took one.
 */
import { Status } from '../runtime/errors/codes.ts';
import { errorFromStatus } from '../runtime/errors/index.ts';
import { type AttachOptions, ManagedObject } from './managed.ts';
import { eventAddon, type NativeSemaphore } from './native-events.ts';
import { check, type Node, unwrap } from './node.ts';
import type { Pool } from './pool.ts';
import { KEPT, NOT_YET, timeoutMsOf, type WaitOptions } from './wait.ts';

export interface SemaphoreOptions {
  /** Permits at the beginning; default 1. */
  readonly initial?: number;
  /** Most permits; a release above it throws ERR_STATE and changes nothing. Default: no bound. */
  readonly bound?: number;
}

export interface AcquireOptions extends WaitOptions {
  /** How many permits to take, all in one step; default 1. */
  readonly permits?: number;
}

const LANE = { acquire: 0, zero: 1, many: 2 } as const;

/** What an attempt says: taken, or not now. */
function taken(result: number): boolean {
  if (result >= 0) return true;
  if (-result === Status.WOULD_BLOCK || -result === Status.TIMEOUT) return false;
  throw errorFromStatus(-result, 'acquire a semaphore');
}

function atZero(status: number): boolean {
  if (status === 0) return true;
  if (status === Status.WOULD_BLOCK || status === Status.TIMEOUT) return false;
  throw errorFromStatus(status, 'wait for a semaphore at zero');
}

export class Semaphore extends ManagedObject<NativeSemaphore> {
  private constructor(node: Node, native: NativeSemaphore) {
    super(node, native, 'a semaphore');
  }

  static create(pool: Pool, options: SemaphoreOptions = {}): Semaphore {
    const { initial = 1, bound = 0 } = options;
    const native = eventAddon().createSemaphore(pool.native, initial, bound);
    return new Semaphore(pool.node, unwrap(native, 'create a semaphore'));
  }

  static attach(node: Node, handle: Uint8Array, options: AttachOptions = {}): Semaphore {
    const native = eventAddon().attachSemaphore(node.native, handle, options.adopt ?? false);
    return new Semaphore(node, unwrap(native, 'attach to a semaphore'));
  }

  /** Takes permits if there are as many. Throws ERR_INVALID_ARGUMENT for more than the bound. */
  tryAcquire(permits = 1): boolean {
    return taken(this.native.tryAcquire(permits));
  }

  /** True when taken, false at the deadline; blocks the thread. */
  acquireSync(options?: AcquireOptions): boolean {
    options?.signal?.throwIfAborted();
    return taken(this.native.acquireSync(timeoutMsOf(options), options?.permits ?? 1));
  }

  /** True when taken, false at the deadline. An aborted acquire never takes a permit. */
  acquire(options?: AcquireOptions): Promise<boolean> {
    const permits = options?.permits ?? 1;
    const lane = permits > 1 ? LANE.many : LANE.acquire;
    const look = () => {
      if (taken(this.native.tryAcquire(permits))) return true;
      return this.native.value >= permits ? KEPT : NOT_YET;
    };
    return this.node.waits.wait<boolean>(this.native, lane, look, options, () => false);
  }

  /** Gives permits. Throws ERR_STATE when that would be more than the bound. */
  release(permits = 1): void {
    check(this.native.release(permits), `release ${permits} permits of a semaphore`);
  }

  get value(): number {
    return this.native.value;
  }

  /** Most permits, or undefined if there is no bound. */
  get bound(): number | undefined {
    return this.native.bound === 0 ? undefined : this.native.bound;
  }

  /** True once no permit is left, false at the deadline; blocks the thread. */
  waitZeroSync(options?: WaitOptions): boolean {
    options?.signal?.throwIfAborted();
    return atZero(this.native.waitZeroSync(timeoutMsOf(options)));
  }

  /** True once no permit is left, false at the deadline. */
  waitZero(options?: WaitOptions): Promise<boolean> {
    const look = () => (atZero(this.native.tryZero()) ? true : NOT_YET);
    return this.node.waits.wait<boolean>(this.native, LANE.zero, look, options, () => false);
  }
}
