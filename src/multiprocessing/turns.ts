/**
 * Order among the asynchronous operations of one handle.
 *
 * Goals: calls on one end of a channel take effect in the order in which they were made, each
 * within its own time-out and signal, and all that still wait are rejected when the end is
 * closed. Only the call whose turn it is waits in shared memory.
 * Non-goals: no order between processes, and none between waiting calls and `Sync` calls.
 */
import type { WaitOptions } from '../core/index.ts';
import { DragonError } from '../runtime/errors/index.ts';
import { Closing } from './closing.ts';

const TIMED_OUT = Symbol('timed out');

/** The time at which a call gives up, in ms of the monotonic clock; Infinity for never. */
export function deadlineOf(options: WaitOptions | undefined): number {
  const timeout = options?.timeout ?? Number.POSITIVE_INFINITY;
  if (typeof timeout !== 'number' || Number.isNaN(timeout)) {
    throw new TypeError('timeout must be a number of milliseconds, not NaN');
  }
  return performance.now() + Math.max(0, timeout);
}

/** What is left of a deadline, as a time-out. */
export function leftUntil(deadline: number): number {
  return Math.max(0, deadline - performance.now());
}

/** The end of a call that nobody waits for yet. */
interface Ending {
  readonly promise: Promise<void>;
  readonly settle: () => void;
}

function ending(): Ending {
  let settle = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}

export class Turns {
  readonly #closing = new Closing();
  /** Settles with the last call that has to wait for its turn. */
  #last: Promise<void> | undefined;
  /** Whether a call that found no other runs, and its end once another one waits for that. */
  #first = false;
  #firstEnds: Ending | undefined;

  /** True when no call waits, so that a call may try without waiting for its turn. */
  get idle(): boolean {
    return !this.#first && this.#last === undefined;
  }

  /**
   * Runs `operation` when all earlier ones have settled, with what is left of the time-out.
   * `onTimeout` gives the result, or throws the error, of a call whose deadline passes before its
   * turn comes. Closing the end rejects a call that waits for its turn; the operation whose turn it
   * is has to end by itself with ERR_CLOSED, and its call then fails with the reason.
   */
  async run<T>(
    options: WaitOptions | undefined,
    operation: (options: WaitOptions | undefined) => Promise<T>,
    onTimeout: () => T,
  ): Promise<T> {
    this.#closing.signal.throwIfAborted();
    options?.signal?.throwIfAborted();
    if (!this.idle) return this.#runLater(options, operation, onTimeout);
    this.#first = true;
    try {
      return await operation(options);
    } catch (error) {
      throw this.#told(error);
    } finally {
      this.#first = false;
      this.#firstEnds?.settle();
      this.#firstEnds = undefined;
    }
  }

  async #runLater<T>(
    options: WaitOptions | undefined,
    operation: (options: WaitOptions | undefined) => Promise<T>,
    onTimeout: () => T,
  ): Promise<T> {
    const deadline = deadlineOf(options);
    const signal = this.#closing.link(options?.signal);
    const before = this.#before as Promise<void>;
    const mine = ending();
    const last = before.then(() => mine.promise);
    this.#last = last;
    try {
      if ((await turn(before, deadline, signal)) === TIMED_OUT) return onTimeout();
      return await operation({ ...options, timeout: leftUntil(deadline) });
    } catch (error) {
      throw this.#told(error);
    } finally {
      mine.settle();
      if (this.#last === last) this.#last = undefined;
    }
  }

  /**
   * True once all calls that were made have settled, false at the deadline; rejects with the
   * reason of the signal. Closing the end settles them.
   */
  async settled(options?: WaitOptions): Promise<boolean> {
    const deadline = deadlineOf(options);
    const signal = options?.signal ?? new AbortController().signal;
    signal.throwIfAborted();
    const last = this.#before;
    return last === undefined || (await turn(last, deadline, signal)) !== TIMED_OUT;
  }

  /** Rejects every call that waits, and every later one that would, with `reason`. */
  close(reason: unknown): void {
    this.#closing.close(reason);
  }

  /** What has to settle before a call that is made now has its turn. */
  get #before(): Promise<void> | undefined {
    if (this.#last !== undefined || !this.#first) return this.#last;
    this.#firstEnds ??= ending();
    return this.#firstEnds.promise;
  }

  #told(error: unknown): unknown {
    if (!DragonError.is(error)) return error;
    if (error.code === 'ERR_CLOSED' && this.#closing.signal.aborted) {
      return this.#closing.signal.reason;
    }
    // It was made by a timer or a wake; who called is known here.
    Error.captureStackTrace(error);
    return error;
  }
}

/** Waits for the earlier calls, up to the deadline; rejects when the signal fires first. */
async function turn(
  before: Promise<void>,
  deadline: number,
  signal: AbortSignal,
): Promise<typeof TIMED_OUT | undefined> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => undefined;
  const ended = new Promise<typeof TIMED_OUT>((resolve, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (!Number.isFinite(deadline)) return;
    timer = setTimeout(resolve, Math.ceil(leftUntil(deadline)), TIMED_OUT);
  });
  try {
    return (await Promise.race([before, ended])) ?? undefined;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
