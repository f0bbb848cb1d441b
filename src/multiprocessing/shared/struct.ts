/**
 * Shared structs: named fields of C types, laid out as a C compiler lays them out, that processes
 * read and write in place.
 *
 * A field of one element is never seen half written; several fields that belong together are to be
 * written by `update`, under the lock.
 */
import { registerHandle } from '../../codec/index.ts';
import type { WaitOptions } from '../../core/index.ts';
import type { Lock, RunResult } from '../lock.ts';
import { lendShared, Memory, reviveShared, type Travelling } from './cells.ts';
import { type HeldLock, Locked, type LockedOptions, lockFor } from './held-lock.ts';
import { fromMaker } from './maker.ts';
import { accessorsOf, assign } from './struct-fields.ts';
import {
  type FieldsOf,
  layoutOf,
  type StructInput,
  type StructLayout,
  type StructSchema,
} from './struct-layout.ts';

/**
 * A shared struct without a lock.
 *
 * @example
 * import { rawStruct } from 'dragon-runtime/multiprocessing';
 * using point = rawStruct({ x: 'd', y: 'd', tag: ['c', 4] }, { x: 1.5 });
 * point.fields.y = 2;
 * console.log(point.fields.x, point.layout.bytes); // 1.5 24
 */
export class RawStruct<S extends StructSchema> implements Disposable {
  readonly schema: S;
  /** Where each field lies. */
  readonly layout: StructLayout;
  /** The fields, to be read and written in place; arrays as typed arrays. */
  readonly fields: FieldsOf<S>;
  readonly #memory: Memory;

  /** @internal `rawStruct` and `struct` make them. */
  constructor(schema: S, layout: StructLayout, memory: Memory) {
    this.schema = schema;
    this.layout = layout;
    this.#memory = fromMaker(memory, memory instanceof Memory, "struct({ x: 'd' })");
    this.fields = accessorsOf(layout, memory.buffer, 0) as FieldsOf<S>;
  }

  /** Writes what `input` names, and nothing if some of it is wrong; the rest stays. */
  assign(input: StructInput<S>): void {
    this.#memory.alive();
    assign(this.layout, this.#memory.buffer, input);
  }

  /** An independent struct with the same contents. */
  clone(): RawStruct<S> {
    this.#memory.alive();
    const copy = Memory.create(this.layout.bytes);
    new Uint8Array(copy.buffer).set(new Uint8Array(this.#memory.buffer));
    return new RawStruct(this.schema, this.layout, copy);
  }

  get closed(): boolean {
    return this.#memory.closed;
  }

  /** Ends this process's use of the struct; the memory goes with the last process that has it. */
  close(): void {
    this.#memory.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  static lend(raw: RawStruct<StructSchema>, lock?: Lock): Travelling {
    const about = new TextEncoder().encode(JSON.stringify(raw.schema));
    return lendShared(raw.#memory, lock, about);
  }

  /** @internal */
  static memoryOf(raw: RawStruct<StructSchema>): Memory {
    return raw.#memory;
  }
}

/**
 * A shared struct with a lock.
 *
 * @example
 * import { struct } from 'dragon-runtime/multiprocessing';
 * using span = struct({ first: 'q', last: 'q' }, { first: 1n, last: 9n });
 * await span.update((fields) => {
 *   fields.first += 1n;
 *   fields.last += 1n;
 * });
 * console.log(span.fields.first, span.fields.last); // 2n 10n
 */
export class SharedStruct<S extends StructSchema> extends Locked<RawStruct<S>> {
  /** @internal `struct` makes them. */
  constructor(raw: RawStruct<S>, held: HeldLock) {
    fromMaker(raw, raw instanceof RawStruct, "struct({ x: 'd' })");
    super(raw, RawStruct.memoryOf(raw), held);
  }

  get schema(): S {
    return this.raw.schema;
  }

  /** Where each field lies. */
  get layout(): StructLayout {
    return this.raw.layout;
  }

  /** The fields, to be read and written in place without the lock. */
  get fields(): FieldsOf<S> {
    return this.raw.fields;
  }

  /**
   * Runs `change` under the lock and returns its result. Rejects with OwnerDiedError, once, if the
   * last holder of the lock died; with TimeoutError after `timeout` ms.
   */
  async update<R>(
    change: (fields: FieldsOf<S>) => R | PromiseLike<R>,
    options?: WaitOptions,
  ): Promise<Awaited<R>> {
    return await this.lockOfLive().run(() => change(this.fields), options);
  }

  /** As `update`; blocks the thread. */
  updateSync<R>(change: (fields: FieldsOf<S>) => R, options?: WaitOptions): R {
    return this.lockOfLive().runSync(() => change(this.fields), options);
  }

  /** As `updateSync` if the lock is free now. */
  tryUpdate<R>(change: (fields: FieldsOf<S>) => R): RunResult<R> {
    return this.lockOfLive().tryRun(() => change(this.fields));
  }

  /** Writes what `input` names, without the lock, and nothing if some of it is wrong. */
  assign(input: StructInput<S>): void {
    this.raw.assign(input);
  }

  /** An independent struct with the same contents and a lock of its own. */
  clone(): SharedStruct<S> {
    return guarded(this.raw.clone(), {}) as SharedStruct<S>;
  }
}

/** A struct without a lock, of zeros but for what `initial` names. */
export function rawStruct<const S extends StructSchema>(
  schema: S,
  initial?: StructInput<S>,
): RawStruct<S> {
  const layout = layoutOf(schema);
  const made = new RawStruct(schema, layout, Memory.create(layout.bytes));
  try {
    if (initial !== undefined) made.assign(initial);
  } catch (error) {
    made.close();
    throw error;
  }
  return made;
}

function guarded<S extends StructSchema>(
  raw: RawStruct<S>,
  options: LockedOptions,
): RawStruct<S> | SharedStruct<S> {
  try {
    const held = lockFor(options);
    return held === undefined ? raw : new SharedStruct(raw, held);
  } catch (error) {
    raw.close();
    throw error;
  }
}

/** A struct with a lock, a new one unless `options` give one; without one for `lock: false`. */
export function struct<const S extends StructSchema>(
  schema: S,
  initial: StructInput<S> | undefined,
  options: { readonly lock: false },
): RawStruct<S>;
export function struct<const S extends StructSchema>(
  schema: S,
  initial?: StructInput<S>,
  options?: { readonly lock?: Lock | true | undefined },
): SharedStruct<S>;
export function struct<const S extends StructSchema>(
  schema: S,
  initial?: StructInput<S>,
  options: LockedOptions = {},
): RawStruct<S> | SharedStruct<S> {
  return guarded(rawStruct(schema, initial), options);
}

function revived(memory: Memory, about: Uint8Array): RawStruct<StructSchema> {
  const schema = JSON.parse(new TextDecoder().decode(about)) as StructSchema;
  return new RawStruct(schema, layoutOf(schema), memory);
}

registerHandle<RawStruct<StructSchema>>(RawStruct, {
  kind: 'raw-struct',
  lend: (raw) => RawStruct.lend(raw),
  revive: (bytes) => {
    const { memory, about } = reviveShared(bytes);
    return revived(memory, about);
  },
  discard: (raw) => raw.close(),
});

registerHandle<SharedStruct<StructSchema>>(SharedStruct, {
  kind: 'struct',
  lend: (shared) => RawStruct.lend(shared.getObj(), shared.getLock()),
  revive: (bytes) => {
    const { memory, lock, about } = reviveShared(bytes);
    return new SharedStruct(revived(memory, about), { lock: lock as Lock, own: true });
  },
  discard: (shared) => shared.close(),
});
