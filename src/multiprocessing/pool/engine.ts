/**
 * What runs behind a pool: its workers, the calls in progress, and what wakes them up.
 *
 * Goals: every call settles, whatever happens to the workers; calls that are made in one turn of
 * the event loop leave together, and so do those that are made when results come; an idle engine
 * keeps no program alive.
 * Non-goals: the decisions (scheduler.ts), the processes (crew.ts) and the bookkeeping of a call
 * (calls.ts, iterators.ts) live beside this file; nothing here refers to the user's `Pool`.
 */
import type { Message } from '../../core/index.ts';
import {
  ClosedError,
  DragonError,
  ProcessError,
  TimeoutError,
} from '../../runtime/errors/index.ts';
import { cpuCount } from '../current.ts';
import type { TargetReference } from '../targets.ts';
import { leftUntil } from '../turns.ts';
import type { PromisedCall } from './calls.ts';
import { Crew } from './crew.ts';
import { Kind, type Room, readResults, word } from './frames.ts';
import { Functions } from './functions.ts';
import type { IteratorJob } from './iterators.ts';
import { Inbox, type OnReport } from './lines.ts';
import type { OnAbort } from './options.ts';
import { type Job, Scheduler } from './scheduler.ts';
import { Starts } from './starts.ts';

/** How often blocking calls look after the workers. */
const LOOK_SYNC_MS = 20;
/** How soon a pool looks for results that nobody woke it for; then less and less often. */
const LOOK_FIRST_MS = 10;
const LOOK_LAST_MS = 100;

function later(call: () => void, ms: number): () => void {
  const timer = setTimeout(call, ms);
  timer.unref();
  return () => clearTimeout(timer);
}

export interface EngineOptions {
  readonly workers: number;
  readonly initializer: TargetReference | undefined;
  readonly initargs: readonly unknown[];
  readonly chunksPerWorker: number;
  readonly onAbort: OnAbort;
}

export type State = 'running' | 'closing' | 'terminated';

export class Engine {
  readonly workers: number;
  readonly functions = new Functions();
  readonly #scheduler: Scheduler;
  readonly #crew: Crew;
  readonly #inbox = new Inbox();
  readonly #iterators = new Set<IteratorJob>();
  readonly #idleWaiters: (() => void)[] = [];
  readonly #onReport: OnReport = (header, at, body, message) =>
    this.#take(header, at, body, message);
  #state: State = 'running';
  #hasBegun = false;
  #isAwake = false;
  /** Looks for results, and keeps the event loop alive while calls are unsettled. */
  #looking: NodeJS.Timeout | undefined;
  #lookMs = LOOK_FIRST_MS;
  #isIdle = true;
  readonly #starts: Starts;

  constructor({ workers, initializer, initargs, chunksPerWorker, onAbort }: EngineOptions) {
    this.workers = workers;
    this.#scheduler = new Scheduler(
      {
        start: (slot, delayMs) => this.#starts.request(slot, delayMs),
        release: (slot) => this.#crew.release(slot),
        end: (slot) => this.#crew.end(slot),
        drain: () => this.#inbox.drain(this.#onReport),
        dispatch: (slot, chunk) => this.#crew.put(slot, chunk),
        flush: () => this.#crew.flush(),
        reclaim: (slot) => this.#crew.reclaim(slot),
        wake: () => this.wake(),
        idle: () => this.#onIdle(),
        over: () => this.#crew.terminate(),
        nowMs: () => performance.now(),
      },
      { workers, chunksPerWorker, endsAborted: onAbort === 'replace' },
    );
    const { writing: reports, bell } = this.#inbox;
    this.#crew = new Crew(
      { workers, initializer, initargs, reports, bell },
      {
        drain: () => this.#inbox.drain(this.#onReport),
        started: (start) => this.#starts.over(start),
        lost: (slot, unbegun, cause) => {
          this.#starts.died();
          this.#scheduler.workerLost(slot, unbegun, this.#deathOf(cause));
        },
      },
    );
    this.#starts = new Starts(
      {
        start: (slot) => this.#crew.start(slot),
        isNeeded: () => this.#isNeeded,
        working: () => this.#scheduler.working,
        later,
        nowMs: () => performance.now(),
      },
      cpuCount(),
    );
    // Not from here: what is made on the way may remember by whom, and keep the user's pool.
    queueMicrotask(this.#begin);
    void this.#receive();
  }

  get state(): State {
    return this.#state;
  }

  /** Process ids of the workers that have started. */
  get pids(): number[] {
    return this.#crew.pids;
  }

  /** Throws ClosedError unless calls may be made, and what broke the pool if something has. */
  accepting(call: string): void {
    if (this.#state !== 'running') {
      throw new ClosedError(`${call}: the pool is ${this.#state}; make another one`);
    }
    const { broken } = this.#scheduler;
    if (broken !== undefined) throw broken.error;
  }

  /** Takes a call; its chunks leave at the end of this turn of the event loop. */
  submit(job: Job): void {
    if (this.#isIdle) this.#stayAlive();
    this.#scheduler.submit(job);
  }

  submitIterator(job: IteratorJob): void {
    this.#iterators.add(job);
    this.submit(job);
  }

  /** What a job calls at its end. */
  readonly ended = (job: Job, how: 'complete' | 'dropped'): void => {
    this.#iterators.delete(job as IteratorJob);
    if (how === 'dropped') this.#scheduler.cancel(job);
    else this.wake();
  };

  /** Hands out chunks once the turn of the event loop, and what follows from it, is over. */
  readonly wake = (): void => {
    if (this.#isAwake) return;
    this.#isAwake = true;
    // A tick that is asked for by a microtask comes when no microtask is left.
    queueMicrotask(() => process.nextTick(this.#pump));
  };

  /** Runs a call to its end; blocks the thread. */
  runSync(job: PromisedCall, deadline: number): unknown {
    job.promise.catch(() => undefined);
    this.submit(job);
    if (!this.waitSync(job, deadline)) {
      job.fail(new TimeoutError('the tasks did not end in time'));
      this.#pump();
    }
    if (job.outcome?.ok === true) return job.outcome.value;
    throw job.outcome?.error;
  }

  /** Blocks the thread until the call is over: true, or until the deadline: false. */
  readonly waitSync = (job: PromisedCall, deadline: number): boolean =>
    this.#blockUntil(() => job.outcome !== undefined, deadline);

  /** Takes in what has come, and hands out what there is room for. */
  now(): void {
    if (!this.#scheduler.busy) return;
    this.#pump();
    this.#inbox.drain(this.#onReport);
  }

  /** The next result of an iterator; blocks the thread. Throws TimeoutError at the deadline. */
  nextSync(job: IteratorJob, deadline: number): IteratorResult<unknown, undefined> {
    let next: IteratorResult<unknown, undefined> | undefined;
    this.#blockUntil(() => {
      next = job.tryNext();
      return next !== undefined;
    }, deadline);
    if (next === undefined) throw new TimeoutError('next: no result came in time');
    return next;
  }

  #blockUntil(isOver: () => boolean, deadline: number): boolean {
    this.#starts.block(true);
    try {
      this.#begin();
      for (;;) {
        if (isOver()) return true;
        this.#pump();
        if (this.#inbox.drain(this.#onReport) > 0) continue;
        if (isOver()) return true;
        const left = leftUntil(deadline);
        if (left === 0) return false;
        this.#inbox.rungSync(Math.min(LOOK_SYNC_MS, left));
        if (this.#inbox.drain(this.#onReport) === 0) this.#crew.lookSync();
        this.#crew.retry();
      }
    } finally {
      this.#starts.block(false);
    }
  }

  close(): void {
    if (this.#state !== 'running') return;
    this.#state = 'closing';
    this.#onIdle();
  }

  terminate(): void {
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    this.#scheduler.stop(new ClosedError('the pool was terminated'));
  }

  async join(): Promise<void> {
    if (this.#state === 'running') {
      throw new DragonError('join: the pool is running; close or terminate it first', {
        code: 'ERR_STATE',
      });
    }
    const alive = setInterval(() => undefined, 2 ** 30);
    try {
      for (const job of this.#iterators) job.lift();
      this.wake();
      await this.#whenIdle();
      await this.#crew.ended();
    } finally {
      clearInterval(alive);
    }
    this.#inbox.close();
  }

  readonly #begin = (): void => {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    if (this.#isNeeded) this.#scheduler.start();
  };

  readonly #pump = (): void => {
    this.#isAwake = false;
    this.#scheduler.pump();
  };

  /** Whether there is or may come work for another worker. */
  get #isNeeded(): boolean {
    return this.#state === 'running' || this.#scheduler.busy;
  }

  /** Why a worker was lost, as the cause of WorkerDied and of a broken pool. */
  #deathOf(cause: unknown): unknown {
    if (DragonError.is(cause)) return cause;
    return new ProcessError('a worker of the pool could not be started', { cause });
  }

  /** Takes in results until the pool is at its end. */
  async #receive(): Promise<void> {
    try {
      for (;;) {
        await this.#inbox.rung();
        this.#inbox.drain(this.#onReport);
        this.#lookMs = LOOK_FIRST_MS;
      }
    } catch (error) {
      if (!(error instanceof ClosedError)) this.#scheduler.stop(error);
    }
  }

  #take(header: Room, at: number, body: Uint8Array, message?: Message): void {
    const slot = word(header, at, 1);
    const kind = word(header, at, 2);
    if (kind === Kind.ready) {
      const generation = word(header, at, 0);
      if (this.#crew.markReady(slot, generation)) this.#scheduler.workerReady(slot);
      return;
    }
    const id = word(header, at, 0);
    this.#crew.finished(slot, id);
    this.#scheduler.results(slot, id, word(header, at, 3), (chunk) => {
      if (kind !== Kind.failed) this.#crew.introduced(slot, chunk.job.call.id);
      return readResults(kind, slot, body, message, chunk);
    });
  }

  #stayAlive(): void {
    this.#isIdle = false;
    this.#lookMs = LOOK_FIRST_MS;
    if (this.#looking === undefined) this.#lookLater();
    else this.#looking.ref();
  }

  #lookLater(): void {
    this.#looking = setTimeout(() => {
      this.#looking = undefined;
      if (this.#isIdle) return;
      const found = this.#inbox.drain(this.#onReport);
      this.#lookMs = found > 0 ? LOOK_FIRST_MS : Math.min(LOOK_LAST_MS, this.#lookMs * 2);
      this.#lookLater();
    }, this.#lookMs);
  }

  #onIdle(): void {
    if (this.#scheduler.busy) return;
    this.#isIdle = true;
    this.#looking?.unref();
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
