/**
 * Pools: a fixed number of worker processes that run functions over items.
 *
 * Goals: the object that users hold: the forms of calls, their options, and the life of a pool.
 * A pool that is dropped while it runs is told, and ends when its calls have.
 * Non-goals: everything that happens behind it (engine.ts).
 */
import { cpuCount } from '../current.ts';
import { resolveTarget, type Target } from '../targets.ts';
import { deadlineOf } from '../turns.ts';
import { AsyncResult } from './async-result.ts';
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
import { IteratorJob, PoolIterator, PoolSyncIterator } from './iterators.ts';
import {
  type ApplyAsyncOptions,
  type Callbacks,
  type CallOptions,
  count,
  type IterateOptions,
  type MapAsyncOptions,
  type MapOptions,
  onAbort,
  type PoolOptions,
} from './options.ts';
import { CREDIT_MIN } from './scheduler.ts';

/** Engines of pools that nobody holds any more. */
const dropped = new FinalizationRegistry<Engine>((engine) => {
  if (engine.state !== 'running') return;
  process.emitWarning('a Pool was dropped while it runs; close or terminate it, or `await using`', {
    type: 'ResourceWarning',
    code: 'RT_POOL_DROPPED',
  });
  engine.close();
});

/**
 * Worker processes that run tasks.
 *
 * A task whose worker dies is settled with WorkerDied, and the worker is replaced; the other
 * tasks are not affected. A pool whose workers can't be started, or die again and again
 * without finishing anything, fails all its calls. Aborting a call, or its time-out, settles
 * it at once: its tasks that no worker has begun are dropped, the others run to their end and
 * their results are thrown away; with `onAbort: 'replace'` their workers are ended instead, and
 * replaced.
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
    const { initializer, initargs = [], maxTasksPerChild } = options;
    const chunksPerWorker =
      maxTasksPerChild === undefined
        ? Number.POSITIVE_INFINITY
        : count('maxTasksPerChild', maxTasksPerChild);
    this.#engine = new Engine({
      workers: count('processes', options.processes ?? cpuCount()),
      chunksPerWorker,
      initializer: initializer && resolveTarget(initializer as Target),
      initargs,
      onAbort: onAbort(options.onAbort ?? 'finish'),
    });
    dropped.register(this, this.#engine);
  }

  /** Number of workers. */
  get size(): number {
    return this.#engine.workers;
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
      const job = this.#applyCall('apply', target as Target, args);
      return this.#run(job, options).promise as Promise<Awaited<R>>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As `apply`; blocks the thread. */
  applySync<A extends readonly unknown[], R>(
    target: Target<A, R>,
    args: A,
    options: CallOptions = {},
  ): Awaited<R> {
    return this.#runSync(options, () =>
      this.#applyCall('applySync', target as Target, args),
    ) as Awaited<R>;
  }

  /** As `apply`, in the background. Throws at once what `apply` rejects with before it starts. */
  applyAsync<A extends readonly unknown[], R>(
    target: Target<A, R>,
    args: A,
    options: ApplyAsyncOptions<Awaited<R>> = {},
  ): AsyncResult<Awaited<R>> {
    return this.#background(this.#applyCall('applyAsync', target as Target, args), options);
  }

  /**
   * Calls `target(item)` for every item and returns the results in order. Waits for all, then
   * rejects with the error of the lowest index, if any failed; with `failFast` it rejects with
   * the first error that comes and drops what no worker has begun. Rejects as `apply` does.
   */
  map<T, R>(target: Target<[T], R>, items: Input<T>, options?: MapOptions): Promise<Awaited<R>[]> {
    return this.#map('map', target as Target, items, options, false);
  }

  /** As `map` over an iterable; blocks the thread. */
  mapSync<T, R>(
    target: Target<[T], R>,
    items: Iterable<T>,
    options: MapOptions = {},
  ): Awaited<R>[] {
    return this.#runSync(options, () =>
      this.#mapCall('mapSync', target as Target, items, options, false),
    ) as Awaited<R>[];
  }

  /** As `map`, in the background. */
  mapAsync<T, R>(
    target: Target<[T], R>,
    items: Input<T>,
    options: MapAsyncOptions<Awaited<R>> = {},
  ): AsyncResult<Awaited<R>[]> {
    const job = this.#mapCall('mapAsync', target as Target, items, options, false);
    return this.#background(job, options);
  }

  /** As `map`, for items that are lists of arguments: calls `target(...item)`. */
  starmap<A extends readonly unknown[], R>(
    target: Target<A, R>,
    items: Input<A>,
    options?: MapOptions,
  ): Promise<Awaited<R>[]> {
    return this.#map('starmap', target as Target, items, options, true);
  }

  /** As `starmap` over an iterable; blocks the thread. */
  starmapSync<A extends readonly unknown[], R>(
    target: Target<A, R>,
    items: Iterable<A>,
    options: MapOptions = {},
  ): Awaited<R>[] {
    return this.#runSync(options, () =>
      this.#mapCall('starmapSync', target as Target, items, options, true),
    ) as Awaited<R>[];
  }

  /** As `starmap`, in the background. */
  starmapAsync<A extends readonly unknown[], R>(
    target: Target<A, R>,
    items: Input<A>,
    options: MapAsyncOptions<Awaited<R>> = {},
  ): AsyncResult<Awaited<R>[]> {
    const job = this.#mapCall('starmapAsync', target as Target, items, options, true);
    return this.#background(job, options);
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
    return new PoolIterator(this.#iterate('imap', target as Target, items, options), this.#engine);
  }

  /** As `imap`, in the order in which results come. */
  imapUnordered<T, R>(
    target: Target<[T], R>,
    items: Input<T>,
    options: IterateOptions = {},
  ): PoolIterator<Awaited<R>> {
    const job = this.#iterate('imapUnordered', target as Target, items, options);
    return new PoolIterator(job, this.#engine);
  }

  /**
   * As `imap` over an iterable; each `next` blocks the thread. In between, results come in and
   * more is sent only when the event loop turns or the iterator is asked.
   */
  imapSync<T, R>(
    target: Target<[T], R>,
    items: Iterable<T>,
    options: IterateOptions = {},
  ): PoolSyncIterator<Awaited<R>> {
    const job = this.#iterate('imapSync', target as Target, items, options);
    return new PoolSyncIterator(job, this.#engine);
  }

  /** As `imapSync`, in the order in which results come. */
  imapUnorderedSync<T, R>(
    target: Target<[T], R>,
    items: Iterable<T>,
    options: IterateOptions = {},
  ): PoolSyncIterator<Awaited<R>> {
    const job = this.#iterate('imapUnorderedSync', target as Target, items, options);
    return new PoolSyncIterator(job, this.#engine);
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
    const source = this.#sourceOf(items, options?.chunksize);
    return new MapCall(call, source, engine.ended, options?.failFast === true);
  }

  #map<R>(
    name: string,
    target: Target,
    items: Input<unknown>,
    options: MapOptions | undefined,
    spread: boolean,
  ): Promise<R[]> {
    try {
      const job = this.#mapCall(name, target, items, options, spread);
      return this.#run(job, options).promise as Promise<R[]>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #run<J extends PromisedCall>(job: J, options: CallOptions | undefined): J {
    if (options?.signal !== undefined || options?.timeout !== undefined) {
      job.limit({ signal: options.signal, deadline: deadlineOf(options) });
    }
    this.#engine.submit(job);
    return job;
  }

  #runSync(options: CallOptions, make: () => PromisedCall): unknown {
    const deadline = deadlineOf(options);
    options.signal?.throwIfAborted();
    return this.#engine.runSync(make(), deadline);
  }

  #background<R>(job: PromisedCall, options: CallOptions & Callbacks<R>): AsyncResult<R> {
    const { callback, errorCallback } = options;
    this.#run(job, options);
    if (callback !== undefined || errorCallback !== undefined) {
      const ignore = (): void => undefined;
      (job.promise as Promise<R>).then(callback ?? ignore, errorCallback ?? ignore);
    }
    return new AsyncResult<R>(job, this.#engine.waitSync);
  }

  /** All items of an iterable, cut; those of an asynchronous one as they come. */
  #sourceOf(items: Input<unknown>, chunksize: number | undefined): Source {
    if (chunksize !== undefined) count('chunksize', chunksize);
    if (isAsync(items)) return new AsyncSource(items, chunksize ?? 1, this.#engine.wake);
    const all = Array.from(items);
    return new ArraySource(all, chunksize ?? defaultChunksize(all.length, this.#engine.workers));
  }

  #iterate(
    name: 'imap' | 'imapUnordered' | 'imapSync' | 'imapUnorderedSync',
    target: Target,
    items: Input<unknown>,
    options: IterateOptions,
  ): IteratorJob {
    const engine = this.#engine;
    engine.accepting(name);
    const { signal } = options;
    signal?.throwIfAborted();
    const call = engine.functions.call(target, false);
    const chunksize = count('chunksize', options.chunksize ?? 1);
    const chunksAhead = engine.workers * (CREDIT_MIN + 1);
    const limits = { ordered: !name.startsWith('imapUnordered'), chunksAhead, chunksize };
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
    return job;
  }
}
