/**
 * All that programs can import and all that a started process runs, as one script.
 *
 * Goals: a process compiles one file, whose code V8 can take from a cache, however many of the
 * package's parts its program imports; those parts are facades (`ci/build/bundle.mjs`).
 * Non-goals: what the launcher and the tools run.
 */
export * as core from './core.ts';
export * as index from './index.ts';
export * as multiprocessing from './multiprocessing/index.ts';
export * as worker from './multiprocessing/worker.ts';
export { runStartedProcess } from './runtime/bootstrap/process.ts';
export { importedAddress, prepareHere } from './runtime/loader/on-demand.ts';
