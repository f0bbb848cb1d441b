/**
 * Pools: a fixed number of worker processes that run functions over items.
 *
 * Goals: every call settles, whatever happens to the workers; the pool stays usable after
 * errors and deaths; an idle pool keeps no program alive.
 * Non-goals: the decisions (scheduler.ts), the processes (crew.ts) and the bookkeeping of a
 * call (jobs.ts) live beside this file.
 */
import {
  ClosedError,
  DragonError,
  ProcessError,
  TimeoutError,
} from '../../runtime/errors/index.ts';
import { Connection, type ConnectionReader, type ConnectionWriter } from '../connection.ts';
import { cpuCount } from '../current.ts';
import type { ReadEnd } from '../ends.ts';
import { pipe } from '../pipe.ts';
import { resolveTarget, type Target } from '../targets.ts';
import { deadlineOf, leftUntil } from '../turns.ts';
import {
  ArraySource,
  AsyncSource,
  defaultChunksize,
  type Input,
  IteratorSource,
  isAsync,
  type Source,
} from './chunks.ts';
import { Crew } from './crew.ts';
import { type Call, Kind, readHeader, readOutcomes } from './frames.ts';
import { IteratorJob, MapJob, PoolIterator } from './jobs.ts';
import { CREDIT, type Job, Scheduler } from './scheduler.ts';

export interface PoolOptions<I extends readonly unknown[] = readonly unknown[]> {
  /** Number of worker processes; default: the number of cores. */
  readonly processes?: number;
  /** Called in each worker before its first task; a worker in which it throws is a failed one. */
  readonly initializer?: Target<I>;
  readonly initargs?: I;
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

/** How long blocking calls wait for results before they look after the workers. */
const LOOK_MS = 50;

function count(what: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1) return value;
  throw new DragonError(`${what} must be an integer of at least 1, not ${String(value)}`, {
    code: 'ERR_INVALID_ARGUMENT',
  });
}

type State = 'running' | 'closing' | 'terminated';

/**
 * Worker processes that run tasks.
 *
 * A task whose worker dies is settled with WorkerDied, and the worker is replaced; the other
 * tasks are not affected. A pool whose workers can't be started, or die again and again
 * without finishing anything, fails all its calls. Aborting a call, or its time-out, settles
 * it at once: its tasks that no worker holds are dropped, the others run to their end and
 * their results are thrown away.
 *
 * @example
 * await using pool = new Pool({ processes: 4 });
 * const squares = await pool.map(square, [1, 2, 3]);
 */
export class Pool implements AsyncDisposable {
  readonly #workers: number;
  readonly #scheduler: Scheduler;
  readonly #crew: Crew;
  readonly #resultsIn: ConnectionReader<never>;
  readonly #resultsOut: ConnectionWriter<never>;
  readonly #results: ReadEnd;
  readonly #iterators = new Set<IteratorJob>();
  readonly #idleWaiters: (() => void)[] = [];
  #state: State = 'running';
  /** Keeps the event loop alive while calls are unsettled; idle pools do not. */
  #alive: NodeJS.Timeout | undefined;
  #blocking = false;
  /** Slots whose next worker is started later. */
  readonly #delayed = new Map<number, NodeJS.Timeout>();

  /** Starts the workers in the background. Throws ERR_NO_RUNTIME outside a runtime. */
  constructor(options: PoolOptions = {}) {
    this.#workers = count('processes', options.processes ?? cpuCount());
    [this.#resultsIn, this.#resultsOut] = pipe<never>({ duplex: false });
    const { reader } = Connection.ends(this.#resultsIn);
    if (reader === undefined) throw new TypeError('the results pipe has no reader');
    this.#results = reader;
    this.#scheduler = new Scheduler(
      {
        start: (slot, delayMs) => this.#start(slot, delayMs),
        dispatch: (slot, chunk) => this.#crew.send(slot, chunk),
        reclaim: (slot) => this.#crew.reclaim(slot),
        idle: () => this.#onIdle(),
      },
      this.#workers,
    );
    this.#crew = new Crew(
      {
        workers: this.#workers,
        initializer: options.initializer && resolveTarget(options.initializer as Target),
        initargs: options.initargs ?? [],
        results: this.#resultsOut,
      },
      {
        drain: () => this.#drain(),
        lost: (slot, unbegun, cause) =>
          this.#scheduler.workerLost(slot, unbegun, this.#deathOf(cause), performance.now()),
      },
    );
    this.#scheduler.start(performance.now());
    void this.#receive();
  }

  /** Process ids of the workers that have started. */
  get workerPids(): number[] {
    return this.#crew.pids;
  }

  /**
   * Calls `target(...args)` in a worker. Rejects with what it throws, WorkerDied,
   * SerializeError, TimeoutError, the signal's reason, or ClosedError.
   */
  async apply<A extends readonly unknown[], R>(
    target: Target<A, R>,
    args: A,
    options: CallOptions = {},
  ): Promise<Awaited<R>> {
    this.#accepting('apply');
    const call: Call = { target: resolveTarget(target as Target), spread: true };
    const job = new MapJob(call, new ArraySource([args], 1), (ended) => this.#ended(ended));
    const [result] = await this.#run(job, options);
    return result as Awaited<R>;
  }

  /** As `apply`; blocks the thread. */
  applySync<A extends readonly unknown[], R>(
    target: Target<A, R>,
    args: A,
    options: { readonly timeout?: number } = {},
  ): Awaited<R> {
    this.#accepting('applySync');
    const call: Call = { target: resolveTarget(target as Target), spread: true };
    return this.#runSync(call, new ArraySource([args], 1), options)[0] as Awaited<R>;
  }

  /**
   * Calls `target(item)` for every item and returns the results in order. Waits for all, then
   * rejects with the error of the lowest index, if any failed. Rejects as `apply` does.
   */
  async map<T, R>(
    target: Target<[T], R>,
    items: Input<T>,
    options: MapOptions = {},
  ): Promise<Awaited<R>[]> {
    this.#accepting('map');
    const call: Call = { target: resolveTarget(target as Target), spread: false };
    const source = this.#sourceOf(items, options.chunksize);
    const job = new MapJob(call, source, (ended) => this.#ended(ended));
    return (await this.#run(job, options)) as Awaited<R>[];
  }

  /** As `map` over an iterable; blocks the thread. */
  mapSync<T, R>(
    target: Target<[T], R>,
    items: Iterable<T>,
    options: { readonly chunksize?: number; readonly timeout?: number } = {},
  ): Awaited<R>[] {
    this.#accepting('mapSync');
    const call: Call = { target: resolveTarget(target as Target), spread: false };
    return this.#runSync(call, this.#sourceOf(items, options.chunksize), options) as Awaited<R>[];
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
    if (this.#state !== 'running') return;
    this.#state = 'closing';
    this.#onIdle();
  }

  /**
   * Ends the workers at once, with SIGTERM and, a second later, SIGKILL. Calls that are not
   * settled reject with ClosedError.
   */
  terminate(): void {
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    this.#scheduler.stop(new ClosedError('the pool was terminated'));
    this.#crew.terminate();
  }

  /**
   * Resolves when all workers have ended. Rejects with ERR_STATE before `close` or
   * `terminate`. Iterators that nobody reads no longer hold up their input then.
   */
  async join(): Promise<void> {
    if (this.#state === 'running') {
      throw new DragonError('join: the pool is running; close or terminate it first', {
        code: 'ERR_STATE',
      });
    }
    const alive = setInterval(() => undefined, 2 ** 30);
    try {
      for (const job of this.#iterators) job.lift();
      this.#scheduler.pump();
      await this.#whenIdle();
      await this.#crew.ended();
    } finally {
      clearInterval(alive);
    }
    this.#resultsIn.close();
    this.#resultsOut.close();
  }

  /** Terminates and joins. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.terminate();
    await this.join();
  }

  #iterate<R>(
    name: 'imap' | 'imapUnordered',
    target: Target,
    items: Input<unknown>,
    options: IterateOptions,
  ): PoolIterator<R> {
    this.#accepting(name);
    options.signal?.throwIfAborted();
    const call: Call = { target: resolveTarget(target), spread: false };
    const chunksize = count('chunksize', options.chunksize ?? 1);
    const limits = { ordered: name === 'imap', chunksAhead: this.#workers * (CREDIT + 1) };
    const pump = (): void => this.#scheduler.pump();
    const onAbort = (): void => job.fail(options.signal?.reason);
    const onEnd = (ended: Job): void => {
      options.signal?.removeEventListener('abort', onAbort);
      this.#iterators.delete(job);
      this.#ended(ended);
    };
    const source: Source = isAsync(items)
      ? new AsyncSource(items, chunksize, pump)
      : new IteratorSource(items, chunksize);
    const job = new IteratorJob(call, source, limits, { onEnd, onRoom: pump });
    this.#iterators.add(job);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    this.#submit(job);
    return new PoolIterator(job);
  }

  /** All items of an iterable, cut; those of an asynchronous one as they come. */
  #sourceOf(items: Input<unknown>, chunksize: number | undefined): Source {
    if (chunksize !== undefined) count('chunksize', chunksize);
    if (isAsync(items)) {
      return new AsyncSource(items, chunksize ?? 1, () => this.#scheduler.pump());
    }
    const all = Array.from(items);
    return new ArraySource(all, chunksize ?? defaultChunksize(all.length, this.#workers));
  }

  async #run(job: MapJob, options: CallOptions): Promise<unknown[]> {
    const deadline = deadlineOf(options);
    options.signal?.throwIfAborted();
    let timer: NodeJS.Timeout | undefined;
    if (Number.isFinite(deadline)) {
      const late = (): void => job.fail(new TimeoutError('the tasks did not end in time'));
      timer = setTimeout(late, leftUntil(deadline));
    }
    const onAbort = (): void => job.fail(options.signal?.reason);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      this.#submit(job);
      return await job.promise;
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
    }
  }

  #runSync(call: Call, source: Source, options: { readonly timeout?: number }): unknown[] {
    const deadline = deadlineOf(options);
    const job = new MapJob(call, source, (ended) => this.#ended(ended));
    job.promise.catch(() => undefined);
    this.#blocking = true;
    for (const slot of [...this.#delayed.keys()]) this.#startDelayed(slot);
    this.#submit(job);
    while (job.outcome === undefined) {
      const left = leftUntil(deadline);
      if (left === 0) job.fail(new TimeoutError('the tasks did not end in time'));
      else if (!this.#receiveSync(Math.min(LOOK_MS, left))) this.#crew.lookSync();
      this.#crew.retry();
    }
    this.#blocking = false;
    if (job.outcome.ok) return job.outcome.value as unknown[];
    throw job.outcome.error;
  }

  #submit(job: Job): void {
    this.#alive ??= setInterval(() => undefined, 2 ** 30);
    this.#scheduler.submit(job);
  }

  #ended(job: Job): void {
    this.#scheduler.cancel(job);
  }

  #accepting(call: string): void {
    if (this.#state !== 'running') {
      throw new ClosedError(`${call}: the pool is ${this.#state}; make another one`);
    }
    const { broken } = this.#scheduler;
    if (broken !== undefined) throw broken.error;
  }

  #start(slot: number, delayMs: number): void {
    // A blocked thread has no timers.
    if (delayMs === 0 || this.#blocking) return this.#crew.start(slot);
    const timer = setTimeout(() => this.#startDelayed(slot), delayMs);
    this.#delayed.set(slot, timer);
  }

  #startDelayed(slot: number): void {
    clearTimeout(this.#delayed.get(slot));
    this.#delayed.delete(slot);
    if (this.#state === 'running' || this.#scheduler.busy) this.#crew.start(slot);
  }

  /** Why a worker was lost, as the cause of WorkerDied and of a broken pool. */
  #deathOf(cause: unknown): unknown {
    if (DragonError.is(cause)) return cause;
    return new ProcessError('a worker of the pool could not be started', { cause });
  }

  /** Takes in results until the pool is at its end. */
  async #receive(): Promise<void> {
    try {
      for (;;) this.#take((await this.#results.receive({ ref: false })).bytes);
    } catch (error) {
      if (!(error instanceof ClosedError)) this.#scheduler.stop(error);
    }
  }

  #receiveSync(timeoutMs: number): boolean {
    try {
      this.#take(this.#results.receiveSync({ timeout: timeoutMs }).bytes);
      return true;
    } catch (error) {
      if (error instanceof TimeoutError) return false;
      throw error;
    }
  }

  /** Takes in what has come. */
  #drain(): void {
    for (;;) {
      const message = this.#results.tryReceiveNow();
      if (message === undefined) return;
      this.#take(message.bytes);
    }
  }

  #take(frame: Uint8Array): void {
    const { kind, slot, generation, chunk } = readHeader(frame);
    if (!this.#crew.isCurrent(slot, generation)) return;
    if (kind === Kind.ready) {
      this.#crew.markReady(slot);
      return this.#scheduler.workerReady(slot);
    }
    this.#crew.finished(slot, chunk);
    this.#scheduler.results(slot, chunk, (of) => readOutcomes(frame, of));
  }

  #onIdle(): void {
    if (this.#scheduler.busy) return;
    clearInterval(this.#alive);
    this.#alive = undefined;
    if (this.#state === 'closing') {
      this.#scheduler.retire();
      this.#crew.close();
    }
    for (const wake of this.#idleWaiters.splice(0)) wake();
  }

  #whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#scheduler.busy) resolve();
      else this.#idleWaiters.push(resolve);
    });
  }
}
