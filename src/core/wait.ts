/**
 * Waiting without a thread: promises that settle when an object's state changes.
 *
 * A wait is a native record on an object's lane plus a `look` function. The order is always
 * arm, look, sleep, so no wake is lost; wakes are hints, so a look may find nothing. Because
 * a wake can be lost with a process that died or was stopped, every pending wait also looks
 * again by itself within 10 ms, then at doubling distances up to 16 s, or to a second where
 * it waits for what another process holds. One timer serves all of them.
 * Non-goals: no blocking calls; those wait inside the addon on the same records.
 */
import { Status } from '../runtime/errors/codes.ts';
import { errorFromStatus } from '../runtime/errors/index.ts';
import { type NativeNode, type NativeObject, WAKE_WORDS, WakeWord } from './native.ts';

/** How long a call may wait, and what may abort it. */
export interface WaitOptions {
  /** Milliseconds; `undefined` and `Infinity` wait for ever, 0 and less try once. */
  readonly timeout?: number | undefined;
  /** Aborting rejects with the signal's reason; then nothing was consumed or changed. */
  readonly signal?: AbortSignal | undefined;
  /** False lets the event loop end while an asynchronous call waits; default true. */
  readonly ref?: boolean | undefined;
}

/** What a class adds to the options of its caller. */
export interface HeldWaitOptions extends WaitOptions {
  /** What is waited for is held by a process that may be dead or stopped. */
  readonly isHeld: true;
}

/** The queues in which an object's waiters stand; native/binding knows the same numbers. */
export const Lane = {
  receive: 0,
  send: 1,
  pollIn: 2,
  pollOut: 3,
  pollEmpty: 4,
  pollFull: 5,
  pollInOut: 6,
  pollDestroyed: 7,
  channelMemory: 8,
  receipt: 9,
  lock: 0,
  memory: 0,
} as const;

/** What a look returns while there is nothing to settle with. */
export const NOT_YET: unique symbol = Symbol('not yet');
/** The same while something is kept for another waiter: nobody rings when that is over. */
export const KEPT: unique symbol = Symbol('kept for another');

type Unsettled = typeof NOT_YET | typeof KEPT;

/** The longest delay that setTimeout takes; a longer wait ends then, 24.8 days later. */
const TIMER_LAST_MS = 2 ** 31 - 1;
const RELOOK_FIRST_MS = 10;
/** A process that only waits costs next to nothing at this distance. */
const RELOOK_LAST_MS = 16_000;
const RELOOK_HELD_LAST_MS = 1000;
/** A little more than what is given back is kept for (native/channel/hand_over.h). */
const RELOOK_KEPT_MS = 2;

/** The time-out of `options` in ms: -1 for ever, 0 try once. Throws TypeError for NaN. */
export function timeoutMsOf(options: WaitOptions | undefined): number {
  const timeout = options?.timeout;
  if (timeout === undefined || timeout === Number.POSITIVE_INFINITY) return -1;
  if (typeof timeout !== 'number' || Number.isNaN(timeout)) {
    throw new TypeError('timeout must be a number of milliseconds, not NaN');
  }
  return Math.max(0, timeout);
}

function timedOut(): never {
  throw errorFromStatus(Status.TIMEOUT, 'wait on an object');
}

/** What can be waited on: a native object, or whatever arms its waits by itself. */
export interface Armable extends Pick<NativeObject, 'arm'> {
  /** Whether it stands for `object` among others. */
  includes?(object: Armable): boolean;
}

interface Pending {
  readonly object: Armable;
  /** One record for each lane. */
  readonly waitIds: number[];
  readonly ref: boolean;
  /** Looks and settles if it can; true when settled. `wakeId` is the wake that it answers. */
  readonly look: (isRelook: boolean, wakeId?: number) => boolean;
  readonly relookLastMs: number;
  /** On the clock of `performance`; 0 until the timer has seen this wait. */
  relookAtMs: number;
  relookStepMs: number;
}

/** All pending waits of one node attachment, on one doorbell. */
export class WaitLoop {
  readonly #node: NativeNode;
  readonly #words = new Uint32Array(WAKE_WORDS);
  readonly #pending = new Set<Pending>();
  readonly #byWaitId = new Map<number, Pending>();
  readonly #listeners = new Map<number, () => void>();
  #timer: NodeJS.Timeout | undefined;
  #timerDelayMs = 0;
  /** The object whose last wait had to sleep: the next one there is armed before the first look. */
  #slept: Armable | undefined;
  /** The word of the wake that is being answered. */
  #answered = 0;

  constructor(node: NativeNode) {
    this.#node = node;
    node.onWake((count) => this.#onWake(count), this.#words);
  }

  /** Number of waits that are pending now. */
  get size(): number {
    return this.#pending.size;
  }

  /**
   * Settles with what `look` returns once that is not NOT_YET, or rejects with what it throws.
   * `look` is told when it is called without a wake, since the waker may be dead, and when it
   * answers one.
   * At the time-out it settles with what `onTimeout` returns or throws, ERR_TIMEOUT by default.
   */
  wait<T>(
    object: Armable,
    lanes: number | readonly number[],
    look: (isRelook: boolean, isWoken: boolean) => T | Unsettled,
    options?: WaitOptions | HeldWaitOptions,
    onTimeout: () => T = timedOut,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timeoutMs = timeoutMsOf(options);
      const signal = options?.signal;
      signal?.throwIfAborted();
      if (object !== this.#slept || timeoutMs === 0) {
        const first = look(false, false);
        if (first !== NOT_YET && first !== KEPT) return resolve(first);
        if (timeoutMs === 0) return resolve(onTimeout());
      }

      let timer: NodeJS.Timeout | undefined;
      const finish = (usedId?: number): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#drop(pending, usedId);
      };
      const onAbort = (): void => {
        finish();
        reject(signal?.reason);
      };
      const onDeadline = (): void => {
        if (pending.look(false)) return;
        finish();
        try {
          resolve(onTimeout());
        } catch (error) {
          reject(error);
        }
      };
      const settle: Pending['look'] = (isRelook, wakeId) => {
        try {
          const value = look(isRelook, wakeId !== undefined);
          if (value === NOT_YET) return false;
          if (value === KEPT) {
            this.#relookSoon(pending);
            return false;
          }
          finish(wakeId);
          resolve(value);
        } catch (error) {
          finish();
          reject(error);
        }
        return true;
      };
      const pending = this.#arm(object, lanes, options, settle);
      if (pending.look(false)) {
        this.#slept = undefined;
        return;
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      if (timeoutMs < 0) return;
      // A timer drops the fraction of its delay, and would come before the deadline.
      timer = setTimeout(onDeadline, Math.min(Math.ceil(timeoutMs), TIMER_LAST_MS));
      if (!pending.ref) timer.unref();
    });
  }

  /** Calls back each time that a wait wakes which its owner has armed and rearms by itself. */
  listen(waitId: number, onWake: () => void): void {
    this.#listeners.set(waitId, onWake);
  }

  /** Ends what `listen` began, and the wait. */
  unlisten(waitId: number): void {
    if (this.#listeners.delete(waitId)) this.#node.cancel(waitId, false);
  }

  /** Looks at once for every wait on `object`: something of this process has changed it. */
  nudge(object: Armable): void {
    for (const pending of [...this.#pending]) {
      const isIt = pending.object === object || pending.object.includes?.(object);
      if (isIt && this.#pending.has(pending)) pending.look(false);
    }
  }

  #arm(
    object: Armable,
    lanes: number | readonly number[],
    options: WaitOptions | HeldWaitOptions | undefined,
    look: Pending['look'],
  ): Pending {
    const waitIds: number[] = [];
    for (const lane of typeof lanes === 'number' ? [lanes] : lanes) {
      const waitId = object.arm(lane);
      if (waitId < 0) {
        for (const armed of waitIds) this.#node.cancel(armed, false);
        throw errorFromStatus(-waitId, 'wait on an object');
      }
      waitIds.push(waitId);
    }
    const isHeld = options !== undefined && 'isHeld' in options;
    const pending: Pending = {
      object,
      waitIds,
      ref: options?.ref ?? true,
      look,
      relookLastMs: isHeld ? RELOOK_HELD_LAST_MS : RELOOK_LAST_MS,
      relookAtMs: 0,
      relookStepMs: RELOOK_FIRST_MS,
    };
    for (const waitId of waitIds) this.#byWaitId.set(waitId, pending);
    this.#pending.add(pending);
    if (pending.ref) this.#addRef();
    this.#relookIn(RELOOK_FIRST_MS);
    return pending;
  }

  /** The addon looks at the count before each sleep, and lets go of the event loop at 0. */
  #addRef(): void {
    (this.#words[WakeWord.refs] as number)++;
    if (this.#words[WakeWord.held] === 0) this.#node.hold();
  }

  /**
   * Ends a wait. Of the wakes that reached it only the one that its last look answered is used;
   * one that came meanwhile means something else, and goes to the next waiter.
   */
  #drop(pending: Pending, usedId: number | undefined): void {
    if (!this.#pending.delete(pending)) return;
    for (const waitId of pending.waitIds) {
      this.#byWaitId.delete(waitId);
      if (waitId === usedId) this.#words[this.#answered] = waitId;
      else this.#node.cancel(waitId, false);
    }
    if (pending.ref) (this.#words[WakeWord.refs] as number)--;
  }

  /** `count` wakes lie in the words; the addon ends the waits that are left there. */
  #onWake(count: number): void {
    for (let at: number = WakeWord.first; at < WakeWord.first + count; at++) {
      const waitId = this.#words[at] as number;
      this.#words[at] = 0;
      const pending = this.#byWaitId.get(waitId);
      if (pending === undefined) {
        this.#listeners.get(waitId)?.();
        continue;
      }
      this.#answered = at;
      this.#slept = pending.object;
      if (pending.look(false, waitId)) continue;
      // Back in the queue, and another look, so that a change after this one rings again.
      this.#node.rearm(waitId);
      pending.look(false);
    }
  }

  /**
   * The timer runs on when nothing is pending any more, and then not again: a wait that is over at
   * once, like most, costs no timer of its own. Nor does it cost a look at the clock.
   */
  #relookIn(delayMs: number): void {
    if (this.#timer !== undefined && this.#timerDelayMs <= delayMs) return;
    clearTimeout(this.#timer);
    this.#timerDelayMs = delayMs;
    this.#timer = setTimeout(() => this.#relook(), delayMs);
    // The doorbell decides whether the event loop stays alive, not this insurance.
    this.#timer.unref();
  }

  #relookSoon(pending: Pending): void {
    pending.relookAtMs = 0;
    pending.relookStepMs = RELOOK_KEPT_MS / 2;
    this.#relookIn(RELOOK_KEPT_MS);
  }

  #relook(): void {
    this.#timer = undefined;
    const nowMs = performance.now();
    let nextMs = nowMs + RELOOK_LAST_MS;
    for (const pending of [...this.#pending]) {
      if (!this.#pending.has(pending)) continue;
      if (pending.relookAtMs <= nowMs) {
        if (pending.look(true)) continue;
        pending.relookStepMs = Math.min(pending.relookLastMs, pending.relookStepMs * 2);
        pending.relookAtMs = nowMs + pending.relookStepMs;
      }
      nextMs = Math.min(nextMs, pending.relookAtMs);
    }
    if (this.#pending.size > 0) this.#relookIn(Math.max(1, nextMs - nowMs));
  }
}
