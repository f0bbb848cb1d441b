/**
 * A lock's words in shared memory, and what JavaScript does with them itself.
 *
 * Goals: a free lock that nobody waits for is taken and freed without a native call. Each step is
 * one compare-and-swap of 32 bits, and what is between two steps is a state that every other actor
 * understands: `native/channel/lock_object.h` has the protocol. All other cases, closed locks
 * included, are left to the addon. Non-goals: waiting, and waking.
 */
import { Status } from '../runtime/errors/codes.ts';
import { errorFromStatus } from '../runtime/errors/index.ts';
import type { NativeLock } from './native.ts';

/** Indexes of 32-bit words. */
const DESTROYED = 1;
const HINT = 2;
const HOLDER = 8;
const NUMBER = 9;
const KEPT = 10;
const POOL = 0;

const HINT_LOCK = 1;

/** What `free` has done. */
export const Freed = {
  /** Nothing: ask the addon. */
  not: 0,
  done: 1,
  /** The lock is free, and somebody may wait: call the addon's `wake`. */
  andWake: 2,
} as const;

export class LockWords {
  /** The lock's header and its pool's word; empty once the lock is closed. */
  readonly #lock: Int32Array;
  readonly #pool: Int32Array;
  readonly #me: number;

  constructor(lock: ArrayBuffer, pool: ArrayBuffer, me: number) {
    this.#lock = new Int32Array(lock);
    this.#pool = new Int32Array(pool);
    this.#me = me;
  }

  /** The words of a lock that `actor` takes. Throws ERR_LAYOUT if the addon has others. */
  static of(native: NativeLock, actor: number): LockWords {
    const words = native.words();
    if (typeof words === 'number') return NO_WORDS;
    const [lock, pool, ...offsets] = words;
    const expected = [DESTROYED, HINT, HOLDER, KEPT];
    if (!expected.every((index, i) => offsets[i] === index * Int32Array.BYTES_PER_ELEMENT)) {
      throw errorFromStatus(Status.LAYOUT, 'read the words of a lock');
    }
    return new LockWords(lock, pool, actor);
  }

  /** Takes the lock if it is free, kept for nobody, and its last holder did not die. */
  take(): boolean {
    const words = this.#lock;
    if (words[HOLDER] !== 0 || words[DESTROYED] !== 0 || this.#pool[POOL] !== 0) return false;
    if (words[KEPT] !== 0 || words[KEPT + 1] !== 0) return false;
    return Atomics.compareExchange(words, HOLDER, 0, this.#me) === 0;
  }

  /**
   * Frees the lock if this actor holds it, by the acquisition with this number or by any. The
   * number goes first: from then on nobody can name the acquisition, and the lock is still held.
   */
  free(sequence?: number): 0 | 1 | 2 {
    const words = this.#lock;
    const me = this.#me;
    if (words[HOLDER] !== me || words[DESTROYED] !== 0 || this.#pool[POOL] !== 0) return Freed.not;
    if (((words[HINT] as number) & HINT_LOCK) !== 0) return Freed.not;
    const number = sequence === undefined ? (words[NUMBER] as number) : sequence | 0;
    if (Atomics.compareExchange(words, NUMBER, number, (number + 1) | 0) !== number) {
      return Freed.not;
    }
    if (Atomics.compareExchange(words, HOLDER, me, 0) !== me) return Freed.not;
    return (Atomics.load(words, HINT) & HINT_LOCK) === 0 ? Freed.done : Freed.andWake;
  }

  /** The number of the acquisition if this actor holds the lock and its last holder did not die. */
  get sequence(): number | undefined {
    return this.#lock[HOLDER] === this.#me ? (this.#lock[NUMBER] as number) >>> 0 : undefined;
  }
}

/** Of a lock that was not looked at yet, or is closed: everything is left to the addon. */
export const NO_WORDS = new LockWords(new ArrayBuffer(0), new ArrayBuffer(0), -1);
