/**
 * Shared arrays: elements of a C type that processes read and write in place.
 *
 * Goals: the feel of a typed array, `array[3]` included, with C's conversions; what is out of range
 * throws. Reading and writing takes no lock, since no element is ever seen half done; `update`
 * does.
 */
import { registerHandle } from '../../codec/index.ts';
import type { WaitOptions } from '../../core/index.ts';
import type { Lock, RunResult } from '../lock.ts';
import { Cells, lendShared, reviveShared, type Travelling } from './cells.ts';
import type { ElementOf, InputOf, TypeCode, ViewOf } from './codes.ts';
import { type HeldLock, type LockedOptions, lockFor } from './held-lock.ts';
import { haveElements } from './indexed.ts';
import { fromMaker } from './maker.ts';

/** What arrays with and without a lock have in common. */
abstract class Elements<C extends TypeCode> implements Disposable {
  [index: number]: ElementOf<C>;
  /** @internal */
  protected readonly cells: Cells<C>;

  /** @internal */
  constructor(cells: Cells<C>) {
    this.cells = fromMaker(cells, cells instanceof Cells, "array('d', 3)");
  }

  get code(): C {
    return this.cells.code;
  }

  get length(): number {
    return this.cells.length;
  }

  /** The element at `index`, counted from the end if that is negative. */
  at(index: number): ElementOf<C> {
    return this.cells.get(index < 0 ? this.length + index : index);
  }

  /** Writes `values` from `offset` on; writes nothing if one is wrong or has no room. */
  set(values: Iterable<InputOf<C>>, offset = 0): void {
    this.cells.setAll(values, offset);
  }

  fill(value: InputOf<C>, start = 0, end = this.length): this {
    const count = Math.max(0, end - start);
    this.cells.setAll(new Array<InputOf<C>>(count).fill(value), start);
    return this;
  }

  /** Copies of the elements from `start` up to `end`, as `Array.prototype.slice` counts them. */
  slice(start?: number, end?: number): ElementOf<C>[] {
    this.cells.memory.alive();
    const indexes = Array.from({ length: this.length }, (_, index) => index).slice(start, end);
    return indexes.map((index) => this.cells.get(index));
  }

  /**
   * The elements themselves from `start` up to `end` as a typed array on the shared memory, for
   * loops that are to be fast, and for `Atomics`; its length is 0 once this array is closed.
   */
  subarray(start?: number, end?: number): ViewOf<C> {
    return this.cells.view.subarray(start, end) as ViewOf<C>;
  }

  *[Symbol.iterator](): IterableIterator<ElementOf<C>> {
    for (let index = 0; index < this.length; index++) yield this.cells.get(index);
  }

  get closed(): boolean {
    return this.cells.memory.closed;
  }

  /** Ends this process's use of the array; the memory goes with the last process that has it. */
  close(): void {
    this.cells.memory.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  static cellsOf<C extends TypeCode>(array: Elements<C>): Cells<C> {
    return array.cells;
  }
}

haveElements<Elements<TypeCode>, InputOf<TypeCode>>(
  Elements.prototype,
  (array, index) => Elements.cellsOf(array).get(index),
  (array, index, element) => Elements.cellsOf(array).set(index, element),
);

/**
 * A shared array without a lock.
 *
 * @example
 * import { rawArray } from 'dragon-runtime/multiprocessing';
 * using squares = rawArray('i', [1, 4, 9]);
 * squares[2] = 10;
 * console.log(squares.slice(1), squares.length); // [ 4, 10 ] 3
 */
export class RawArray<C extends TypeCode> extends Elements<C> {}

/**
 * A shared array with a lock.
 *
 * @example
 * import { array } from 'dragon-runtime/multiprocessing';
 * using sums = array('d', 3);
 * await sums.update((cells) => cells.set([0.5, 1.5], 1));
 * console.log([...sums]); // [ 0, 0.5, 1.5 ]
 */
export class SharedArray<C extends TypeCode> extends Elements<C> {
  readonly #raw: RawArray<C>;
  readonly #held: HeldLock;

  /** @internal `array` makes them. */
  constructor(raw: RawArray<C>, held: HeldLock) {
    fromMaker(raw, raw instanceof RawArray, "array('d', 3)");
    super(Elements.cellsOf(raw));
    this.#raw = raw;
    this.#held = held;
  }

  /**
   * Runs `change` under the lock and returns its result. Rejects with OwnerDiedError, once, if the
   * last holder of the lock died; with TimeoutError after `timeout` ms.
   */
  async update<R>(
    change: (array: RawArray<C>) => R | PromiseLike<R>,
    options?: WaitOptions,
  ): Promise<Awaited<R>> {
    return await this.#alive().run(() => change(this.#raw), options);
  }

  /** As `update`; blocks the thread. */
  updateSync<R>(change: (array: RawArray<C>) => R, options?: WaitOptions): R {
    return this.#alive().runSync(() => change(this.#raw), options);
  }

  /** As `updateSync` if the lock is free now. */
  tryUpdate<R>(change: (array: RawArray<C>) => R): RunResult<R> {
    return this.#alive().tryRun(() => change(this.#raw));
  }

  getLock(): Lock {
    return this.#held.lock;
  }

  /** The same array without the lock; closing either closes both. */
  getObj(): RawArray<C> {
    return this.#raw;
  }

  /** Ends this process's use of the array, and of its lock unless that was given to it. */
  override close(): void {
    super.close();
    if (this.#held.own) this.#held.lock.close();
  }

  #alive(): Lock {
    this.cells.memory.alive();
    return this.#held.lock;
  }
}

/** Elements of a new array: as many zeros, or those of an iterable. */
type Contents<C extends TypeCode> = number | Iterable<InputOf<C>>;

/** An array without a lock, of so many zeros or of what `contents` iterates over. */
export function rawArray<C extends TypeCode>(code: C, contents: Contents<C>): RawArray<C> {
  const list = typeof contents === 'number' ? undefined : Array.from(contents);
  const length = list?.length ?? (contents as number);
  if (!Number.isInteger(length)) throw new TypeError(`${length} is no number of elements`);
  if (length < 0) throw new RangeError(`an array can't have ${length} elements`);
  const cells = Cells.create(code, length);
  try {
    if (list !== undefined) cells.setAll(list, 0);
  } catch (error) {
    cells.memory.close();
    throw error;
  }
  return new RawArray(cells);
}

/** An array with a lock, a new one unless `options` give one; without one for `lock: false`. */
export function array<C extends TypeCode>(
  code: C,
  contents: Contents<C>,
  options: { readonly lock: false },
): RawArray<C>;
export function array<C extends TypeCode>(
  code: C,
  contents: Contents<C>,
  options?: { readonly lock?: Lock | true | undefined },
): SharedArray<C>;
export function array<C extends TypeCode>(
  code: C,
  contents: Contents<C>,
  options: LockedOptions = {},
): RawArray<C> | SharedArray<C> {
  const raw = rawArray(code, contents);
  try {
    const held = lockFor(options);
    return held === undefined ? raw : new SharedArray(raw, held);
  } catch (error) {
    raw.close();
    throw error;
  }
}

function lend(elements: Elements<TypeCode>, lock?: Lock): Travelling {
  const cells = Elements.cellsOf(elements);
  return lendShared(cells.memory, lock, cells.describe());
}

registerHandle<RawArray<TypeCode>>(RawArray, {
  kind: 'raw-array',
  lend: (raw) => lend(raw),
  revive: (bytes) => {
    const { memory, about } = reviveShared(bytes);
    return new RawArray(Cells.of(memory, about));
  },
  discard: (raw) => raw.close(),
});

registerHandle<SharedArray<TypeCode>>(SharedArray, {
  kind: 'array',
  lend: (shared) => lend(shared, shared.getLock()),
  revive: (bytes) => {
    const { memory, lock, about } = reviveShared(bytes);
    const raw = new RawArray(Cells.of(memory, about));
    return new SharedArray(raw, { lock: lock as Lock, own: true });
  },
  discard: (shared) => shared.close(),
});
