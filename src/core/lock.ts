/**
 * Robust locks: mutual exclusion between processes that survives the death of a holder.
 *
 * The holder is whoever acquired last; any process may release. When a holder dies the lock
 * goes to the next in line, who can see in `ownerDied` that what the lock protects may be
 * half changed.
 */
import { Status } from '../runtime/errors/codes.ts';
import { errorFromStatus } from '../runtime/errors/index.ts';
import { type Lent, Role } from './channel.ts';
import { Freed, LockWords, NO_WORDS } from './lock-words.ts';
import { loadAddon, type NativeLock } from './native.ts';
import { check, type Node, unwrap } from './node.ts';
import type { Pool } from './pool.ts';
import { KEPT, Lane, NOT_YET, timeoutMsOf, type WaitOptions } from './wait.ts';

export interface LockOptions {
  /** Default true; with false a lock whose holder died stays taken, as in Python. */
  readonly robust?: boolean;
}

/** An asynchronous call that waits; since when, on the clock of `performance`. */
interface Turn {
  sinceMs: number | undefined;
}

/** As kHandOverNs in native/channel/hand_over.h. */
const HAND_OVER_MS = 1;
/** No acquisition's number. */
const NO_ACQUISITION = -1;

/** What an attempt says: taken (0), taken from a dead holder, or not now. */
function taken(status: number): boolean {
  if (status === 0 || status === Status.OWNER_DIED) return true;
  if (status === Status.WOULD_BLOCK || status === Status.TIMEOUT) return false;
  throw errorFromStatus(status, 'acquire a lock');
}

export class RobustLock {
  readonly node: Node;
  readonly native: NativeLock;
  /** What a lock that nobody takes does not need is made by the first call that blocks or tries. */
  #words = NO_WORDS;
  /** In the order in which they came. */
  readonly #turns = new Set<Turn>();

  private constructor(node: Node, native: NativeLock) {
    this.node = node;
    this.native = native;
  }

  static create(pool: Pool, options: LockOptions = {}): RobustLock {
    const native = loadAddon().createLock(pool.native, options.robust ?? true);
    return new RobustLock(pool.node, unwrap(native, 'create a lock'));
  }

  static attach(node: Node, handle: Uint8Array, options: { adopt?: boolean } = {}): RobustLock {
    const native = loadAddon().attachLock(node.native, handle, options.adopt ?? false);
    return new RobustLock(node, unwrap(native, 'attach to a lock'));
  }

  tryAcquire(): boolean {
    return this.#words.take() || taken(this.#look().tryAcquire(false, false));
  }

  /** True when taken, false at the deadline; blocks the thread. */
  acquireSync(options?: WaitOptions): boolean {
    let timeoutMs = -1;
    if (options !== undefined) {
      options.signal?.throwIfAborted();
      timeoutMs = timeoutMsOf(options);
    }
    return this.#words.take() || taken(this.#look().acquireSync(timeoutMs));
  }

  /** True when taken, false at the deadline. An aborted acquire never leaves the lock taken. */
  acquire(options?: WaitOptions): Promise<boolean> {
    const turn: Turn = { sinceMs: undefined };
    const result = this.node.waits.wait<boolean>(
      this.native,
      Lane.lock,
      (isRelook, isWoken) => {
        const isNew = !isRelook && !isWoken;
        if (isNew && this.#isTurnOfAnother(turn)) {
          this.#queue(turn);
          return KEPT;
        }
        if (taken(this.native.tryAcquire(isRelook, isNew))) return true;
        this.#queue(turn);
        return this.native.locked ? NOT_YET : KEPT;
      },
      { ...options, isHeld: true },
      () => false,
    );
    if (turn.sinceMs === undefined) return result;
    const leave = (): void => {
      this.#turns.delete(turn);
    };
    result.then(leave, leave);
    return result;
  }

  #queue(turn: Turn): void {
    if (turn.sinceMs !== undefined) return;
    turn.sinceMs = performance.now();
    this.#turns.add(turn);
  }

  /**
   * The asynchronous tasks of a process are one actor, to the native lock: one that comes takes
   * nothing that is kept for another, nor anything before the event loop has turned for one that
   * has waited long enough.
   */
  #isTurnOfAnother(mine: Turn): boolean {
    const [first] = this.#turns;
    if (first === undefined || first === mine) return false;
    return performance.now() - (first.sinceMs as number) >= HAND_OVER_MS;
  }

  /** Frees the lock, whoever took it. Throws ERR_NOT_OWNER when it is free. */
  release(): void {
    const freed = this.#words.free();
    if (freed === Freed.not) check(this.native.release(), 'release a lock');
    else if (freed === Freed.andWake) this.native.wake();
  }

  /**
   * Frees the lock if the acquisition with this number holds it, in one step: false, and nothing
   * is released, if another one holds it by now, or none.
   */
  releaseIf(sequence: number): boolean {
    const freed = this.#words.free(sequence);
    if (freed !== Freed.not) {
      if (freed === Freed.andWake) this.native.wake();
      return true;
    }
    const status = this.native.releaseIf(sequence);
    if (status === Status.NOT_OWNER) return false;
    check(status, 'release a lock');
    return true;
  }

  get locked(): boolean {
    return this.#words.sequence !== undefined || this.native.locked;
  }

  /** Whether the current acquisition is one of this attachment. */
  get heldHere(): boolean {
    return this.native.heldHere;
  }

  /** Whether the current acquisition took the lock from a dead holder. */
  get ownerDied(): boolean {
    return this.#words.sequence === undefined && this.native.ownerDied;
  }

  /** The current acquisition's number modulo 2^32: tells a guard whether it still holds. */
  get sequence(): number {
    return this.#words.sequence ?? this.native.sequence;
  }

  /**
   * The number of the acquisition that this attachment has just made, or NO_ACQUISITION when
   * somebody has released it meanwhile: then the number would be another one's.
   */
  get acquisition(): number {
    const { sequence } = this.#words;
    if (sequence !== undefined) return sequence;
    const number = this.native.sequence;
    return this.native.heldHere ? number : NO_ACQUISITION;
  }

  #look(): NativeLock {
    if (this.#words === NO_WORDS) this.#words = LockWords.of(this.native, this.node.actorId);
    return this.native;
  }

  lend(): Lent {
    const descriptor = this.native.lend(Role.holder);
    if (typeof descriptor === 'number') throw errorFromStatus(descriptor, 'lend a lock');
    return { descriptor, cancel: () => this.native.cancelLent(descriptor) };
  }

  serialize(): Uint8Array {
    return this.native.serialize();
  }

  destroy(): void {
    check(this.native.destroy(), 'destroy a lock');
  }

  close(): void {
    this.native.close();
    this.#words = NO_WORDS;
    this.node.waits.nudge(this.native);
  }
}
