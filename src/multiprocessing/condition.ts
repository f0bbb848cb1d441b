/**
 * Conditions: processes that hold a lock wait until others say that something has changed.
 *
 * Goals: a wait releases the lock and begins to wait in one step, and ends with the lock held, as
 * often as before; a notify ends the wait of who came first, and goes to the next if that one dies
 * or gives up. Nobody waits or notifies without the lock.
 * Non-goals: after a death a wait may end without a notify; `waitFor` looks whether it is so.
 */
import { registerHandle } from '../codec/index.ts';
import { Condition as CoreCondition, type RobustLock, type WaitOptions } from '../core/index.ts';
import { timeoutMsOf } from '../core/wait.ts';
import { getRuntime } from '../runtime/client/index.ts';
import { NotLockedError } from '../runtime/errors/index.ts';
import { takeOver } from './lent.ts';
import { Lock, LockGuard } from './lock.ts';
import { ownerDiedError } from './lock-options.ts';
import { RLock, type RLockGuard } from './rlock.ts';
import { integerFrom, SharedObject } from './shared-object.ts';
import { deadlineOf, leftUntil } from './turns.ts';

export interface ConditionOptions {
  /** Most waits at a time, over all processes; one more fails with ERR_FULL. Default 256. */
  readonly waiters?: number;
}

type Guard = LockGuard | RLockGuard;

/** What a wait needs of the lock: the core's, and to be told when others may hold it. */
interface Releasing {
  readonly core: RobustLock;
  suspend(): void;
  resume(): void;
}

/** What makes a condition from its descriptor instead of a new one. */
class Revived {
  readonly core: CoreCondition;
  readonly lock: Lock | RLock;

  constructor(core: CoreCondition, lock: Lock | RLock) {
    this.core = core;
    this.lock = lock;
  }
}

const DEFAULT_WAITERS = 256;

/** In a descriptor: the kind of the lock, the length of the core's descriptor, that, the lock's. */
const HEAD_BYTES = 5;
const KIND_RLOCK = 1;

/**
 * A condition that processes share. Pass it in `args`, through a queue or a connection.
 *
 * @example
 * import { Condition } from 'dragon-runtime/multiprocessing';
 * const condition = new Condition();
 * let ready = false;
 * const waiting = condition.run((guard) => condition.waitFor(guard, () => ready));
 * await condition.run((guard) => {
 *   ready = true;
 *   return condition.notify(1, guard);
 * });
 * console.log(await waiting); // true
 */
export class Condition extends SharedObject<CoreCondition> {
  /** What is held to wait and to notify. */
  readonly lock: Lock | RLock;
  readonly #isLockMine: boolean;

  /**
   * Makes a condition over a lock of the node's default pool; without one, over an `RLock` of its
   * own, which throws OwnerDiedError once when its holder has died. Throws ERR_NO_RUNTIME outside
   * a runtime, ERR_INVALID_ARGUMENT unless there is room for 1 to 65536 waiters.
   */
  constructor(lock?: Lock | RLock, options?: ConditionOptions);
  /** @internal */
  constructor(lock: Revived);
  constructor(lock?: Lock | RLock | Revived, options: ConditionOptions = {}) {
    const isRevived = lock instanceof Revived;
    const waiters = integerFrom(1, options.waiters ?? DEFAULT_WAITERS, 'the number of waiters');
    super(
      isRevived ? lock.core : CoreCondition.create(getRuntime().pool, { waiters }),
      'condition',
    );
    this.#isLockMine = isRevived || lock === undefined;
    this.lock = isRevived ? lock.lock : (lock ?? new RLock({ onOwnerDied: 'throw' }));
  }

  /** Waits that have not been notified. */
  get nWaiting(): number {
    return this.core.waiting;
  }

  /** Takes the lock; as `lock.acquire`. */
  acquire(options?: WaitOptions): Promise<boolean> {
    return this.lock.acquire(options);
  }

  /** As `acquire`; blocks the thread. */
  acquireSync(options?: WaitOptions): boolean {
    return this.lock.acquireSync(options);
  }

  /** Takes the lock if that needs no waiting. */
  tryAcquire(): boolean {
    return this.lock.tryAcquire();
  }

  release(): void {
    this.lock.release();
  }

  /** Takes the lock and returns its guard, which `wait` and `waitFor` take. */
  guard(options?: WaitOptions): Promise<Guard> {
    return this.lock.guard(options);
  }

  /** As `guard`; blocks the thread. */
  guardSync(options?: WaitOptions): Guard {
    return this.lock.guardSync(options);
  }

  /** Runs `section` with the guard of the lock, which is held meanwhile. */
  async run<R>(
    section: (guard: Guard) => R | PromiseLike<R>,
    options?: WaitOptions,
  ): Promise<Awaited<R>> {
    const { lock } = this;
    if (lock instanceof RLock) {
      using guard = await RLock.hold(lock, options, 'report');
      return await guard.run(() => section(guard));
    }
    using guard = await lock.guard(options);
    return await section(guard);
  }

  /** As `run`; blocks the thread, and `section` must not return a promise. */
  runSync<R>(section: (guard: Guard) => R, options?: WaitOptions): R {
    using guard = this.lock.guardSync(options);
    return section(guard);
  }

  /**
   * Releases the lock, waits for a notify, and takes the lock again: true, or false after `timeout`
   * ms. Rejects with the signal's reason, having used no notify; with OwnerDiedError when the lock
   * came from a dead holder, unless it reports that; with NotLockedError when the guard does not
   * hold the lock. The lock is held then too, for which there is no time-out.
   */
  async wait(guard: Guard, options?: WaitOptions): Promise<boolean> {
    const { core } = this;
    const releasing = this.#held(guard);
    timeoutMsOf(options);
    options?.signal?.throwIfAborted();
    releasing.suspend();
    let isNotified = false;
    try {
      isNotified = await core.wait(releasing.core, options);
    } finally {
      if (releasing.core.heldHere) releasing.resume();
    }
    this.#inherit(releasing.core);
    return isNotified;
  }

  /** As `wait`, for the thread that holds the lock; blocks it. */
  waitSync(options?: WaitOptions): boolean {
    const { core } = this;
    const releasing = this.#held(undefined);
    timeoutMsOf(options);
    options?.signal?.throwIfAborted();
    releasing.suspend();
    let isNotified = false;
    try {
      isNotified = core.waitSync(releasing.core, options);
    } finally {
      if (releasing.core.heldHere) releasing.resume();
    }
    this.#inherit(releasing.core);
    return isNotified;
  }

  /**
   * Waits until `predicate` returns something true, which is asked with the lock held: its last
   * value, after `timeout` ms whatever it is then.
   */
  async waitFor<T>(guard: Guard, predicate: () => T, options?: WaitOptions): Promise<T> {
    const deadline = deadlineOf(options);
    this.#held(guard);
    for (;;) {
      const value = predicate();
      const timeout = leftUntil(deadline);
      if (value || timeout <= 0) return value;
      if (!(await this.wait(guard, { ...options, timeout }))) return predicate();
    }
  }

  /** As `waitFor`, for the thread that holds the lock; blocks it. */
  waitForSync<T>(predicate: () => T, options?: WaitOptions): T {
    const deadline = deadlineOf(options);
    this.#held(undefined);
    for (;;) {
      const value = predicate();
      const timeout = leftUntil(deadline);
      if (value || timeout <= 0) return value;
      if (!this.waitSync({ ...options, timeout })) return predicate();
    }
  }

  /**
   * Ends the waits of the `n` that came first; how many that were. Who is not there yet is not
   * notified. Throws NotLockedError unless the lock is held: by `guard`, or by this process and,
   * of an `RLock`, by the calling code.
   */
  notify(n = 1, guard?: Guard): number {
    this.#held(guard);
    return this.core.notify(n);
  }

  /** Ends all waits; how many there were. */
  notifyAll(guard?: Guard): number {
    return this.notify(Number.POSITIVE_INFINITY, guard);
  }

  /** As of every object; the lock is closed too, unless the condition was made over a given one. */
  override close(): void {
    super.close();
    if (this.#isLockMine) this.lock.close();
  }

  /** The lock, which `guard` or the calling code has to hold. */
  #held(guard: Guard | undefined): Releasing {
    const { core: _open, lock } = this;
    const releasing = lock instanceof RLock ? ofRLock(lock, guard) : ofLock(lock, guard);
    if (releasing !== undefined) return releasing;
    throw new NotLockedError(
      guard === undefined
        ? 'the condition: the calling code does not hold its lock'
        : 'the condition: the guard does not hold its lock',
    );
  }

  #inherit(lock: RobustLock): void {
    if (lock.ownerDied && this.lock.onOwnerDied !== 'report') throw ownerDiedError();
  }

  /** @internal What passing a condition to another process sends. */
  static lend(condition: Condition): { descriptor: Uint8Array; cancel(): void } {
    const core = condition.core.lend();
    const { lock } = condition;
    let its: { descriptor: Uint8Array; cancel(): void };
    try {
      its = lock instanceof RLock ? RLock.lend(lock) : Lock.lend(lock);
    } catch (error) {
      core.cancel();
      throw error;
    }
    const { length } = core.descriptor;
    const bytes = new Uint8Array(HEAD_BYTES + length + its.descriptor.length);
    if (lock instanceof RLock) bytes[0] = KIND_RLOCK;
    new DataView(bytes.buffer).setUint32(1, length, true);
    bytes.set(core.descriptor, HEAD_BYTES);
    bytes.set(its.descriptor, HEAD_BYTES + length);
    const cancel = (): void => {
      core.cancel();
      its.cancel();
    };
    return { descriptor: bytes, cancel };
  }

  /** @internal */
  static revive(bytes: Uint8Array): Condition {
    const { node } = getRuntime();
    const length = new DataView(bytes.buffer, bytes.byteOffset, HEAD_BYTES).getUint32(1, true);
    const handle = bytes.subarray(HEAD_BYTES, HEAD_BYTES + length);
    const rest = bytes.subarray(HEAD_BYTES + length);
    const { object } = takeOver((how) => CoreCondition.attach(node, handle, how));
    const lock = bytes[0] === KIND_RLOCK ? RLock.revive(rest) : Lock.revive(rest);
    return new Condition(new Revived(object, lock));
  }
}

function ofRLock(lock: RLock, guard: Guard | undefined): Releasing | undefined {
  const isHeld = guard === undefined ? lock.owned : RLock.isGuardOf(lock, guard);
  if (!isHeld) return undefined;
  const { core, holding } = RLock.inside(lock);
  let suspended: ReturnType<typeof holding.suspend> | undefined;
  return {
    core,
    suspend: () => {
      suspended = holding.suspend();
    },
    resume: () => {
      if (suspended !== undefined) holding.resume(suspended);
    },
  };
}

function ofLock(lock: Lock, guard: Guard | undefined): Releasing | undefined {
  const core = Lock.inside(lock);
  const isGuarded = guard instanceof LockGuard && Lock.isGuardOf(lock, guard);
  if (!(guard === undefined ? core.heldHere : isGuarded)) return undefined;
  const resume = LockGuard.renewing(core, isGuarded ? guard : undefined);
  return { core, suspend: () => undefined, resume };
}

registerHandle(Condition, { kind: 'condition', lend: Condition.lend, revive: Condition.revive });
