// Imports that are resolved while the program runs: computed specifiers, targets of other
// processes, and `import.meta.resolve`.
// Non-goals: what could be resolved beforehand, which needs nothing of this.
import { processModules } from './modules.ts';
import { type PreparedProgram, prepareProgram } from './program.ts';

/** Lets the modules of this process call `import.meta.resolve`. */
async function installResolve(): Promise<void> {
  const { resolveFrom } = await import('./resolve.ts');
  processModules().resolve = resolveFrom;
}

/** What `import(specifier)` in the module with this source means. */
export async function importedAddress(parent: string, specifier: string): Promise<string> {
  const { Resolver } = await import('./resolve.ts');
  const { url, kind } = new Resolver().resolve(specifier, parent);
  return kind === 'other' ? url : addressOf(url);
}

/** Prepares a source for this process, in the cache of the run. */
export async function prepareHere(source: string): Promise<PreparedProgram> {
  const { cacheDir, fallbackDir } = processModules();
  const prepared = await prepareProgram(source, {
    ...(cacheDir === undefined ? {} : { cacheDir }),
    ...(fallbackDir === undefined ? {} : { fallbackDir }),
  });
  if (prepared.usesResolve) await installResolve();
  return prepared;
}

/** The address under which a source is, or can be, imported in this process. */
export async function addressOf(source: string): Promise<string> {
  const known = processModules().entered.get(source);
  return known === undefined ? (await prepareHere(source)).url : known.address;
}
