/**
 * The lock that goes with a shared object: one of its own, or one that its maker gave it.
 *
 * A lock of its own, or one that came with the object from another process, is closed with it; a
 * lock that was given stays the giver's.
 */
import { Lock } from '../lock.ts';
import type { Memory } from './cells.ts';

export interface LockedOptions {
  /** A lock to use; true, the default, makes one; false makes an object without. */
  readonly lock?: Lock | boolean | undefined;
}

export interface HeldLock {
  readonly lock: Lock;
  readonly own: boolean;
}

/** The lock that `options` ask for, or undefined for none. Throws TypeError for what is no lock. */
export function lockFor(options: LockedOptions): HeldLock | undefined {
  const { lock = true } = options;
  if (lock === false) return undefined;
  if (lock === true) return { lock: new Lock(), own: true };
  if (lock instanceof Lock) return { lock, own: false };
  throw new TypeError('lock must be a Lock, true or false');
}

/** A shared object with a lock: the object without one, and what closes both. */
export abstract class Locked<Raw extends Disposable & { readonly closed: boolean }>
  implements Disposable
{
  protected readonly raw: Raw;
  readonly #memory: Memory;
  readonly #held: HeldLock;

  /** @internal */
  protected constructor(raw: Raw, memory: Memory, held: HeldLock) {
    this.raw = raw;
    this.#memory = memory;
    this.#held = held;
  }

  getLock(): Lock {
    return this.#held.lock;
  }

  /** The same object without the lock; closing either closes both. */
  getObj(): Raw {
    return this.raw;
  }

  get closed(): boolean {
    return this.raw.closed;
  }

  /** Ends this process's use of the object, and of its lock unless that was given to it. */
  close(): void {
    this.raw[Symbol.dispose]();
    if (this.#held.own) this.#held.lock.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The lock, to be taken for a change. Throws ClosedError once the object is closed. */
  protected lockOfLive(): Lock {
    this.#memory.alive();
    return this.#held.lock;
  }
}
