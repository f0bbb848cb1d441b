/**
 * Semaphores: a number of permits that processes take and give back.
 *
 * Goals: an acquire takes all its permits in one step or none; one that times out or is aborted
 * has taken none. Permits belong to nobody: those of a process that died stay taken until somebody
 * gives them back in its place, so that a death never makes a permit.
 * Non-goals: no order between those who want one permit and those who want several.
 */
import { registerHandle } from '../codec/index.ts';
import { Semaphore as CoreSemaphore, type WaitOptions } from '../core/index.ts';
import { getRuntime } from '../runtime/client/index.ts';
import { DragonError, NotOwnerError, TimeoutError } from '../runtime/errors/index.ts';
import { takeOver } from './lent.ts';
import { integerFrom, SharedObject } from './shared-object.ts';

export interface AcquireOptions extends WaitOptions {
  /** How many permits to take, all in one step; default 1. */
  readonly n?: number | undefined;
}

/** Permits that were taken together. Disposing it gives them back. */
export class SemaphoreGuard implements Disposable {
  readonly #semaphore: Semaphore;
  readonly #permits: number;
  #held = true;

  /** @internal Use `guard`. */
  constructor(semaphore: Semaphore, permits: number) {
    this.#semaphore = semaphore;
    this.#permits = permits;
  }

  /** Whether the permits have not been given back yet. */
  get held(): boolean {
    return this.#held;
  }

  /** Gives the permits back. Throws NotOwnerError when that has been done. */
  release(): void {
    if (!this.#held) throw new NotOwnerError('the guard has given its permits back');
    this.#semaphore.release(this.#permits);
    this.#held = false;
  }

  /** Gives the permits back if that has not been done. */
  [Symbol.dispose](): void {
    if (this.#held && !this.#semaphore.closed) this.release();
  }
}

/** The number of permits that a call is about. */
function permitsOf(options: AcquireOptions | undefined): number {
  return integerFrom(1, options?.n ?? 1, 'the number of permits');
}

/** How a semaphore's kind travels in its descriptor: one byte in front of the handle. */
const BOUNDED = 1;
/** A bounded semaphore without any permit, which the core does not know. */
const NEVER = 2;

/**
 * A semaphore that processes share. Pass it in `args`, through a queue or a connection.
 *
 * @example
 * import { Semaphore } from 'dragon-runtime/multiprocessing';
 * const semaphore = new Semaphore(2);
 * await semaphore.acquire();
 * console.log(semaphore.value, semaphore.tryAcquire({ n: 2 })); // 1 false
 * semaphore.release();
 * console.log(await semaphore.run(() => semaphore.value, { n: 2 })); // 0
 */
export class Semaphore extends SharedObject<CoreSemaphore> {
  /**
   * Makes a semaphore with `value` permits in the node's default pool. Throws ERR_NO_RUNTIME
   * outside a runtime, ERR_INVALID_ARGUMENT unless `value` is an integer from 0 on.
   */
  constructor(value?: number);
  /** @internal */
  constructor(value: number, made?: CoreSemaphore);
  constructor(value = 1, made?: CoreSemaphore) {
    const initial = integerFrom(0, value, 'the value of a semaphore');
    super(made ?? CoreSemaphore.create(getRuntime().pool, { initial }), 'semaphore');
  }

  /** The permits that are left now; others may take and give at the same time. */
  get value(): number {
    return this.core.value;
  }

  /**
   * Takes `n` permits: true, or false after `timeout` ms. Rejects with the signal's reason; then
   * none was taken.
   */
  async acquire(options?: AcquireOptions): Promise<boolean> {
    return await this.core.acquire({ ...options, permits: permitsOf(options) });
  }

  /** As `acquire`; blocks the thread. */
  acquireSync(options?: AcquireOptions): boolean {
    return this.core.acquireSync({ ...options, permits: permitsOf(options) });
  }

  /** Takes `n` permits if there are as many. */
  tryAcquire(options?: Pick<AcquireOptions, 'n'>): boolean {
    return this.core.tryAcquire(permitsOf(options));
  }

  /** Gives `n` permits, whoever took them. */
  release(n = 1): void {
    this.core.release(integerFrom(1, n, 'the number of permits'));
  }

  /** Takes `n` permits and returns their guard. Rejects with TimeoutError after `timeout` ms. */
  async guard(options?: AcquireOptions): Promise<SemaphoreGuard> {
    return this.#guard(await this.acquire(options), options);
  }

  /** As `guard`; blocks the thread. */
  guardSync(options?: AcquireOptions): SemaphoreGuard {
    return this.#guard(this.acquireSync(options), options);
  }

  /** The guard of `n` permits if there are as many, or undefined. */
  tryGuard(options?: Pick<AcquireOptions, 'n'>): SemaphoreGuard | undefined {
    return this.tryAcquire(options) ? this.#guard(true, options) : undefined;
  }

  /** Runs `section` while holding `n` permits and returns its result. */
  async run<R>(section: () => R | PromiseLike<R>, options?: AcquireOptions): Promise<Awaited<R>> {
    using _permits = await this.guard(options);
    return await section();
  }

  /** As `run`; blocks the thread, and `section` must not return a promise. */
  runSync<R>(section: () => R, options?: AcquireOptions): R {
    using _permits = this.guardSync(options);
    return section();
  }

  #guard(taken: boolean, options: AcquireOptions | undefined): SemaphoreGuard {
    if (!taken) throw new TimeoutError('guard: the semaphore had too few permits');
    return new SemaphoreGuard(this, permitsOf(options));
  }

  /** @internal What passing a semaphore to another process sends. */
  static lend(semaphore: Semaphore): { descriptor: Uint8Array; cancel(): void } {
    const { descriptor, cancel } = semaphore.core.lend();
    const bytes = new Uint8Array(1 + descriptor.byteLength);
    if (semaphore instanceof BoundedSemaphore) bytes[0] = semaphore.bound === 0 ? NEVER : BOUNDED;
    bytes.set(descriptor, 1);
    return { descriptor: bytes, cancel };
  }

  /** @internal */
  static revive(bytes: Uint8Array): Semaphore {
    const { node } = getRuntime();
    const { object } = takeOver((how) => CoreSemaphore.attach(node, bytes.subarray(1), how));
    if (bytes[0] === 0) return new Semaphore(0, object);
    return new BoundedSemaphore(bytes[0] === NEVER ? 0 : (object.bound ?? 0), object);
  }
}

/**
 * A semaphore that refuses to be given more permits than it had at first.
 *
 * @example
 * import { BoundedSemaphore } from 'dragon-runtime/multiprocessing';
 * const semaphore = new BoundedSemaphore(1);
 * try {
 *   semaphore.release();
 * } catch (error) {
 *   console.log((error as Error).name, semaphore.value); // NotOwnerError 1
 * }
 */
export class BoundedSemaphore extends Semaphore {
  /** Most permits: the value at first. */
  readonly bound: number;

  /** As `new Semaphore(value)`. */
  constructor(value?: number);
  /** @internal */
  constructor(value: number, made?: CoreSemaphore);
  constructor(value = 1, made?: CoreSemaphore) {
    const bound = integerFrom(0, value, 'the value of a semaphore');
    super(bound, made ?? CoreSemaphore.create(getRuntime().pool, { initial: bound, bound }));
    this.bound = bound;
  }

  /** Gives `n` permits. Throws NotOwnerError, and gives none, if not as many are taken. */
  override release(n = 1): void {
    const refused = (cause?: unknown) =>
      new NotOwnerError(
        `release: ${n} more would be above the bound of ${this.bound} permits`,
        cause === undefined ? {} : { cause },
      );
    const permits = integerFrom(1, n, 'the number of permits');
    if (permits > this.bound && !this.closed) throw refused();
    try {
      super.release(permits);
    } catch (error) {
      throw DragonError.is(error) && error.code === 'ERR_STATE' ? refused(error) : error;
    }
  }
}

registerHandle(Semaphore, { kind: 'semaphore', lend: Semaphore.lend, revive: Semaphore.revive });
registerHandle(BoundedSemaphore, {
  kind: 'bounded semaphore',
  lend: Semaphore.lend,
  revive: (bytes) => Semaphore.revive(bytes) as BoundedSemaphore,
});
