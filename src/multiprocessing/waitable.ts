/**
 * What `wait` asks of an object that can be waited on.
 *
 * Goals: any object, also a program's own, takes part by one method; a wait needs no thread, since
 * objects in shared memory are stood at in their own queues.
 * Non-goals: taking anything. That an object is ready says that its own call would not wait now.
 */
import type { WaitPlace } from '../core/index.ts';

/** The method by which an object says how it is watched. */
export const waitable: unique symbol = Symbol.for('dragon-runtime.waitable');

/** An object that `wait` and `waitSync` take. */
export interface Waitable {
  /** Begins to watch the object. Throws when it can't be waited on, as after its close. */
  [waitable](): Watch;
}

/** One object under one wait, from its beginning to its end. */
export interface Watch {
  /** Whether the object is ready now; takes nothing. What it throws ends the wait. */
  isReady(): boolean;
  /** Where it is rung when the object changes. `waitSync` refuses an object without a place. */
  readonly places: readonly WaitPlace[];
  /** Hears of changes that ring nowhere in shared memory: has `changed` called after each. */
  listen?(changed: () => void): void;
  /** Called once, when the wait is over. */
  end?(): void;
}
