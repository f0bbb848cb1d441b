/**
 * Re-entrant locks: who holds one may take it again, and gives it back as often.
 *
 * Goals: `Sync` calls hold for the thread, the others for an asynchronous task; two tasks of one
 * thread exclude each other, and what a task calls is part of it. Only the holder releases. A lock
 * whose holder dies goes to the next in line, who is told.
 * Non-goals: no fairness beyond the native lock's.
 */
import { registerHandle } from '../codec/index.ts';
import { RobustLock, type WaitOptions } from '../core/index.ts';
import { timeoutMsOf } from '../core/wait.ts';
import { getRuntime } from '../runtime/client/index.ts';
import { DragonError, NotOwnerError, TimeoutError } from '../runtime/errors/index.ts';
import { Frame, Holding, holdingOf, shareHolding } from './holding.ts';
import { takeOver } from './lent.ts';
import type { RunResult } from './lock.ts';
import {
  inherit,
  type LockOptions,
  type OnOwnerDied,
  optionsIn,
  partsOf,
  RevivedLock,
  withOptions,
} from './lock-options.ts';
import { SharedObject } from './shared-object.ts';

/** One acquisition of a re-entrant lock, from whatever code it is used. */
export class RLockGuard implements Disposable {
  readonly #lock: RLock;
  readonly #owner: Frame;
  #isReleased = false;
  /** True when the lock came from a holder that died: what it protects may be half changed. */
  readonly ownerDied: boolean;

  /** @internal Use `guard`. */
  constructor(lock: RLock, owner: Frame) {
    this.#lock = lock;
    this.#owner = owner;
    this.ownerDied = lock.ownerDied;
  }

  /** @internal */
  static lockOf(guard: RLockGuard): RLock {
    return guard.#lock;
  }

  /** Whether this acquisition still holds the lock. */
  get held(): boolean {
    return !this.#isReleased && RLock.isOwner(this.#lock, this.#owner);
  }

  /** Runs `section` as part of the task that holds the lock. */
  run<R>(section: () => R): R {
    if (!this.held) throw new NotOwnerError('the guard no longer holds the lock');
    return this.#owner.run(section);
  }

  /** Releases this acquisition. Throws NotOwnerError when it no longer holds the lock. */
  release(): void {
    if (!this.held) throw new NotOwnerError('the guard no longer holds the lock');
    this.#isReleased = true;
    RLock.pop(this.#lock);
  }

  /** Releases this acquisition if it still holds the lock. */
  [Symbol.dispose](): void {
    if (!this.#lock.closed && this.held) this.release();
  }
}

/**
 * A re-entrant lock that processes share. Pass it in `args`, through a queue or a connection.
 *
 * An asynchronous task is what `run` runs, with all that it calls. Without `run` it is the code
 * that waits for `acquire` or `guard`, from there on, with all that it calls or starts; not who
 * called that code, to whom a guard can be returned. On Node 20, code that was waiting already when
 * the process made or got its first such lock is told apart from its next wait on.
 *
 * @example
 * import { RLock } from 'dragon-runtime/multiprocessing';
 * const lock = new RLock();
 * const add = (x: number, y: number) => lock.run(() => x + y);
 * console.log(await lock.run(() => add(1, 2))); // 3
 */
export class RLock extends SharedObject<RobustLock> {
  readonly #options: LockOptions;
  readonly #holding: Holding;

  /** Makes a lock in the node's default pool. Throws ERR_NO_RUNTIME outside a runtime. */
  constructor(options?: LockOptions);
  /** @internal */
  constructor(options: RevivedLock);
  constructor(options: LockOptions | RevivedLock = {}) {
    const parts = partsOf(options);
    super(parts.core, 'lock');
    this.#options = parts.options;
    const isRevived = options instanceof RevivedLock;
    this.#holding = isRevived ? holdingOf(parts.core.serialize()) : new Holding();
  }

  /** Whether somebody holds the lock now. */
  get locked(): boolean {
    return this.core.locked;
  }

  /** Whether the calling code holds the lock. */
  get owned(): boolean {
    return !this.closed && this.#holding.isMine;
  }

  /** Whether the current acquisition came from a dead holder; false after the last release. */
  get ownerDied(): boolean {
    return this.core.ownerDied;
  }

  /** @internal What taking it from a dead holder does. */
  get onOwnerDied(): OnOwnerDied {
    return this.#options.onOwnerDied;
  }

  /**
   * Takes the lock, again if the calling task holds it: true, or false after `timeout` ms. Rejects
   * with the signal's reason; then the lock was not taken. Rejects with OwnerDiedError only under
   * `onOwnerDied: 'throw'`.
   */
  acquire(options?: WaitOptions): Promise<boolean> {
    return this.#entering(options, (taken) => taken);
  }

  /** As `acquire`, for the thread; blocks it. Throws ERR_STATE if that would be for ever. */
  acquireSync(options?: WaitOptions): boolean {
    return this.#takeSync(options, 'report');
  }

  /** Takes the lock for the thread if it is free or the thread holds it. */
  tryAcquire(): boolean {
    return this.#takeSync({ timeout: 0 }, 'report');
  }

  /** Gives one acquisition back. Throws NotOwnerError unless the calling code holds the lock. */
  release(): void {
    const { core } = this;
    if (!this.#holding.isMine) {
      throw new NotOwnerError(
        core.locked
          ? 'release: another process or task holds the lock; its guard releases it anywhere'
          : 'release: nobody holds the lock',
      );
    }
    RLock.pop(this);
  }

  /** Takes the lock and returns a guard. Rejects with TimeoutError after `timeout` ms. */
  guard(options?: WaitOptions): Promise<RLockGuard> {
    return this.#entering(options, (taken) => this.#guard(taken));
  }

  /** As `guard`, for the thread; blocks it. */
  guardSync(options?: WaitOptions): RLockGuard {
    return this.#guard(this.acquireSync(options));
  }

  /** The guard of the lock if it is free or the thread holds it, or undefined. */
  tryGuard(): RLockGuard | undefined {
    return this.tryAcquire() ? this.#guard(true) : undefined;
  }

  /**
   * Runs `section` as a task that holds the lock, or as part of the one that holds it, and returns
   * its result. Rejects with OwnerDiedError, without running it, when the last holder died: once,
   * and not under `onOwnerDied: 'report'`.
   */
  async run<R>(section: () => R | PromiseLike<R>, options?: WaitOptions): Promise<Awaited<R>> {
    using guard = await RLock.hold(this, options, 'throw');
    return await guard.run(section);
  }

  /** As `run`, for the thread; blocks it, and `section` must not return a promise. */
  runSync<R>(section: () => R, options?: WaitOptions): R {
    if (!this.#takeSync(options, 'throw')) throw stayedTaken('run');
    using _guard = this.#guard(true);
    return section();
  }

  /** As `runSync` if that needs no waiting; else `ok` is false, and `section` was not run. */
  tryRun<R>(section: () => R): RunResult<R> {
    if (!this.#takeSync({ timeout: 0 }, 'throw')) return { ok: false };
    using _guard = this.#guard(true);
    return { ok: true, value: section() };
  }

  /** Takes the lock for the code that waits for this. Not an asynchronous function, which would. */
  #entering<T>(options: WaitOptions | undefined, result: (taken: boolean) => T): Promise<T> {
    try {
      if (this.#again(options, false)) return Promise.resolve(result(true));
      const frame = new Frame();
      return frame.enterBehind(this.#take(frame, options, 'report').then(result));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Takes the lock again if the calling code holds it. Throws what the options make it throw. */
  #again(options: WaitOptions | undefined, isSyncCall: boolean): boolean {
    const { core: _open } = this;
    timeoutMsOf(options);
    options?.signal?.throwIfAborted();
    const isMine = isSyncCall ? this.#holding.isMine : this.#holding.isWithin;
    if (isMine) this.#holding.again();
    return isMine;
  }

  async #take(
    frame: Frame,
    options: WaitOptions | undefined,
    byDefault: 'report' | 'throw',
  ): Promise<boolean> {
    const { core } = this;
    let isTaken = false;
    try {
      isTaken =
        (await core.acquire(options)) && inherit(core, this.#options.onOwnerDied, byDefault);
    } finally {
      if (isTaken) this.#holding.begin(frame, false);
      else frame.end();
    }
    return isTaken;
  }

  #takeSync(options: WaitOptions | undefined, byDefault: 'report' | 'throw'): boolean {
    if (this.#again(options, true)) return true;
    const { core } = this;
    if (timeoutMsOf(options) < 0 && core.heldHere) {
      throw new DragonError(
        'acquire: an asynchronous task of this thread holds the lock, and can not go on while ' +
          'the thread is blocked; use the form that returns a promise, or a time-out',
        { code: 'ERR_STATE' },
      );
    }
    const isTaken =
      core.acquireSync(options) && inherit(core, this.#options.onOwnerDied, byDefault);
    if (!isTaken) return false;
    const frame = new Frame();
    frame.enter();
    this.#holding.begin(frame, true);
    return true;
  }

  #guard(taken: boolean): RLockGuard {
    const { owner } = this.#holding;
    if (!taken || owner === undefined) throw stayedTaken('guard');
    return new RLockGuard(this, owner);
  }

  /** @internal As `guard`, with whose lock only what the guard runs goes. */
  static async hold(
    lock: RLock,
    options: WaitOptions | undefined,
    byDefault: 'report' | 'throw',
  ): Promise<RLockGuard> {
    if (lock.#again(options, false)) return lock.#guard(true);
    return lock.#guard(await lock.#take(new Frame(), options, byDefault));
  }

  /** @internal Whether the acquisition with this frame holds the lock. */
  static isOwner(lock: RLock, owner: Frame): boolean {
    return !lock.closed && lock.#holding.owner === owner;
  }

  /** @internal Gives one acquisition back. */
  static pop(lock: RLock): void {
    const { core } = lock;
    if (lock.#holding.pop()) core.release();
  }

  /** @internal What a condition needs, whose waits let others hold the lock. */
  static inside(lock: RLock): { core: RobustLock; holding: Holding } {
    return { core: lock.core, holding: lock.#holding };
  }

  /** @internal Whether the guard holds this lock, through whatever handle. */
  static isGuardOf(lock: RLock, guard: object): boolean {
    return (
      guard instanceof RLockGuard &&
      guard.held &&
      RLockGuard.lockOf(guard).#holding === lock.#holding
    );
  }

  /** @internal What passing a lock to another process sends. */
  static lend(lock: RLock): { descriptor: Uint8Array; cancel(): void } {
    const { descriptor, cancel } = lock.core.lend();
    // It may come back to this thread.
    shareHolding(lock.core.serialize(), lock.#holding);
    return { descriptor: withOptions(descriptor, lock.#options), cancel };
  }

  /** @internal */
  static revive(bytes: Uint8Array): RLock {
    const { node } = getRuntime();
    const { object } = takeOver((how) => RobustLock.attach(node, bytes.subarray(1), how));
    return new RLock(new RevivedLock(object, optionsIn(bytes)));
  }
}

function stayedTaken(call: string): TimeoutError {
  return new TimeoutError(`${call}: the lock stayed taken`);
}

registerHandle(RLock, { kind: 'rlock', lend: RLock.lend, revive: RLock.revive });
