/**
 * What every handle to an object that processes share does: it is closed once, for this process.
 *
 * Non-goals: no waiting and no descriptors. Closing the object of the core rejects the calls that
 * wait on it.
 */
import { ClosedError, DragonError } from '../runtime/errors/index.ts';

export abstract class SharedObject<Core extends { close(): void }> implements Disposable {
  readonly #core: Core;
  readonly #what: string;
  #closed = false;

  /** @internal `what` is the object in a message, as in "the semaphore". */
  protected constructor(core: Core, what: string) {
    this.#core = core;
    this.#what = what;
  }

  /** @internal What the object is in the core. Throws ClosedError once it is closed here. */
  protected get core(): Core {
    if (this.#closed) throw new ClosedError(`the ${this.#what} was closed in this process`);
    return this.#core;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Ends this process's use of the object: pending and later calls fail with ClosedError. It stays
   * as it is for the other holders. Closing again does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#core.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** `value` if it is an integer from `least` on; else throws ERR_INVALID_ARGUMENT. */
export function integerFrom(least: number, value: number, what: string): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new DragonError(`${what} must be an integer from ${least} on, not ${String(value)}`, {
    code: 'ERR_INVALID_ARGUMENT',
  });
}
