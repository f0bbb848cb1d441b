/**
 * The work that users hand to a pool: `map` and `apply` as one promise, `imap` and
 * `imapUnordered` as an iterator.
 *
 * Goals: `map` waits for all items and then rejects with the error of the lowest index; an
 * iterator delivers a prefix of `map`, pulls its input only so far ahead of its consumer, and
 * goes on after a failed item.
 * Non-goals: no workers here. A job hands out chunks and is told what became of them.
 */
import { TimeoutError } from '../../runtime/errors/index.ts';
import type { Chunk, Outcome, Source } from './chunks.ts';
import type { Job } from './scheduler.ts';

type Taken = { readonly first: number; readonly items: readonly unknown[] };

/** Called once, when a job needs nothing more from its pool. */
type OnEnd = (job: Job) => void;

/** All items, one promise. */
export class MapJob implements Job {
  readonly call: unknown;
  readonly promise: Promise<unknown[]>;
  readonly #source: Source;
  readonly #onEnd: OnEnd;
  readonly #results: unknown[] = [];
  #pulled = 0;
  #settled = 0;
  #firstError: { readonly index: number; readonly error: unknown } | undefined;
  #outcome: Outcome | undefined;
  #finish: (() => void) | undefined;
  #resolve: (results: unknown[]) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(call: unknown, source: Source, onEnd: OnEnd) {
    this.call = call;
    this.#source = source;
    this.#onEnd = onEnd;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#finish = () => this.#onEnd(this);
    this.#endIfComplete();
  }

  get exhausted(): boolean {
    return this.#source.ended;
  }

  /** What `promise` settles with, as soon as that is decided. */
  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  take(): Taken | undefined {
    const items = this.#source.take();
    if (items === undefined) {
      this.#endIfComplete();
      return undefined;
    }
    const first = this.#pulled;
    this.#pulled += items.length;
    return { first, items };
  }

  settle(chunk: Chunk, outcomes: readonly Outcome[]): void {
    if (this.#finish === undefined) return;
    outcomes.forEach((outcome, i) => {
      const index = chunk.first + i;
      if (outcome.ok) this.#results[index] = outcome.value;
      else if (this.#firstError === undefined || index < this.#firstError.index) {
        this.#firstError = { index, error: outcome.error };
      }
    });
    this.#settled += chunk.items.length;
    this.#endIfComplete();
  }

  /** Rejects with `error`; results that come later are dropped. */
  fail(error: unknown): void {
    const finish = this.#finish;
    if (finish === undefined) return;
    this.#finish = undefined;
    this.#outcome = { ok: false, error };
    this.#source.stop();
    this.#reject(error);
    finish();
  }

  #endIfComplete(): void {
    if (this.#finish === undefined || !this.#source.ended || this.#settled < this.#pulled) return;
    const failure = this.#firstError ?? this.#source.failure;
    if (failure !== undefined) return this.fail(failure.error);
    const finish = this.#finish;
    this.#finish = undefined;
    this.#outcome = { ok: true, value: this.#results };
    this.#resolve(this.#results);
    finish();
  }
}

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
}

/** Items one by one, in order or as they come. */
export class IteratorJob implements Job {
  readonly call: unknown;
  readonly #source: Source;
  readonly #ordered: boolean;
  readonly #onEnd: OnEnd;
  readonly #onRoom: () => void;
  readonly #waiters: Waiter[] = [];
  /** Settled outcomes that were not delivered; by index when ordered, else by arrival. */
  readonly #outcomes = new Map<number, { outcome: Outcome; chunk: Chunk }>();
  /** Items of a chunk that were not delivered, by chunk. */
  readonly #undelivered = new Map<number, number>();
  #chunksAhead: number;
  #chunksOut = 0;
  #pulled = 0;
  #arrived = 0;
  #delivered = 0;
  #error: { readonly error: unknown } | undefined;
  #ended = false;

  constructor(
    call: unknown,
    source: Source,
    limits: IteratorLimits,
    events: { readonly onEnd: OnEnd; readonly onRoom: () => void },
  ) {
    this.call = call;
    this.#source = source;
    this.#ordered = limits.ordered;
    this.#chunksAhead = limits.chunksAhead;
    this.#onEnd = events.onEnd;
    this.#onRoom = events.onRoom;
  }

  get exhausted(): boolean {
    return this.#source.ended;
  }

  take(): Taken | undefined {
    if (this.#chunksOut >= this.#chunksAhead) return undefined;
    const items = this.#source.take();
    if (items === undefined) {
      this.#serve();
      return undefined;
    }
    const first = this.#pulled;
    this.#pulled += items.length;
    this.#chunksOut++;
    return { first, items };
  }

  settle(chunk: Chunk, outcomes: readonly Outcome[]): void {
    if (this.#ended) return;
    this.#undelivered.set(chunk.first, chunk.items.length);
    outcomes.forEach((outcome, i) => {
      const key = this.#ordered ? chunk.first + i : this.#arrived;
      this.#outcomes.set(key, { outcome, chunk });
      this.#arrived++;
    });
    this.#serve();
  }

  /** Rejects what the consumer waits for, and ends the iteration after it. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#error = { error };
    this.#source.stop();
    this.#end();
    this.#serve();
  }

  /** Lets the input run to its end without a consumer. */
  lift(): void {
    this.#chunksAhead = Number.POSITIVE_INFINITY;
  }

  /** The consumer wants no more. */
  cancel(): void {
    this.#source.stop();
    this.#outcomes.clear();
    this.#error = undefined;
    this.#end();
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

  /** Gives waiting calls what is there for them. */
  #serve(): void {
    let room = false;
    while (this.#waiters.length > 0) {
      const found = this.#outcomes.get(this.#delivered);
      if (found === undefined) break;
      this.#outcomes.delete(this.#delivered);
      this.#delivered++;
      room = this.#deliveredOneOf(found.chunk) || room;
      const waiter = this.#waiters.shift();
      if (found.outcome.ok) waiter?.resolve({ done: false, value: found.outcome.value });
      else waiter?.reject(found.outcome.error);
    }
    const complete = this.#source.ended && this.#delivered === this.#pulled;
    if (complete && !this.#ended) {
      this.#error = this.#source.failure;
      this.#end();
    }
    while (this.#ended && this.#waiters.length > 0 && !this.#outcomes.has(this.#delivered)) {
      const waiter = this.#waiters.shift();
      const failure = this.#error;
      this.#error = undefined;
      if (failure !== undefined) waiter?.reject(failure.error);
      else waiter?.resolve({ done: true, value: undefined });
    }
    if (room) this.#onRoom();
  }

  /** True when that was the last item of its chunk, so that another may be pulled. */
  #deliveredOneOf(chunk: Chunk): boolean {
    const left = (this.#undelivered.get(chunk.first) ?? 1) - 1;
    if (left > 0) {
      this.#undelivered.set(chunk.first, left);
      return false;
    }
    this.#undelivered.delete(chunk.first);
    this.#chunksOut--;
    return true;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd(this);
  }
}

/** What the consumer of `imap` holds. */
export class PoolIterator<R> implements AsyncIterableIterator<R, undefined> {
  readonly #job: IteratorJob;

  /** @internal */
  constructor(job: IteratorJob) {
    this.#job = job;
  }

  /**
   * The next result. Rejects with the error of a task that failed, and can be called again
   * for the one after it. Rejects with TimeoutError after `timeout` ms; nothing is lost then.
   */
  async next(options?: { readonly timeout?: number }): Promise<IteratorResult<R, undefined>> {
    const timeoutMs = options?.timeout ?? Number.POSITIVE_INFINITY;
    if (Number.isNaN(timeoutMs)) throw new TypeError('timeout must not be NaN');
    return (await this.#job.next(timeoutMs)) as IteratorResult<R, undefined>;
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
