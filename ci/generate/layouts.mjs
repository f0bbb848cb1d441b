/**
 * Turns places in shared memory that TypeScript uses by itself into constants, from the C++ that
 * lays them out.
 *
 * The source is the C++ header: its `static_assert`s on offsets, which the compiler has checked,
 * and its constants. Goals: a number that is not there is refused, so that nobody takes an
 * assertion away on which TypeScript relies.
 * Non-goals: no other C++ is understood.
 */

/**
 * The offset that a header asserts of a field.
 * @param {string} header
 * @param {string} place as in `LockHeader, state`
 */
function offsetOf(header, place) {
  const found = new RegExp(`offsetof\\(${place}\\) == (\\d+)`).exec(header)?.[1];
  if (found === undefined) throw new Error(`the C++ asserts no offset of ${place}`);
  return Number(found);
}

/**
 * The value of a constant that is a number, or a bit of one.
 * @param {string} header
 * @param {string} name
 */
function constantOf(header, name) {
  const found = new RegExp(`constexpr \\w+ ${name} = (\\d+);`).exec(header)?.[1];
  if (found === undefined) throw new Error(`the C++ has no constant ${name}`);
  return Number(found);
}

const WORD_BYTES = 4;

/**
 * The text of src/core/lock-layout.ts.
 * @param {string} header native/channel/lock_object.h
 */
export function lockLayout(header) {
  /** @param {string} place */
  const word = (place) => {
    const offset = offsetOf(header, place);
    if (offset % WORD_BYTES !== 0) throw new Error(`${place} is no word of its own`);
    return offset / WORD_BYTES;
  };
  const state = word('LockHeader, state');
  const kept = word('LockHeader, kept');
  return `/**
 * Where a lock's words lie, as 32-bit words of its header: generated from
 * native/channel/lock_object.h by \`node ci/generate.mjs\`. Do not edit.
 */
export const LockWord = {
  destroyed: ${word('ObjectHeader, destroyed')},
  hint: ${word('ObjectHeader, hint')},
  /** The lower half of the state. */
  holder: ${state},
  /** The upper half. */
  number: ${state + 1},
  kept: ${kept},
  keptUpper: ${kept + 1},
} as const;

/** The bit of the hint that says that somebody may wait for the lock. */
export const HINT_LOCK = ${1 << constantOf(header, 'kLaneLock')};
`;
}
