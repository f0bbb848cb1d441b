// Tells the loader of this process where it is: which cache the run uses, and what to do without it.
// Non-goals: the other variables of the environment (`environment.ts`).
import { processModules } from '../loader/process-modules.ts';

export function describeProcess(): void {
  const { DRAGON_CACHE_DIR, DRAGON_RUNTIME_DIR, DRAGON_SOURCE } = process.env;
  const modules = processModules();
  modules.cacheDir = DRAGON_CACHE_DIR;
  modules.fallbackDir = DRAGON_RUNTIME_DIR;
  modules.program = DRAGON_SOURCE;
  // Positions in stacks are those of the sources.
  process.setSourceMapsEnabled(true);
}
