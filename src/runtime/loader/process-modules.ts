// The one object of a process in which its transpiled modules meet: they enter themselves, and it
// answers imports that could not be resolved beforehand. It lives on `globalThis`, so that modules
// reach it without importing anything, and more than one copy of this file can share it.
// Non-goals: transpiling, which is loaded when an import needs it.
import { fileURLToPath } from 'node:url';
import { Resolver } from './resolve.ts';

export const PROCESS_MODULES = 'dragon-runtime.modules';

const KEY = Symbol.for(PROCESS_MODULES);

export type Namespace = Readonly<Record<string, unknown>>;

export type EnteredModule = {
  /** The address of the source, as `import.meta.url` has it. */
  readonly source: string;
  /** The address of the transpiled module. */
  readonly address: string;
  readonly namespace: Namespace;
  /** Names of the exports that the module makes itself; others it passes on. */
  readonly own: readonly string[];
};

export type ProcessModules = {
  readonly entered: Map<string, EnteredModule>;
  /** Where transpiled modules are kept. */
  cacheDir: string | undefined;
  /** Where they go if nothing can be written there; it is removed with the run. */
  fallbackDir: string | undefined;
  /** The address of the program's source, if this process runs one. */
  program: string | undefined;
  enter(source: string, meta: ImportMeta, namespace: Namespace, own: readonly string[]): void;
  import(parent: string, specifier: unknown, options?: ImportCallOptions): Promise<unknown>;
};

/** The object of this process; made when it is first asked for. */
export function processModules(): ProcessModules {
  const holder = globalThis as Record<symbol, unknown>;
  holder[KEY] ??= make();
  return holder[KEY] as ProcessModules;
}

function make(): ProcessModules {
  const entered = new Map<string, EnteredModule>();
  return {
    entered,
    cacheDir: undefined,
    fallbackDir: undefined,
    program: undefined,
    enter(source, meta, namespace, own) {
      entered.set(source, { source, address: meta.url, namespace, own });
      describe(meta, source);
    },
    async import(parent, specifier, options) {
      const address = await importedAddress(parent, String(specifier));
      return options === undefined ? import(address) : import(address, options);
    },
  };
}

/** Makes `import.meta` speak of the source. */
function describe(meta: ImportMeta, source: string): void {
  const path = fileURLToPath(source);
  meta.url = source;
  meta.filename = path;
  meta.dirname = path.slice(0, path.lastIndexOf('/')) || '/';
  meta.resolve = (specifier) => resolveFrom(source, specifier);
}

/** As Node's `import.meta.resolve`, a file need not exist. */
function resolveFrom(source: string, specifier: string): string {
  const text = String(specifier);
  try {
    return new Resolver().resolve(text, source).url;
  } catch (error) {
    const isPath = /^(\.{0,2}\/|file:)/.test(text);
    if (isPath && (error as { code?: string }).code === 'ERR_MODULE_NOT_FOUND') {
      return new URL(text, source).href;
    }
    throw error;
  }
}

async function importedAddress(parent: string, specifier: string): Promise<string> {
  const { url, kind } = new Resolver().resolve(specifier, parent);
  return kind === 'other' ? url : addressOf(url);
}

/** The address under which a source is, or can be, imported in this process. */
export async function addressOf(source: string): Promise<string> {
  const modules = processModules();
  const known = modules.entered.get(source);
  if (known !== undefined) return known.address;
  const { prepareModule } = await import('./program.ts');
  const { cacheDir, fallbackDir } = modules;
  const prepared = await prepareModule(source, {
    ...(cacheDir === undefined ? {} : { cacheDir }),
    ...(fallbackDir === undefined ? {} : { fallbackDir }),
  });
  modules.cacheDir ??= prepared.cacheDir;
  return prepared.url;
}
