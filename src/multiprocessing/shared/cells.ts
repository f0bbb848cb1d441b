/**
 * Elements of one type in a region of shared memory, and how they travel with or without a lock.
 *
 * A load or store of one element is a single instruction: no other process ever sees half of it.
 * Non-goals: order between processes; locks are for that.
 */
import { Region } from '../../core/index.ts';
import { getRuntime } from '../../runtime/client/index.ts';
import { ClosedError } from '../../runtime/errors/index.ts';
import { takeOver } from '../lent.ts';
import { Lock } from '../lock.ts';
import {
  checkCode,
  type ElementOf,
  type InputOf,
  load,
  sizeOf,
  store,
  stored,
  type TypeCode,
  type ViewOf,
  viewOf,
} from './codes.ts';

export interface Travelling {
  readonly descriptor: Uint8Array;
  cancel(): void;
}

const REGION_BYTES = 64;

/** Bytes of shared memory that a shared object is made of. */
export class Memory {
  readonly #region: Region;
  readonly buffer: ArrayBuffer;
  #closed = false;

  private constructor(region: Region) {
    this.#region = region;
    this.buffer = region.buffer;
  }

  /** Zeroed bytes; at least one, since nothing has no place. */
  static create(bytes: number): Memory {
    return new Memory(Region.create(getRuntime().pool, Math.max(1, bytes)));
  }

  static revive(descriptor: Uint8Array): Memory {
    const { node } = getRuntime();
    return new Memory(takeOver((how) => Region.attach(node, descriptor, how)).object);
  }

  get closed(): boolean {
    return this.#closed;
  }

  alive(): void {
    if (this.#closed) throw new ClosedError('the shared object was closed in this process');
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#region.close();
  }

  lend(): Travelling {
    this.alive();
    return this.#region.lend();
  }
}

/** Sends memory, a lock if there is one, and what its maker has to say about both. */
export function lendShared(memory: Memory, lock: Lock | undefined, about: Uint8Array): Travelling {
  const region = memory.lend();
  let guarding: Travelling | undefined;
  try {
    guarding = lock === undefined ? undefined : Lock.lend(lock);
  } catch (error) {
    region.cancel();
    throw error;
  }
  const held = guarding?.descriptor ?? new Uint8Array();
  const descriptor = new Uint8Array(1 + REGION_BYTES + held.length + about.length);
  descriptor[0] = held.length;
  descriptor.set(region.descriptor, 1);
  descriptor.set(held, 1 + REGION_BYTES);
  descriptor.set(about, 1 + REGION_BYTES + held.length);
  const cancel = (): void => {
    region.cancel();
    guarding?.cancel();
  };
  return { descriptor, cancel };
}

export interface Revived {
  readonly memory: Memory;
  readonly lock: Lock | undefined;
  readonly about: Uint8Array;
}

export function reviveShared(bytes: Uint8Array): Revived {
  const aboutAt = 1 + REGION_BYTES + (bytes[0] ?? 0);
  const memory = Memory.revive(bytes.subarray(1, 1 + REGION_BYTES));
  try {
    const held = bytes.subarray(1 + REGION_BYTES, aboutAt);
    const lock = held.length === 0 ? undefined : Lock.revive(held);
    return { memory, lock, about: bytes.subarray(aboutAt) };
  } catch (error) {
    memory.close();
    throw error;
  }
}

/** Elements in memory of their own. */
export class Cells<C extends TypeCode> {
  readonly code: C;
  readonly memory: Memory;
  readonly length: number;
  readonly #view: ViewOf<C>;

  private constructor(code: C, memory: Memory, length: number) {
    this.code = code;
    this.memory = memory;
    this.length = length;
    this.#view = viewOf(code, memory.buffer, 0, length);
  }

  static create<C extends TypeCode>(code: C, length: number): Cells<C> {
    return new Cells(code, Memory.create(sizeOf(checkCode(code)) * length), length);
  }

  /** From memory and what `describe` said about it. */
  static of(memory: Memory, about: Uint8Array): Cells<TypeCode> {
    const code = checkCode(String.fromCharCode(about[0] ?? 0) as TypeCode);
    const length = new DataView(about.buffer, about.byteOffset).getFloat64(1);
    return new Cells(code, memory, length);
  }

  describe(): Uint8Array {
    const about = new Uint8Array(9);
    about[0] = this.code.charCodeAt(0);
    new DataView(about.buffer).setFloat64(1, this.length);
    return about;
  }

  /** The elements as they lie in memory. */
  get view(): ViewOf<C> {
    this.memory.alive();
    return this.#view;
  }

  get(index: number): ElementOf<C> {
    this.#check(index);
    return load(this.code, this.#view, index);
  }

  set(index: number, value: InputOf<C>): void {
    this.#check(index);
    store(this.code, this.#view, index, value);
  }

  /** Writes all of `values` from `offset` on; none if one of them is wrong or has no room. */
  setAll(values: Iterable<InputOf<C>>, offset: number): void {
    this.memory.alive();
    const list = Array.from(values, (value) => stored(this.code, value));
    if (!Number.isInteger(offset) || offset < 0 || offset + list.length > this.length) {
      throw new RangeError(
        `${list.length} elements at ${offset} have no room in an array of ${this.length}`,
      );
    }
    const cells = this.#view as unknown as (number | bigint)[];
    for (const [i, value] of list.entries()) cells[offset + i] = value;
  }

  #check(index: number): void {
    this.memory.alive();
    if (Number.isInteger(index) && index >= 0 && index < this.length) return;
    throw new RangeError(`index ${index} is not one of an array of ${this.length}`);
  }
}
