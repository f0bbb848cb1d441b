/**
 * Calls whose results the user takes one by one: `imap`, `imapUnordered` and their blocking
 * forms.
 *
 * Goals: an iterator delivers a prefix of `map`, pulls its input only so far ahead of its
 * consumer, and goes on after a failed item.
 * Non-goals: no workers here. A job hands out chunks and is told what became of them.
 */
import { TimeoutError } from '../../runtime/errors/index.ts';
import { deadlineOf } from '../turns.ts';
import type { OnEnd, Taken } from './calls.ts';
import type { Call, Chunk, Outcome, Results, Source } from './chunks.ts';
import type { Job } from './scheduler.ts';

/** What a call of `next` comes to. */
type Step =
  | { readonly ok: true; readonly value: IteratorResult<unknown, undefined> }
  | { readonly ok: false; readonly error: unknown };

interface Waiter {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(error: unknown): void;
}

/** How far an iterator's input may run ahead of its consumer. */
export interface IteratorLimits {
  /** True delivers in the order of the input, false as results come. */
  readonly ordered: boolean;
  /** Chunks that may be pulled and not yet delivered. */
  readonly chunksAhead: number;
  readonly chunksize: number;
}

/** Items one by one, in order or as they come. */
export class IteratorJob implements Job {
  readonly call: Call;
  readonly #source: Source;
  readonly #ordered: boolean;
  readonly #onEnd: OnEnd;
  readonly #onRoom: () => void;
  readonly #waiters: Waiter[] = [];
  /** Settled outcomes that were not delivered; by index when ordered, else by arrival. */
  readonly #outcomes = new Map<number, Outcome>();
  readonly #chunksize: number;
  /** Items that may be pulled and not yet delivered. */
  #itemsAhead: number;
  #pulled = 0;
  #arrived = 0;
  #delivered = 0;
  #error: { readonly error: unknown } | undefined;
  #ended = false;

  constructor(
    call: Call,
    source: Source,
    limits: IteratorLimits,
    events: { readonly onEnd: OnEnd; readonly onRoom: () => void },
  ) {
    this.call = call;
    this.#source = source;
    this.#ordered = limits.ordered;
    this.#chunksize = limits.chunksize;
    this.#itemsAhead = limits.chunksAhead * limits.chunksize;
    this.#onEnd = events.onEnd;
    this.#onRoom = events.onRoom;
  }

  get exhausted(): boolean {
    return this.#source.ended;
  }

  take(): Taken | undefined {
    if (this.#pulled - this.#delivered + this.#chunksize > this.#itemsAhead) return undefined;
    const items = this.#source.take();
    if (items === undefined) {
      this.#serve();
      return undefined;
    }
    const first = this.#pulled;
    this.#pulled += items.length;
    return { first, items };
  }

  settle(chunk: Chunk, { values, errors }: Results): void {
    if (this.#ended) return;
    values.forEach((value, i) => {
      const key = this.#ordered ? chunk.first + i : this.#arrived;
      const ok = errors?.has(i) !== true;
      const outcome: Outcome = ok ? { ok, value } : { ok, error: errors?.get(i) };
      this.#outcomes.set(key, outcome);
      this.#arrived++;
    });
    this.#serve();
  }

  /** Rejects what the consumer waits for, and ends the iteration after it. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#error = { error };
    this.#source.stop();
    this.#end('dropped');
    this.#serve();
  }

  /** Lets the input run to its end without a consumer. */
  lift(): void {
    this.#itemsAhead = Number.POSITIVE_INFINITY;
  }

  /** The consumer wants no more. */
  cancel(): void {
    this.#source.stop();
    this.#outcomes.clear();
    this.#error = undefined;
    this.#end('dropped');
    this.#serve();
  }

  /** The next result; rejects with the error of a failed item and can be called again. */
  next(timeoutMs: number): Promise<IteratorResult<unknown, undefined>> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const waiter: Waiter = {
        resolve: (result) => {
          clearTimeout(timer);
          resolve(result);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#waiters.push(waiter);
      this.#serve();
      if (Number.isFinite(timeoutMs) && this.#waiters.includes(waiter)) {
        timer = setTimeout(() => this.#giveUp(waiter), Math.max(0, timeoutMs));
      }
    });
  }

  #giveUp(waiter: Waiter): void {
    this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
    waiter.reject(new TimeoutError('next: no result came in time'));
  }

  /**
   * The next result if it is there, and nobody who asked before waits for it. Throws the error of
   * a failed item.
   */
  tryNext(): IteratorResult<unknown, undefined> | undefined {
    if (this.#waiters.length > 0) return undefined;
    const step = this.#step();
    if (step?.ok === true && step.value.done !== true) this.#onRoom();
    if (step?.ok !== false) return step?.value;
    this.#onRoom();
    throw step.error;
  }

  /** Gives waiting calls what is there for them. */
  #serve(): void {
    const before = this.#delivered;
    while (this.#waiters.length > 0) {
      const step = this.#step();
      if (step === undefined) break;
      const waiter = this.#waiters.shift();
      if (step.ok) waiter?.resolve(step.value);
      else waiter?.reject(step.error);
    }
    this.#endIfComplete();
    if (this.#delivered > before) this.#onRoom();
  }

  /** What the next call gets; undefined when that is not known yet. */
  #step(): Step | undefined {
    const found = this.#outcomes.get(this.#delivered);
    if (found !== undefined) {
      this.#outcomes.delete(this.#delivered);
      this.#delivered++;
      return found.ok ? { ok: true, value: { done: false, value: found.value } } : found;
    }
    this.#endIfComplete();
    if (!this.#ended) return undefined;
    const failure = this.#error;
    this.#error = undefined;
    if (failure !== undefined) return { ok: false, error: failure.error };
    return { ok: true, value: { done: true, value: undefined } };
  }

  #endIfComplete(): void {
    if (this.#ended || !this.#source.ended || this.#delivered < this.#pulled) return;
    this.#error = this.#source.failure;
    this.#end('complete');
  }

  #end(how: 'complete' | 'dropped'): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd(this, how);
  }
}

/** What an iterator asks of the pool behind it. */
export interface Looks {
  /** Takes in what has come, and hands out what there is room for. */
  now(): void;
  /** The next result; blocks the thread. Throws TimeoutError at the deadline. */
  nextSync(job: IteratorJob, deadline: number): IteratorResult<unknown, undefined>;
}

export interface NextOptions {
  /** Milliseconds; default: for ever. */
  readonly timeout?: number;
}

/** What the consumer of `imap` holds. */
export class PoolIterator<R> implements AsyncIterableIterator<R, undefined> {
  readonly #job: IteratorJob;
  readonly #looks: Looks;

  /** @internal */
  constructor(job: IteratorJob, looks: Looks) {
    this.#job = job;
    this.#looks = looks;
  }

  /**
   * The next result. Rejects with the error of a task that failed, and can be called again
   * for the one after it. Rejects with TimeoutError after `timeout` ms; nothing is lost then.
   */
  async next(options: NextOptions = {}): Promise<IteratorResult<R, undefined>> {
    const timeoutMs = options.timeout ?? Number.POSITIVE_INFINITY;
    if (Number.isNaN(timeoutMs)) throw new TypeError('timeout must not be NaN');
    return (await this.#job.next(timeoutMs)) as IteratorResult<R, undefined>;
  }

  /** As `next`, if the result is there now, and undefined if it is not. */
  tryNext(): IteratorResult<R, undefined> | undefined {
    this.#looks.now();
    return this.#job.tryNext() as IteratorResult<R, undefined> | undefined;
  }

  /** Ends the iteration: no more input is pulled and results on their way are dropped. */
  async return(): Promise<IteratorResult<R, undefined>> {
    this.#job.cancel();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** What the consumer of `imapSync` holds: as `PoolIterator`, but `next` blocks the thread. */
export class PoolSyncIterator<R> implements IterableIterator<R, undefined> {
  readonly #job: IteratorJob;
  readonly #looks: Looks;

  /** @internal */
  constructor(job: IteratorJob, looks: Looks) {
    this.#job = job;
    this.#looks = looks;
  }

  /**
   * The next result; blocks the thread. Throws the error of a task that failed, and can be called
   * again for the one after it. Throws TimeoutError after `timeout` ms; nothing is lost then.
   */
  next(options: NextOptions = {}): IteratorResult<R, undefined> {
    const deadline = deadlineOf(options);
    return this.#looks.nextSync(this.#job, deadline) as IteratorResult<R, undefined>;
  }

  /** As `next`, if the result is there now, and undefined if it is not. */
  tryNext(): IteratorResult<R, undefined> | undefined {
    this.#looks.now();
    return this.#job.tryNext() as IteratorResult<R, undefined> | undefined;
  }

  /** Ends the iteration: no more input is pulled and results on their way are dropped. */
  return(): IteratorResult<R, undefined> {
    this.#job.cancel();
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }
}
