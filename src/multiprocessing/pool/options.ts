/** What can be said about a pool and about each of its calls. */
import { DragonError } from '../../runtime/errors/index.ts';
import type { Target } from '../targets.ts';

/** What becomes of tasks that are running when their call ends early. */
export type OnAbort = 'finish' | 'replace';

const ON_ABORT: ReadonlySet<unknown> = new Set<OnAbort>(['finish', 'replace']);

export interface PoolOptions<I extends readonly unknown[] = readonly unknown[]> {
  /** Number of worker processes; default: the number of cores. */
  readonly processes?: number;
  /** Called in each worker before its first task; a worker in which it throws is a failed one. */
  readonly initializer?: Target<I>;
  readonly initargs?: I;
  /** Chunks after which a worker is replaced by a fresh one; default: never. */
  readonly maxTasksPerChild?: number;
  /**
   * What becomes of tasks that are running when their call ends early: by its signal, its time-out,
   * `failFast`, or an iteration that is left. `finish`, the default, lets them run to their end and
   * drops their results. `replace` ends their workers, with SIGTERM and a second later SIGKILL,
   * and starts others; no other task is lost by that.
   */
  readonly onAbort?: OnAbort;
}

export interface CallOptions {
  /** Rejects the call with the signal's reason; see `Pool` for what becomes of its tasks. */
  readonly signal?: AbortSignal;
  /** Milliseconds after which the call rejects with TimeoutError; default: for ever. */
  readonly timeout?: number;
}

interface ChunkOptions {
  /**
   * Items that travel and run together; default: a quarter of each worker's share, and 1 for
   * an asynchronous input, whose length is not known.
   */
  readonly chunksize?: number;
  /** Reject with the first error that comes, and run no more; default: wait for all. */
  readonly failFast?: boolean;
}

export interface MapOptions extends CallOptions, ChunkOptions {}

/** What a call in the background calls when it is over. What they throw is an uncaught error. */
export interface Callbacks<R> {
  /** Called once with the result. */
  readonly callback?: (result: R) => void;
  /** Called once with the error. */
  readonly errorCallback?: (error: unknown) => void;
}

export interface ApplyAsyncOptions<R> extends CallOptions, Callbacks<R> {}

export interface MapAsyncOptions<R> extends MapOptions, Callbacks<R[]> {}

export interface IterateOptions {
  /** Ends the iteration with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Items that travel and run together; default 1. */
  readonly chunksize?: number;
}

/** The value, if it is an integer of at least 1. Throws ERR_INVALID_ARGUMENT. */
export function count(what: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1) return value;
  throw new DragonError(`${what} must be an integer of at least 1, not ${String(value)}`, {
    code: 'ERR_INVALID_ARGUMENT',
  });
}

/** The value, if it is a way to end tasks. Throws ERR_INVALID_ARGUMENT. */
export function onAbort(value: unknown): OnAbort {
  if (ON_ABORT.has(value)) return value as OnAbort;
  throw new DragonError(`onAbort must be 'finish' or 'replace', not ${String(value)}`, {
    code: 'ERR_INVALID_ARGUMENT',
  });
}
