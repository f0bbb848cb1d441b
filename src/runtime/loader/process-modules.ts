// The one object of a process in which its transpiled modules meet: they enter themselves, and it
// answers imports that could not be resolved beforehand. It lives on `globalThis`, so that modules
// reach it without importing anything. Only the bootstrap imports this file, which therefore must
// import nothing but types and what Node has loaded anyway; everybody else uses `modules.ts`.
// Non-goals: resolving and transpiling, which are loaded when an import needs them.
import { fileURLToPath } from 'node:url';
import type { ProcessModules } from './modules.ts';

/** The same text as `PROCESS_MODULES` of `modules.ts`; a test compares them. */
const KEY = Symbol.for('dragon-runtime.modules');

export type Place = Pick<ProcessModules, 'cacheDir' | 'fallbackDir' | 'program' | 'package'> & {
  /** What `import(specifier)` in the module with this source means. */
  readonly importedAddress: (parent: string, specifier: string) => Promise<string>;
};

/** Makes the object of this process. */
export function installProcessModules(place: Place): ProcessModules {
  const modules = make(place);
  (globalThis as Record<symbol, unknown>)[KEY] = modules;
  return modules;
}

function make({ importedAddress, ...place }: Place): ProcessModules {
  const modules: ProcessModules = {
    ...place,
    entered: new Map(),
    resolve: undefined,
    load: (address) => import(address),
    compile: (names, body) => new Function(...names, body) as () => unknown,
    enter(source, meta, namespace, own) {
      modules.entered.set(source, { source, address: meta.url, namespace, own });
      describe(modules, meta, source);
    },
    async import(parent, specifier, options) {
      const address = await importedAddress(parent, String(specifier));
      const isJson = options?.with?.['type'] === 'json';
      return isJson ? import(address, { with: { type: 'json' } }) : import(address);
    },
  };
  return modules;
}

/** Makes `import.meta` speak of the source. */
function describe(modules: ProcessModules, meta: ImportMeta, source: string): void {
  const path = fileURLToPath(source);
  meta.url = source;
  meta.filename = path;
  meta.dirname = path.slice(0, path.lastIndexOf('/')) || '/';
  // Whoever imports a program that asks for it has loaded the resolver before.
  const own = meta.resolve;
  meta.resolve = (specifier) => (modules.resolve ?? own)(String(specifier), source);
}
