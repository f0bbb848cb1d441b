/**
 * Shareable lists: a fixed number of slots for simple values, in named shared memory.
 *
 * Goals: what does not fit its slot is refused, and its neighbours are untouched; strings come back
 * as they were, whatever characters they end with. Reading and writing takes no lock.
 */
import { isDeepStrictEqual } from 'node:util';
import { registerHandle } from '../../codec/index.ts';
import { haveElements } from './indexed.ts';
import { type ListItem, ListPlan, ListSlots } from './list-slots.ts';
import { fromMaker } from './maker.ts';
import { SharedMemory } from './shared-memory.ts';

export interface ShareableListOptions {
  /** As of shared memory. */
  readonly name?: string | undefined;
  readonly track?: boolean | undefined;
}

/**
 * A list of `null`, booleans, numbers, bigints of 64 bits, strings and bytes.
 *
 * @example
 * import { ShareableList } from 'dragon-runtime/multiprocessing';
 * await using list = ShareableList.from(['howdy', 273.15, true, null]);
 * list[0] = 'hi';
 * console.log([...list], list.format); // [ 'hi', 273.15, true, null ] 8sd?n
 */
export class ShareableList implements Disposable, AsyncDisposable {
  [index: number]: ListItem;
  /** The memory that it lies in, to be closed and unlinked. */
  readonly shm: SharedMemory;
  readonly #slots: ListSlots;

  /** @internal `from` and `attach` make them. */
  constructor(shm: SharedMemory) {
    this.shm = fromMaker(shm, shm instanceof SharedMemory, 'ShareableList.from([1, 2])');
    this.#slots = new ListSlots(shm.buf.buffer as ArrayBuffer);
  }

  /**
   * A list of these items, or a copy of another list; blocks the thread until the services have
   * answered. A string or bytes get a slot of so many bytes in UTF-8, rounded up to 8; everything
   * else gets 8.
   */
  static from(items: Iterable<ListItem>, options: ShareableListOptions = {}): ShareableList {
    const plan = new ListPlan(items);
    const shm = SharedMemory.create({ ...options, size: plan.bytes });
    plan.write(shm.buf.buffer as ArrayBuffer);
    return new ShareableList(shm);
  }

  /** As `SharedMemory.attach`. */
  static attach(name: string): ShareableList {
    return new ShareableList(SharedMemory.attach(name));
  }

  get length(): number {
    return this.#slots.length;
  }

  /** For each slot `n` null, `?` boolean, `d` number, `q` bigint, or its bytes and `s` or `b`. */
  get format(): string {
    const slots = this.#alive();
    return Array.from({ length: this.length }, (_, i) => slots.format(i)).join('');
  }

  /** The item at `index`, counted from the end if that is negative. */
  at(index: number): ListItem {
    return this.#alive().get(index < 0 ? this.length + index : index);
  }

  /** Puts an item in. Throws RangeError, and changes nothing, if it has no room in its slot. */
  set(index: number, item: ListItem): void {
    this.#alive().set(index < 0 ? this.length + index : index, item);
  }

  /** How many items are equal to this one. */
  count(item: ListItem): number {
    return [...this].filter((each) => isDeepStrictEqual(each, item)).length;
  }

  /** The first index of an item that is equal to this one. Throws RangeError if there is none. */
  index(item: ListItem): number {
    const found = [...this].findIndex((each) => isDeepStrictEqual(each, item));
    if (found < 0) throw new RangeError('the list has no such item');
    return found;
  }

  *[Symbol.iterator](): IterableIterator<ListItem> {
    for (let i = 0; i < this.length; i++) yield this.#alive().get(i);
  }

  /** Ends this process's use of the list. */
  close(): void {
    this.shm.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes the list; who made it unlinks it, too. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shm[Symbol.asyncDispose]();
  }

  #alive(): ListSlots {
    // Throws once it is closed.
    void this.shm.buf;
    return this.#slots;
  }

  /** @internal */
  static revive(bytes: Uint8Array): ShareableList {
    return new ShareableList(SharedMemory.revive(bytes));
  }
}

haveElements<ShareableList, ListItem>(
  ShareableList.prototype,
  (list, index) => (index < 0 ? noSuch(index) : list.at(index)),
  (list, index, item) => (index < 0 ? noSuch(index) : list.set(index, item)),
);

function noSuch(index: number): never {
  throw new RangeError(`index ${index} is not one of a list`);
}

registerHandle(ShareableList, {
  kind: 'shareable-list',
  lend: (list) => SharedMemory.lend(list.shm),
  revive: ShareableList.revive,
  discard: (list) => list.close(),
});
