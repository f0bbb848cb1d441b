/**
 * Locks: mutual exclusion between processes, and between the asynchronous tasks of one.
 *
 * Goals: a lock whose holder dies goes to the next in line, who is told; a guard releases the
 * acquisition that it stands for and no other; an aborted acquire never leaves the lock taken.
 * Non-goals: no re-entry (RLock) and no fairness beyond the native lock's.
 */
import { registerHandle } from '../codec/index.ts';
import { RobustLock, type WaitOptions } from '../core/index.ts';
import { getRuntime } from '../runtime/client/index.ts';
import { ClosedError, NotOwnerError, TimeoutError } from '../runtime/errors/index.ts';
import { Closing } from './closing.ts';
import { takeOver } from './lent.ts';
import {
  inherit,
  type LockOptions,
  type OnOwnerDied,
  optionsIn,
  partsOf,
  RevivedLock,
  withOptions,
} from './lock-options.ts';

export type { LockOptions } from './lock-options.ts';

/** The number of an acquisition. A wait for a condition gives the lock back, and has a new one. */
interface Acquisition {
  sequence: number;
}

/** What the guard that was made last goes by. */
const guarded = new WeakMap<RobustLock, Acquisition>();

/** One acquisition of a lock. Disposing it releases the lock. */
export class LockGuard implements Disposable {
  readonly #lock: RobustLock;
  readonly #acquisition: Acquisition;
  /** True when the lock came from a holder that died: what it protects may be half changed. */
  readonly ownerDied: boolean;

  /** @internal */
  constructor(lock: RobustLock) {
    this.#lock = lock;
    this.#acquisition = { sequence: lock.acquisition };
    guarded.set(lock, this.#acquisition);
    this.ownerDied = lock.ownerDied;
  }

  /**
   * @internal Called before the lock is given back for a while: returns what to call when it was
   * taken again, so that `guard`, or the guard of the acquisition that holds it now, is valid.
   */
  static renewing(lock: RobustLock, guard: LockGuard | undefined): () => void {
    const acquisition = guard === undefined ? guarded.get(lock) : guard.#acquisition;
    if (acquisition?.sequence !== lock.sequence) return () => undefined;
    return () => {
      acquisition.sequence = lock.acquisition;
    };
  }

  /** @internal */
  static lockOf(guard: LockGuard): RobustLock {
    return guard.#lock;
  }

  /** Whether this acquisition still holds the lock. */
  get held(): boolean {
    return this.#lock.locked && this.#lock.sequence === this.#acquisition.sequence;
  }

  /** Releases the lock. Throws NotOwnerError when this acquisition no longer holds it. */
  release(): void {
    if (!this.#release()) throw new NotOwnerError('the guard no longer holds the lock');
  }

  /** Releases the lock if this acquisition still holds it. */
  [Symbol.dispose](): void {
    this.#release();
  }

  #release(): boolean {
    return this.held && this.#lock.releaseIf(this.#acquisition.sequence);
  }
}

/** What `tryRun` did: what the section returned, or nothing since the lock was taken. */
export type RunResult<R> = { readonly ok: true; readonly value: R } | { readonly ok: false };

/**
 * A lock that processes share. Pass it in `args`, through a queue or a connection.
 *
 * @example
 * import { Lock } from 'dragon-runtime/multiprocessing';
 * using lock = new Lock();
 * console.log(await lock.run(() => 'alone')); // alone
 * if (lock.acquireSync({ timeout: 100 })) lock.release();
 * console.log(lock.locked); // false
 */
export class Lock implements Disposable {
  readonly #lock: RobustLock;
  readonly #options: LockOptions;
  readonly #closing = new Closing();
  #closed = false;

  /** Makes a lock in the node's default pool. Throws ERR_NO_RUNTIME outside a runtime. */
  constructor(options?: LockOptions);
  /** @internal */
  constructor(options: RevivedLock);
  constructor(options: LockOptions | RevivedLock = {}) {
    const parts = partsOf(options);
    this.#options = parts.options;
    this.#lock = parts.core;
  }

  /** Whether somebody holds the lock now. */
  get locked(): boolean {
    this.#alive();
    return this.#lock.locked;
  }

  /** Whether the current acquisition came from a dead holder; false after the next release. */
  get ownerDied(): boolean {
    this.#alive();
    return this.#lock.ownerDied;
  }

  /** @internal What taking it from a dead holder does. */
  get onOwnerDied(): OnOwnerDied {
    return this.#options.onOwnerDied;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Takes the lock: true, or false after `timeout` ms. Rejects with the signal's reason; then
   * the lock was not taken. Rejects with OwnerDiedError only under `onOwnerDied: 'throw'`.
   */
  async acquire(options?: WaitOptions): Promise<boolean> {
    this.#alive();
    return (await this.#take(options)) && this.#inherit('report');
  }

  /** As `acquire`; blocks the thread. */
  acquireSync(options?: WaitOptions): boolean {
    this.#alive();
    return this.#lock.acquireSync(options) && this.#inherit('report');
  }

  /** Takes the lock if it is free. */
  tryAcquire(): boolean {
    this.#alive();
    return this.#lock.tryAcquire() && this.#inherit('report');
  }

  /** Frees the lock, whoever took it. Throws NotOwnerError when it is free. */
  release(): void {
    this.#alive();
    this.#lock.release();
  }

  /** Takes the lock and returns its guard. Rejects with TimeoutError after `timeout` ms. */
  async guard(options?: WaitOptions): Promise<LockGuard> {
    if (!(await this.acquire(options))) throw new TimeoutError('guard: the lock stayed taken');
    return new LockGuard(this.#lock);
  }

  /** As `guard`; blocks the thread. */
  guardSync(options?: WaitOptions): LockGuard {
    if (!this.acquireSync(options)) throw new TimeoutError('guard: the lock stayed taken');
    return new LockGuard(this.#lock);
  }

  /** The guard of the lock if it is free, or undefined. */
  tryGuard(): LockGuard | undefined {
    return this.tryAcquire() ? new LockGuard(this.#lock) : undefined;
  }

  /**
   * Runs `section` while holding the lock and returns its result. Rejects with OwnerDiedError,
   * without running it, when the last holder died: once, and not under
   * `onOwnerDied: 'report'`.
   */
  async run<R>(section: () => R | PromiseLike<R>, options?: WaitOptions): Promise<Awaited<R>> {
    this.#alive();
    if (!(await this.#take(options))) throw new TimeoutError('run: the lock stayed taken');
    this.#inherit('throw');
    const guard = new LockGuard(this.#lock);
    try {
      return await section();
    } finally {
      guard[Symbol.dispose]();
    }
  }

  /** As `run`; blocks the thread, and `section` must not return a promise. */
  runSync<R>(section: () => R, options?: WaitOptions): R {
    this.#alive();
    if (!this.#lock.acquireSync(options)) throw new TimeoutError('run: the lock stayed taken');
    this.#inherit('throw');
    const guard = new LockGuard(this.#lock);
    try {
      return section();
    } finally {
      guard[Symbol.dispose]();
    }
  }

  /** As `runSync` if the lock is free now; else `ok` is false, and `section` was not run. */
  tryRun<R>(section: () => R): RunResult<R> {
    this.#alive();
    if (!this.#lock.tryAcquire()) return { ok: false };
    this.#inherit('throw');
    const guard = new LockGuard(this.#lock);
    try {
      return { ok: true, value: section() };
    } finally {
      guard[Symbol.dispose]();
    }
  }

  /** Ends this process's use of the lock; it stays as it is for the other holders. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closing.close(new ClosedError('the lock was closed in this process'));
    this.#lock.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Takes the native lock; closing this lock rejects a call that waits. */
  async #take(options: WaitOptions | undefined): Promise<boolean> {
    const signal = this.#closing.link(options?.signal);
    return await this.#lock.acquire({ ...options, signal });
  }

  #inherit(byDefault: 'report' | 'throw'): true {
    return inherit(this.#lock, this.#options.onOwnerDied, byDefault);
  }

  #alive(): void {
    if (this.#closed) throw new ClosedError('the lock was closed in this process');
  }

  /** @internal What a condition waits with. */
  static inside(lock: Lock): RobustLock {
    lock.#alive();
    return lock.#lock;
  }

  /** @internal Whether the guard holds this lock through this handle. */
  static isGuardOf(lock: Lock, guard: object): boolean {
    return guard instanceof LockGuard && guard.held && LockGuard.lockOf(guard) === lock.#lock;
  }

  /** @internal What passing a lock to another process sends. */
  static lend(lock: Lock): { descriptor: Uint8Array; cancel(): void } {
    lock.#alive();
    const { descriptor, cancel } = lock.#lock.lend();
    return { descriptor: withOptions(descriptor, lock.#options), cancel };
  }

  /** @internal */
  static revive(bytes: Uint8Array): Lock {
    const { node } = getRuntime();
    const { object } = takeOver((how) => RobustLock.attach(node, bytes.subarray(1), how));
    return new Lock(new RevivedLock(object, optionsIn(bytes)));
  }
}

registerHandle(Lock, { kind: 'lock', lend: Lock.lend, revive: Lock.revive });
