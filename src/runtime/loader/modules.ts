// Access to the object in which the transpiled modules of this process meet.
// Non-goals: making it (`process-modules.ts`), which only the bootstrap does.

/** Key of the object on `globalThis`, by `Symbol.for`. */
export const PROCESS_MODULES = 'dragon-runtime.modules';

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
  /** Answers `import.meta.resolve`; loaded for programs that use it. */
  resolve: ((specifier: string, parent: string) => string) | undefined;
  /** All of the package, for its facades; undefined for a facade of another installation. */
  package(facade: string): object | undefined;
  /** Imports what lies under an address; only modules and main scripts can import by themselves. */
  load(address: string): Promise<unknown>;
  /** A function from its text, which can import as modules can. */
  compile(names: readonly string[], body: string): (...values: unknown[]) => unknown;
  enter(source: string, meta: ImportMeta, namespace: Namespace, own: readonly string[]): void;
  import(parent: string, specifier: unknown, options?: ImportCallOptions): Promise<unknown>;
};

/** What a process knows that was not started by the runtime. */
const none: ProcessModules = {
  entered: new Map(),
  cacheDir: undefined,
  fallbackDir: undefined,
  program: undefined,
  resolve: undefined,
  package: () => undefined,
  load: (address) => import(address),
  compile: (names, body) => new Function(...names, body) as () => unknown,
  enter: () => undefined,
  import: (_parent, specifier) => import(String(specifier)),
};

/** The object of this process. */
export function processModules(): ProcessModules {
  const holder = globalThis as Record<symbol, ProcessModules | undefined>;
  return holder[Symbol.for(PROCESS_MODULES)] ?? none;
}
