/**
 * Calls that are one promise: `apply` and `map`.
 *
 * Goals: `map` waits for all items and then rejects with the error of the lowest index; a call
 * that ends early, by its signal or its time-out, leaves nothing behind.
 * Non-goals: no workers here. A job hands out chunks and is told what became of them.
 */
import { TimeoutError } from '../../runtime/errors/index.ts';
import { leftUntil } from '../turns.ts';
import type { Call, Chunk, Outcome, Results, Source } from './chunks.ts';
import type { Job } from './scheduler.ts';

export type Taken = { readonly first: number; readonly items: readonly unknown[] };

/** Called once, when a job needs nothing more from its pool; `dropped` chunks may be out. */
export type OnEnd = (job: Job, how: 'complete' | 'dropped') => void;

/** What may end a call early. */
export interface Limits {
  readonly signal?: AbortSignal | undefined;
  /** When it is late, in ms of the monotonic clock. */
  readonly deadline: number;
}

export abstract class PromisedCall implements Job {
  readonly call: Call;
  readonly promise: Promise<unknown>;
  /** What `promise` settles with, as soon as that is decided. */
  outcome: Outcome | undefined;
  #resolve: (value: unknown) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  readonly #onEnd: OnEnd;
  #unlimit: (() => void) | undefined;

  constructor(call: Call, onEnd: OnEnd) {
    this.call = call;
    this.#onEnd = onEnd;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  abstract readonly exhausted: boolean;
  abstract take(): Taken | undefined;
  abstract settle(chunk: Chunk, results: Results): void;

  /** Makes it fail when the signal fires or the time is over. Throws if the signal has fired. */
  limit({ signal, deadline }: Limits): void {
    signal?.throwIfAborted();
    const onAbort = (): void => this.fail(signal?.reason);
    const late = (): void => this.fail(new TimeoutError('the tasks did not end in time'));
    const timer = Number.isFinite(deadline) ? setTimeout(late, leftUntil(deadline)) : undefined;
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#unlimit = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
  }

  /** Rejects with `error`; results that come later are dropped. */
  fail(error: unknown): void {
    if (!this.decide({ ok: false, error })) return;
    this.#reject(error);
    this.#onEnd(this, 'dropped');
  }

  protected succeed(value: unknown): void {
    if (!this.decide({ ok: true, value })) return;
    this.#resolve(value);
    this.#onEnd(this, 'complete');
  }

  /** False when it was decided before. */
  protected decide(outcome: Outcome): boolean {
    if (this.outcome !== undefined) return false;
    this.outcome = outcome;
    this.#unlimit?.();
    return true;
  }
}

/** One call with its arguments. */
export class ApplyCall extends PromisedCall {
  #args: readonly unknown[] | undefined;

  constructor(call: Call, args: readonly unknown[], onEnd: OnEnd) {
    super(call, onEnd);
    this.#args = args;
  }

  get exhausted(): boolean {
    return this.#args === undefined;
  }

  take(): Taken | undefined {
    const args = this.#args;
    if (args === undefined) return undefined;
    this.#args = undefined;
    return { first: 0, items: [args] };
  }

  settle(_: Chunk, { values, errors }: Results): void {
    if (errors === undefined) this.succeed(values[0]);
    else this.fail(errors.get(0));
  }

  override fail(error: unknown): void {
    this.#args = undefined;
    super.fail(error);
  }
}

/** All items of an input. */
export class MapCall extends PromisedCall {
  readonly #source: Source;
  readonly #failFast: boolean;
  /** The results of chunks, at the index of their first item. */
  readonly #parts = new Map<number, readonly unknown[]>();
  #pulled = 0;
  #settled = 0;
  #firstError: { readonly index: number; readonly error: unknown } | undefined;

  constructor(call: Call, source: Source, onEnd: OnEnd, failFast = false) {
    super(call, onEnd);
    this.#source = source;
    this.#failFast = failFast;
    this.#endIfComplete();
  }

  get exhausted(): boolean {
    return this.#source.ended;
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

  settle(chunk: Chunk, { values, errors }: Results): void {
    if (this.outcome !== undefined) return;
    for (const [place, error] of errors ?? []) {
      const index = chunk.first + place;
      if (this.#firstError !== undefined && this.#firstError.index < index) continue;
      this.#firstError = { index, error };
    }
    if (this.#failFast && this.#firstError !== undefined) return this.fail(this.#firstError.error);
    this.#parts.set(chunk.first, values);
    this.#settled += values.length;
    this.#endIfComplete();
  }

  override fail(error: unknown): void {
    if (this.outcome === undefined) this.#source.stop();
    this.#parts.clear();
    super.fail(error);
  }

  #endIfComplete(): void {
    if (this.outcome !== undefined || !this.#source.ended || this.#settled < this.#pulled) return;
    const failure = this.#firstError ?? this.#source.failure;
    if (failure !== undefined) return this.fail(failure.error);
    this.succeed(this.#joined());
  }

  #joined(): unknown[] {
    const all: unknown[] = [];
    while (all.length < this.#pulled) {
      for (const value of this.#parts.get(all.length) ?? []) all.push(value);
    }
    this.#parts.clear();
    return all;
  }
}
