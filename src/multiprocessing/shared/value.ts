/**
 * Shared values: one element of a C type that processes read and write in place.
 *
 * Reading and writing `value` takes no lock, since neither is ever seen half done. What depends on
 * the value before, as counting does, is to be done by `update`.
 */
import { registerHandle } from '../../codec/index.ts';
import type { WaitOptions } from '../../core/index.ts';
import type { Lock, RunResult } from '../lock.ts';
import { Cells, lendShared, reviveShared, type Travelling } from './cells.ts';
import type { ElementOf, InputOf, TypeCode } from './codes.ts';
import { type HeldLock, Locked, type LockedOptions, lockFor } from './held-lock.ts';
import { fromMaker } from './maker.ts';

/**
 * A shared value without a lock.
 *
 * @example
 * import { rawValue } from 'dragon-runtime/multiprocessing';
 * using flag = rawValue('?', true);
 * flag.value = false;
 * console.log(flag.value, flag.code); // false ?
 */
export class RawValue<C extends TypeCode> implements Disposable {
  readonly #cells: Cells<C>;

  /** @internal `rawValue` and `value` make them. */
  constructor(cells: Cells<C>) {
    this.#cells = fromMaker(cells, cells instanceof Cells, "rawValue('i', 0)");
  }

  get code(): C {
    return this.#cells.code;
  }

  get value(): ElementOf<C> {
    return this.#cells.get(0);
  }

  set value(value: InputOf<C>) {
    this.#cells.set(0, value);
  }

  get closed(): boolean {
    return this.#cells.memory.closed;
  }

  /** Ends this process's use of the value; the memory goes with the last process that has it. */
  close(): void {
    this.#cells.memory.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  static cellsOf<C extends TypeCode>(value: RawValue<C>): Cells<C> {
    return value.#cells;
  }
}

type Change<C extends TypeCode> = (value: ElementOf<C>) => InputOf<C> | PromiseLike<InputOf<C>>;

/**
 * A shared value with a lock.
 *
 * @example
 * import { value } from 'dragon-runtime/multiprocessing';
 * using counter = value('i', 3);
 * console.log(await counter.update((count) => count + 1)); // 4
 */
export class Value<C extends TypeCode> extends Locked<RawValue<C>> {
  /** @internal `value` makes them. */
  constructor(raw: RawValue<C>, held: HeldLock) {
    fromMaker(raw, raw instanceof RawValue, "value('i', 0)");
    super(raw, RawValue.cellsOf(raw).memory, held);
  }

  get code(): C {
    return this.raw.code;
  }

  /** A single load or store, without the lock. */
  get value(): ElementOf<C> {
    return this.raw.value;
  }

  set value(value: InputOf<C>) {
    this.raw.value = value;
  }

  /**
   * Writes what `change` returns for the value, under the lock, and returns it as it was stored.
   * Rejects with OwnerDiedError, once, if the last holder of the lock died; with TimeoutError after
   * `timeout` ms. Then, and when `change` throws, the value stays.
   */
  async update(change: Change<C>, options?: WaitOptions): Promise<ElementOf<C>> {
    const section = async (): Promise<ElementOf<C>> => {
      this.value = await change(this.value);
      return this.value;
    };
    return (await this.lockOfLive().run(section, options)) as ElementOf<C>;
  }

  /** As `update`; blocks the thread. */
  updateSync(change: (value: ElementOf<C>) => InputOf<C>, options?: WaitOptions): ElementOf<C> {
    return this.lockOfLive().runSync(() => this.#change(change), options);
  }

  /** As `updateSync` if the lock is free now. */
  tryUpdate(change: (value: ElementOf<C>) => InputOf<C>): RunResult<ElementOf<C>> {
    return this.lockOfLive().tryRun(() => this.#change(change));
  }

  #change(change: (value: ElementOf<C>) => InputOf<C>): ElementOf<C> {
    this.value = change(this.value);
    return this.value;
  }
}

/** A value without a lock; zero unless `initial` says otherwise. */
export function rawValue<C extends TypeCode>(code: C, initial?: InputOf<C>): RawValue<C> {
  const made = new RawValue(Cells.create(code, 1));
  try {
    if (initial !== undefined) made.value = initial;
  } catch (error) {
    made.close();
    throw error;
  }
  return made;
}

/** A value with a lock, a new one unless `options` give one; without one for `lock: false`. */
export function value<C extends TypeCode>(
  code: C,
  initial: InputOf<C> | undefined,
  options: { readonly lock: false },
): RawValue<C>;
export function value<C extends TypeCode>(
  code: C,
  initial?: InputOf<C>,
  options?: { readonly lock?: Lock | true | undefined },
): Value<C>;
export function value<C extends TypeCode>(
  code: C,
  initial?: InputOf<C>,
  options: LockedOptions = {},
): RawValue<C> | Value<C> {
  const raw = rawValue(code, initial);
  try {
    const held = lockFor(options);
    return held === undefined ? raw : new Value(raw, held);
  } catch (error) {
    raw.close();
    throw error;
  }
}

function lendRaw(raw: RawValue<TypeCode>, lock?: Lock): Travelling {
  const cells = RawValue.cellsOf(raw);
  return lendShared(cells.memory, lock, cells.describe());
}

registerHandle<RawValue<TypeCode>>(RawValue, {
  kind: 'raw-value',
  lend: (raw) => lendRaw(raw),
  revive: (bytes) => {
    const { memory, about } = reviveShared(bytes);
    return new RawValue(Cells.of(memory, about));
  },
  discard: (raw) => raw.close(),
});

registerHandle<Value<TypeCode>>(Value, {
  kind: 'value',
  lend: (shared) => lendRaw(shared.getObj(), shared.getLock()),
  revive: (bytes) => {
    const { memory, lock, about } = reviveShared(bytes);
    return new Value(new RawValue(Cells.of(memory, about)), { lock: lock as Lock, own: true });
  },
  discard: (shared) => shared.close(),
});
