/**
 * Pools: a fixed number of worker processes that run functions over items.
 *
 * Goals: the object that users hold: the forms of calls, their options, and the life of a pool.
 * Non-goals: everything that happens behind it (engine.ts).
 */
import { DragonError } from '../../runtime/errors/index.ts';
import { cpuCount } from '../current.ts';
import { resolveTarget, type Target } from '../targets.ts';
import { deadlineOf } from '../turns.ts';
import { ApplyCall, MapCall, type PromisedCall } from './calls.ts';
import {
  ArraySource,
  AsyncSource,
  defaultChunksize,
  type Input,
  IteratorSource,
  isAsync,
  type Source,
} from './chunks.ts';
import { Engine } from './engine.ts';
import { IteratorJob, PoolIterator } from './iterators.ts';
import { CREDIT_MIN } from './scheduler.ts';

export interface PoolOptions<I extends readonly unknown[] = readonly unknown[]> {
  /** Number of worker processes; default: the number of cores. */
  readonly processes?: number;
  /** Called in each worker before its first task; a worker in which it throws is a failed one. */
  readonly initializer?: Target<I>;
  readonly initargs?: I;
  /** Chunks after which a worker is replaced by a fresh one; default: never. */
  readonly maxTasksPerChild?: number;
}

export interface CallOptions {
  /** Rejects the call with the signal's reason; see `Pool` for what becomes of its tasks. */
  readonly signal?: AbortSignal;
  /** Milliseconds after which the call rejects with TimeoutError; default: for ever. */
  readonly timeout?: number;
}

export interface MapOptions extends CallOptions {
  /**
   * Items that travel and run together; default: a quarter of each worker's share, and 1 for
   * an asynchronous input, whose length is not known.
   */
  readonly chunksize?: number;
}

export interface IterateOptions {
  readonly signal?: AbortSignal;
  /** Items that travel and run together; default 1. */
  readonly chunksize?: number;
}

function count(what: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1) return value;
  throw new DragonError(`${what} must be an integer of at least 1, not ${String(value)}`, {
    code: 'ERR_INVALID_ARGUMENT',
  });
}

/**
 * Worker processes that run tasks.
 *
 * A task whose worker dies is settled with WorkerDied, and the worker is replaced; the other
 * tasks are not affected. A pool whose workers can't be started, or die again and again
 * without finishing anything, fails all its calls. Aborting a call, or its time-out, settles
 * it at once: its tasks that no worker has begun are dropped, the others run to their end and
 * their results are thrown away.
 *
 * @example
 * import { isRoot } from 'dragon-runtime';
 * import { Pool } from 'dragon-runtime/multiprocessing';
 * export function square(x: number): number {
 *   return x * x;
 * }
 * if (isRoot()) {
 *   await using pool = new Pool({ processes: 2 });
 *   console.log(await pool.map(square, [1, 2, 3])); // [ 1, 4, 9 ]
 * }
 */
export class Pool implements AsyncDisposable {
  readonly #engine: Engine;

  /** Starts the workers in the background. Throws ERR_NO_RUNTIME outside a runtime. */
  constructor(options: PoolOptions = {}) {
    const { maxTasksPerChild } = options;
    this.#engine = new Engine({
      workers: count('processes', options.processes ?? cpuCount()),
      chunksPerWorker:
        maxTasksPerChild === undefined
          ? Number.POSITIVE_INFINITY
          : count('maxTasksPerChild', maxTasksPerChild),
      initializer: options.initializer && resolveTarget(options.initializer as Target),
      initargs: options.initargs ?? [],
    });
  }

  /** Process ids of the workers that have started. */
  get workerPids(): number[] {
    return this.#engine.pids;
  }

  /**
   * Calls `target(...args)` in a worker. Rejects with what it throws, WorkerDied,
   * SerializeError, TimeoutError, the signal's reason, or ClosedError.
   */
  apply<A extends readonly unknown[], R>(
    target: Target<A, R>,
    args: A,
    options?: CallOptions,
  ): Promise<Awaited<R>> {
    try {
      return this.#run(this.#applyCall('apply', target as Target, args), options) as Promise<
        Awaited<R>
      >;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As `apply`; blocks the thread. */
  applySync<A extends readonly unknown[], R>(
    target: Target<A, R>,
    args: A,
    options: { readonly timeout?: number } = {},
  ): Awaited<R> {
    const deadline = deadlineOf(options);
    const job = this.#applyCall('applySync', target as Target, args);
    return this.#engine.runSync(job, deadline) as Awaited<R>;
  }

  /**
   * Calls `target(item)` for every item and returns the results in order. Waits for all, then
   * rejects with the error of the lowest index, if any failed. Rejects as `apply` does.
   */
  map<T, R>(target: Target<[T], R>, items: Input<T>, options?: MapOptions): Promise<Awaited<R>[]> {
    try {
      const job = this.#mapCall('map', target as Target, items, options, false);
      return this.#run(job, options) as Promise<Awaited<R>[]>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As `map` over an iterable; blocks the thread. */
  mapSync<T, R>(
    target: Target<[T], R>,
    items: Iterable<T>,
    options: { readonly chunksize?: number; readonly timeout?: number } = {},
  ): Awaited<R>[] {
    const deadline = deadlineOf(options);
    const job = this.#mapCall('mapSync', target as Target, items, options, false);
    return this.#engine.runSync(job, deadline) as Awaited<R>[];
  }

  /**
   * Calls `target(item)` for every item and iterates over the results in order. The input is
   * pulled as results are consumed: at most 3 chunks for each worker ahead of the consumer.
   */
  imap<T, R>(
    target: Target<[T], R>,
    items: Input<T>,
    options: IterateOptions = {},
  ): PoolIterator<Awaited<R>> {
    return this.#iterate('imap', target as Target, items, options);
  }

  /** As `imap`, in the order in which results come. */
  imapUnordered<T, R>(
    target: Target<[T], R>,
    items: Input<T>,
    options: IterateOptions = {},
  ): PoolIterator<Awaited<R>> {
    return this.#iterate('imapUnordered', target as Target, items, options);
  }

  /** Accepts no further calls; the workers end once all that were made are settled. */
  close(): void {
    this.#engine.close();
  }

  /**
   * Ends the workers at once, with SIGTERM and, a second later, SIGKILL. Calls that are not
   * settled reject with ClosedError.
   */
  terminate(): void {
    this.#engine.terminate();
  }

  /**
   * Resolves when all workers have ended. Rejects with ERR_STATE before `close` or
   * `terminate`. Iterators that nobody reads no longer hold up their input then.
   */
  join(): Promise<void> {
    return this.#engine.join();
  }

  /** Terminates and joins. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.terminate();
    await this.join();
  }

  #applyCall(name: string, target: Target, args: readonly unknown[]): ApplyCall {
    const engine = this.#engine;
    engine.accepting(name);
    return new ApplyCall(engine.functions.call(target, true), args, engine.ended);
  }

  #mapCall(
    name: string,
    target: Target,
    items: Input<unknown>,
    options: MapOptions | undefined,
    spread: boolean,
  ): MapCall {
    const engine = this.#engine;
    engine.accepting(name);
    const call = engine.functions.call(target, spread);
    return new MapCall(call, this.#sourceOf(items, options?.chunksize), engine.ended);
  }

  #run(job: PromisedCall, options: CallOptions | undefined): Promise<unknown> {
    if (options?.signal !== undefined || options?.timeout !== undefined) {
      job.limit({ signal: options.signal, deadline: deadlineOf(options) });
    }
    this.#engine.submit(job);
    return job.promise;
  }

  /** All items of an iterable, cut; those of an asynchronous one as they come. */
  #sourceOf(items: Input<unknown>, chunksize: number | undefined): Source {
    if (chunksize !== undefined) count('chunksize', chunksize);
    if (isAsync(items)) return new AsyncSource(items, chunksize ?? 1, this.#engine.wake);
    const all = Array.from(items);
    return new ArraySource(all, chunksize ?? defaultChunksize(all.length, this.#engine.workers));
  }

  #iterate<R>(
    name: 'imap' | 'imapUnordered',
    target: Target,
    items: Input<unknown>,
    options: IterateOptions,
  ): PoolIterator<R> {
    const engine = this.#engine;
    engine.accepting(name);
    const { signal } = options;
    signal?.throwIfAborted();
    const call = engine.functions.call(target, false);
    const chunksize = count('chunksize', options.chunksize ?? 1);
    const chunksAhead = engine.workers * (CREDIT_MIN + 1);
    const limits = { ordered: name === 'imap', chunksAhead, chunksize };
    const onAbort = (): void => job.fail(signal?.reason);
    const source: Source = isAsync(items)
      ? new AsyncSource(items, chunksize, engine.wake)
      : new IteratorSource(items, chunksize);
    const job = new IteratorJob(call, source, limits, {
      onEnd: (ended, how) => {
        signal?.removeEventListener('abort', onAbort);
        engine.ended(ended, how);
      },
      onRoom: engine.wake,
    });
    signal?.addEventListener('abort', onAbort, { once: true });
    engine.submitIterator(job);
    return new PoolIterator(job);
  }
}
