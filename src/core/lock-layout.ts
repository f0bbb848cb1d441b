/**
 * Where a lock's words lie, as 32-bit words of its header: generated from
 * native/channel/lock_object.h by `node ci/generate.mjs`. Do not edit.
 */
export const LockWord = {
  destroyed: 1,
  hint: 2,
  /** The lower half of the state. */
  holder: 8,
  /** The upper half. */
  number: 9,
  kept: 10,
  keptUpper: 11,
} as const;

/** The bit of the hint that says that somebody may wait for the lock. */
export const HINT_LOCK = 1;
