/**
 * The result of a call that goes on in the background, as `applyAsync` and its like return it.
 *
 * Goals: a promise that can also be asked how far it is, waited for with a time-out of its own,
 * and waited for by a thread that blocks; waiting never changes what becomes of the call.
 * Non-goals: ending the call; that is what `signal` and `timeout` of the call itself are for.
 */
import type { WaitOptions } from '../../core/index.ts';
import { DragonError, TimeoutError } from '../../runtime/errors/index.ts';
import { deadlineOf, leftUntil } from '../turns.ts';
import type { PromisedCall } from './calls.ts';

/** Blocks the thread until the call is over: true, or until the deadline: false. */
export type WaitSync = (job: PromisedCall, deadline: number) => boolean;

/**
 * A promise of a call's result that knows its state. A failure that nobody asks for is not an
 * unhandled rejection.
 *
 * @example
 * import { inline } from 'dragon-runtime';
 * import { Pool } from 'dragon-runtime/multiprocessing';
 * await using pool = new Pool({ processes: 1 });
 * const sum = pool.applyAsync(inline((a: number, b: number) => a + b), [2, 3]);
 * console.log(await sum.wait({ timeout: 0 }), await sum); // false 5
 * console.log(sum.ready, sum.successful); // true true
 */
export class AsyncResult<R> implements Promise<R> {
  readonly #job: PromisedCall;
  readonly #waitSync: WaitSync;

  /** @internal Pools make results. */
  constructor(job: PromisedCall, waitSync: WaitSync) {
    this.#job = job;
    this.#waitSync = waitSync;
    job.promise.catch(() => undefined);
  }

  get [Symbol.toStringTag](): string {
    return 'AsyncResult';
  }

  /** Whether the call is over. */
  get ready(): boolean {
    return this.#job.outcome !== undefined;
  }

  /** Whether it went well. Throws ERR_STATE before it is over. */
  get successful(): boolean {
    const { outcome } = this.#job;
    if (outcome !== undefined) return outcome.ok;
    throw new DragonError('successful: the call is not over yet; wait for it first', {
      code: 'ERR_STATE',
    });
  }

  /**
   * The result. Rejects with what the call failed with, with TimeoutError after `timeout` ms,
   * and with the signal's reason; in the last two cases the call goes on.
   */
  async get(options?: WaitOptions): Promise<R> {
    if (!(await this.wait(options))) throw this.#late();
    return (await this.#job.promise) as R;
  }

  /** As `get`; blocks the thread. */
  getSync(options?: WaitOptions): R {
    if (!this.waitSync(options)) throw this.#late();
    const { outcome } = this.#job;
    if (outcome?.ok === true) return outcome.value as R;
    throw outcome?.error;
  }

  /** True when the call is over, however it ended; false after `timeout` ms. */
  async wait(options: WaitOptions = {}): Promise<boolean> {
    const deadline = deadlineOf(options);
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.ready) return true;
    let timer: NodeJS.Timeout | undefined;
    let onAbort = (): void => undefined;
    try {
      return await new Promise<boolean>((resolve, reject) => {
        const over = (): void => resolve(true);
        this.#job.promise.then(over, over);
        if (Number.isFinite(deadline)) timer = setTimeout(resolve, leftUntil(deadline), false);
        onAbort = () => reject(signal?.reason);
        signal?.addEventListener('abort', onAbort, { once: true });
      });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** As `wait`; blocks the thread. */
  waitSync(options: WaitOptions = {}): boolean {
    const deadline = deadlineOf(options);
    options.signal?.throwIfAborted();
    return this.#waitSync(this.#job, deadline);
  }

  // biome-ignore lint/suspicious/noThenProperty: it is a promise
  then<A = R, B = never>(
    onValue?: ((value: R) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return (this.#job.promise as Promise<R>).then(onValue, onError);
  }

  catch<B = never>(onError?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<R | B> {
    return this.then(undefined, onError);
  }

  finally(onEnd?: (() => void) | null): Promise<R> {
    return (this.#job.promise as Promise<R>).finally(onEnd);
  }

  #late(): TimeoutError {
    return new TimeoutError('get: the result did not come in time');
  }
}
