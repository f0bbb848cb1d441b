/**
 * A lock's words in shared memory, and what JavaScript does with them itself.
 *
 * Goals: a free lock that nobody waits for is taken and freed without a native call. Each step is
 * one compare-and-swap of 32 bits, and what is between two steps is a state that every other actor
 * understands: `native/channel/lock_object.h` has the protocol, `spec/models/lock_words.pml` its
 * steps. All other cases, closed locks included, are left to the addon. Non-goals: waiting, waking.
 */
import { HINT_LOCK, LockWord } from './lock-layout.ts';
import type { NativeLock } from './native.ts';

const { destroyed: DESTROYED, hint: HINT, holder: HOLDER, number: NUMBER } = LockWord;
const { kept: KEPT, keptUpper: KEPT_UPPER } = LockWord;
const POOL = 0;

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

  /** The words of a lock that `actor` takes. */
  static of(native: NativeLock, actor: number): LockWords {
    const words = native.words();
    return typeof words === 'number' ? NO_WORDS : new LockWords(...words, actor);
  }

  /** Takes the lock if it is free, kept for nobody, and its last holder did not die. */
  take(): boolean {
    const words = this.#lock;
    if (words[HOLDER] !== 0 || words[DESTROYED] !== 0 || this.#pool[POOL] !== 0) return false;
    if (words[KEPT] !== 0 || words[KEPT_UPPER] !== 0) return false;
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

  /**
   * The number of the acquisition if this actor holds the lock and its last holder did not die. The
   * number is looked at first: only while the lock is ours it is that of our acquisition.
   */
  get sequence(): number | undefined {
    const words = this.#lock;
    if (words.length === 0) return undefined;
    const number = Atomics.load(words, NUMBER);
    return Atomics.load(words, HOLDER) === this.#me ? number >>> 0 : undefined;
  }
}

/** Of a lock that was not looked at yet, or is closed: everything is left to the addon. */
export const NO_WORDS = new LockWords(new ArrayBuffer(0), new ArrayBuffer(0), -1);
