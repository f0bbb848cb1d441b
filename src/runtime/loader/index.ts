// What the rest of the runtime uses of the loader. Importing it loads neither the transpiler nor
// anything else that a program from the cache does not need.
// Non-goals: anything of its own.
export { type CacheOptions, defaultCacheDir } from './cache.ts';
export { importTarget, loadedTarget } from './import-target.ts';
export { type PreparedProgram, prepareProgram } from './program.ts';
export {
  type AnyFunction,
  defineTask,
  type ExportName,
  inline,
  RUN_AS_PROCESS,
  referenceOf,
  registeredName,
  type TargetReference,
  type Task,
} from './targets.ts';
