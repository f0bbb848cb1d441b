/**
 * A seeded generator of random numbers, so that a run's order can be repeated.
 *
 * Non-goals: cryptography, and independence beyond what a shuffle needs.
 */

/** Gives numbers in [0, 1). */
export type Random = () => number;

/** A 32-bit state that walks by a constant and is mixed twice. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** A new array with the items in random order, every order equally likely. */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result: T[] = [];
  for (const item of items) {
    const place = Math.floor(random() * (result.length + 1));
    const displaced = result[place];
    if (displaced === undefined) {
      result.push(item);
    } else {
      result[place] = item;
      result.push(displaced);
    }
  }
  return result;
}
