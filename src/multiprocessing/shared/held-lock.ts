/**
 * The lock that goes with a shared object: one of its own, or one that its maker gave it.
 *
 * A lock of its own, or one that came with the object from another process, is closed with it; a
 * lock that was given stays the giver's.
 */
import { Lock } from '../lock.ts';

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
