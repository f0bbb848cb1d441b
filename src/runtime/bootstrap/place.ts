// Tells the modules of this process where they are: which cache the run uses, and what takes its
// place. Non-goals: the other variables of the environment (`environment.ts`).
import { pathToFileURL } from 'node:url';
import { installProcessModules } from '../loader/process-modules.ts';
import { loadPackage } from './package.ts';

/** Above `runtime/bootstrap`, where this is bundled to. */
const dist = pathToFileURL(__dirname.replace(/[^/]*\/[^/]*$/, '')).href;

export function describeProcess(): void {
  const { DRAGON_CACHE_DIR, DRAGON_RUNTIME_DIR, DRAGON_SOURCE } = process.env;
  installProcessModules({
    cacheDir: DRAGON_CACHE_DIR,
    fallbackDir: DRAGON_RUNTIME_DIR,
    program: DRAGON_SOURCE,
    package: (facade) => (facade.startsWith(dist) ? loadPackage() : undefined),
    importedAddress: (parent, specifier) => loadPackage().importedAddress(parent, specifier),
  });
}

/**
 * From here on, stacks have the positions of the sources. Node reads the map of every module that
 * is loaded later, at once, so this comes after the runtime's own modules where it can.
 */
export function showSourcePositions(): void {
  process.setSourceMapsEnabled(true);
}
