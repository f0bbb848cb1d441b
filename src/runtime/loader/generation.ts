// The names of what this version of the loader keeps in a cache.
// Non-goals: reading and writing there.

/** The version of the transpiler; `loader.test.ts` compares it with the installed one. */
export const TRANSPILER_VERSION = '0.28.2';

/** Another number for every change of what is written for the same source. */
const LOADER_VERSION = 1;

/** Files of one generation are never read by another. */
export const GENERATION = `v${LOADER_VERSION}-${TRANSPILER_VERSION}`;
