/**
 * Reader-writer locks: any number of readers or one writer, across processes and promises.
 *
 * Readers that come while a writer waits let it go first; readers that have waited 1 ms get in
 * before another writer. What a dead process read is given back by whoever it hinders; from the
 * death of a writer until a writer ends, `ownerDied` says that what the lock protects may be half
 * changed. Non-goals: turning a read lock into a write lock.
 */
import { Status } from '../runtime/errors/codes.ts';
import { errorFromStatus } from '../runtime/errors/index.ts';
import { type AttachOptions, ManagedObject } from './managed.ts';
import { eventAddon, type NativeRwLock } from './native-events.ts';
import { check, type Node, unwrap } from './node.ts';
import type { Pool } from './pool.ts';
import { NOT_YET, timeoutMsOf, type WaitOptions } from './wait.ts';

export interface RwLockOptions {
  /** Most processes and workers that read at a time, 1 to 4096; further ones wait. Default 64. */
  readonly readers?: number;
}

const Lane = { read: 0, write: 1 } as const;
type LaneNumber = (typeof Lane)[keyof typeof Lane];
const WHAT = ['read under a lock', 'write under a lock'] as const;

/** What an attempt says: in, in after a writer that died, or not now. */
function entered(status: number, lane: LaneNumber): boolean {
  if (status === 0 || status === Status.OWNER_DIED) return true;
  const isNotNow = status === Status.WOULD_BLOCK || status === Status.FULL;
  if (isNotNow || status === Status.TIMEOUT) return false;
  throw errorFromStatus(status, WHAT[lane]);
}

/** One time of reading or writing. Disposing it ends it. */
export class RwGuard implements Disposable {
  readonly #end: () => void;
  #held = true;
  /** Whether a writer died and none has ended since. */
  readonly ownerDied: boolean;

  /** @internal Locks make guards. */
  constructor(end: () => void, ownerDied: boolean) {
    this.#end = end;
    this.ownerDied = ownerDied;
  }

  /** Whether this guard has not ended it. */
  get held(): boolean {
    return this.#held;
  }

  /** Ends it. Throws ERR_NOT_OWNER the second time. */
  release(): void {
    if (!this.#held) throw errorFromStatus(Status.NOT_OWNER, 'release a guard');
    this.#held = false;
    this.#end();
  }

  /** Ends it unless that was done. */
  [Symbol.dispose](): void {
    if (this.#held) this.release();
  }
}

/**
 * A reader-writer lock.
 *
 * @example
 * import { Pool, RwLock } from 'dragon-runtime/core';
 * using lock = RwLock.create(Pool.default());
 * {
 *   using reading = await lock.reading({ timeout: 1000 });
 *   console.log(lock.readers, lock.tryWrite(), reading.ownerDied); // 1 false false
 * }
 * console.log(lock.writeSync(), lock.tryRead()); // true false
 * lock.endWrite();
 */
export class RwLock extends ManagedObject<NativeRwLock> {
  private constructor(node: Node, native: NativeRwLock) {
    super(node, native, 'a reader-writer lock');
  }

  static create(pool: Pool, options: RwLockOptions = {}): RwLock {
    const native = eventAddon().createRwLock(pool.native, options.readers ?? 64);
    return new RwLock(pool.node, unwrap(native, 'create a reader-writer lock'));
  }

  static attach(node: Node, handle: Uint8Array, options: AttachOptions = {}): RwLock {
    const native = eventAddon().attachRwLock(node.native, handle, options.adopt ?? false);
    return new RwLock(node, unwrap(native, 'attach to a reader-writer lock'));
  }

  /**
   * Begins to read if that is possible now. A process may read several times at once, and then
   * ends as often.
   */
  tryRead(): boolean {
    return this.#try(Lane.read);
  }

  /** Begins to read: true, or false at the deadline; blocks the thread. */
  readSync(options?: WaitOptions): boolean {
    return this.#waitSync(Lane.read, options);
  }

  /** Begins to read: true, or false at the deadline. After an abort nothing is read. */
  read(options?: WaitOptions): Promise<boolean> {
    return this.#wait(Lane.read, options);
  }

  /** Ends one time of reading. Throws ERR_NOT_OWNER if this process does not read. */
  endRead(): void {
    check(this.native.end(Lane.read), 'end reading');
  }

  /** Begins to write if nobody reads or writes now. */
  tryWrite(): boolean {
    return this.#try(Lane.write);
  }

  /** Begins to write: true, or false at the deadline; blocks the thread. */
  writeSync(options?: WaitOptions): boolean {
    return this.#waitSync(Lane.write, options);
  }

  /** Begins to write: true, or false at the deadline. After an abort nothing is written. */
  write(options?: WaitOptions): Promise<boolean> {
    return this.#wait(Lane.write, options);
  }

  /** Ends the writing, whoever began it. Throws ERR_NOT_OWNER if nobody writes. */
  endWrite(): void {
    check(this.native.end(Lane.write), 'end writing');
  }

  /** Begins to read; the guard ends it. Throws ERR_TIMEOUT at the deadline. */
  reading(options?: WaitOptions): Promise<RwGuard> {
    return this.#guard(Lane.read, options);
  }

  /** As `reading`; blocks the thread. */
  readingSync(options?: WaitOptions): RwGuard {
    return this.#guarded(Lane.read, this.readSync(options));
  }

  /** Begins to write; the guard ends it. Throws ERR_TIMEOUT at the deadline. */
  writing(options?: WaitOptions): Promise<RwGuard> {
    return this.#guard(Lane.write, options);
  }

  /** As `writing`; blocks the thread. */
  writingSync(options?: WaitOptions): RwGuard {
    return this.#guarded(Lane.write, this.writeSync(options));
  }

  /** The actor that writes, alive or dead; undefined if nobody does. */
  get writer(): number | undefined {
    const writer = this.native.writer;
    return writer === 0 ? undefined : writer;
  }

  /** Actors that read, the dead among them. */
  get readers(): number {
    return this.native.readers;
  }

  /** Whether a writer died and none has ended since. */
  get ownerDied(): boolean {
    return this.native.ownerDied;
  }

  #try(lane: LaneNumber): boolean {
    return entered(this.native.attempt(lane, false), lane);
  }

  #waitSync(lane: LaneNumber, options: WaitOptions | undefined): boolean {
    options?.signal?.throwIfAborted();
    return entered(this.native.waitSync(lane, timeoutMsOf(options)), lane);
  }

  async #wait(lane: LaneNumber, options: WaitOptions | undefined): Promise<boolean> {
    let isIn = false;
    const look = (isRelook: boolean): true | typeof NOT_YET =>
      entered(this.native.attempt(lane, isRelook), lane) ? true : NOT_YET;
    try {
      isIn = await this.node.waits.wait<boolean>(
        this.native,
        lane,
        look,
        { ...options, isHeld: true },
        () => false,
      );
      return isIn;
    } finally {
      if (lane === Lane.write && !isIn) this.native.giveUp();
    }
  }

  async #guard(lane: LaneNumber, options: WaitOptions | undefined): Promise<RwGuard> {
    return this.#guarded(lane, await this.#wait(lane, options));
  }

  #guarded(lane: LaneNumber, isIn: boolean): RwGuard {
    if (!isIn) throw errorFromStatus(Status.TIMEOUT, WHAT[lane]);
    return new RwGuard(() => check(this.native.end(lane), 'release a guard'), this.ownerDied);
  }
}
