/** What processes do with shared values, arrays and structs that they are given. */
import { defineTask } from 'dragon-runtime';
import { Pool as Memory } from 'dragon-runtime/core';
import {
  type Connection,
  type Queue,
  type RawArray,
  type RawStruct,
  type RawValue,
  rawValue,
  type Array as SharedArray,
  type SharedStruct,
  type TypeCode,
  type Value,
} from 'dragon-runtime/multiprocessing';

/** Any shared value; what a test writes fits its code. */
export type AnyValue = Value<TypeCode> | RawValue<TypeCode>;
export type AnyArray = SharedArray<TypeCode> | RawArray<TypeCode>;

/** Writes each value of a list to the shared value at its place. */
export const write = defineTask(
  import.meta.url,
  'write',
  (values: readonly AnyValue[], written: readonly unknown[]): void => {
    for (const [i, value] of values.entries()) value.value = written[i] as never;
  },
);

/** Makes each element the sum of itself and all before it. */
export function prefixSums(numbers: RawArray<'i'> | SharedArray<'i'>): void {
  for (let i = 1; i < numbers.length; i++) {
    numbers[i] = (numbers[i] as number) + (numbers[i - 1] as number);
  }
}

export const sumUp = defineTask(import.meta.url, 'sumUp', prefixSums);

export const SPAN = { first: 'i', second: 'd' } as const;
export type Span = SharedStruct<typeof SPAN> | RawStruct<typeof SPAN>;

export interface Doubled {
  readonly int: Value<'i'> | RawValue<'i'>;
  readonly double: Value<'d'> | RawValue<'d'>;
  readonly long: Value<'q'> | RawValue<'q'>;
  readonly span: Span;
  readonly doubles: SharedArray<'d'> | RawArray<'d'>;
  readonly text: SharedArray<'c'> | RawArray<'c'>;
}

/** Doubles all of them; a text becomes twice the same. */
export const double = defineTask(import.meta.url, 'double', (all: Doubled): void => {
  all.int.value *= 2;
  all.double.value *= 2;
  all.long.value *= 2n;
  all.span.fields.first *= 2;
  all.span.fields.second *= 2;
  for (let i = 0; i < all.doubles.length; i++) all.doubles[i] = (all.doubles[i] as number) * 2;
  const letters = all.text.slice();
  const length = letters.indexOf(0);
  all.text.set(letters.slice(0, length), length);
});

export type ValueScript =
  | {
      readonly kind: 'count';
      readonly value: Value<TypeCode>;
      readonly times: number;
      readonly flavours: readonly ('async' | 'sync' | 'try')[];
    }
  | { readonly kind: 'alternate'; readonly cell: RawArray<TypeCode>; readonly times: number }
  | { readonly kind: 'take and die'; readonly value: Value<TypeCode> };

/** One more, of the element's own kind. */
function next(value: unknown): never {
  return (typeof value === 'bigint' ? value + 1n : (value as number) + 1) as never;
}

async function count(script: Extract<ValueScript, { kind: 'count' }>): Promise<number> {
  const { value, times, flavours } = script;
  for (let i = 0; i < times; i++) {
    const flavour = flavours[i % flavours.length];
    if (flavour === 'async') await value.update(next);
    else if (flavour === 'sync') value.updateSync(next);
    else while (!value.tryUpdate(next).ok);
  }
  value.close();
  return times;
}

/** Writes the elements 1 and 2 of the array to element 0 by turns. */
function alternate(script: Extract<ValueScript, { kind: 'alternate' }>): number {
  const { cell, times } = script;
  for (let i = 0; i < times; i++) cell[0] = cell[1 + (i % 2)] as never;
  cell.close();
  return times;
}

/** Carries out scripts until the line ends. */
export const serveValues = defineTask(
  import.meta.url,
  'serveValues',
  async (line: Connection<unknown, ValueScript>): Promise<void> => {
    for await (const script of line) {
      if (script.kind === 'count') await line.send(await count(script));
      else if (script.kind === 'alternate') await line.send(alternate(script));
      else {
        script.value.getLock().acquireSync();
        process.kill(process.pid, 'SIGKILL');
      }
    }
  },
);

/** Passes on what it gets. */
export const passOn = defineTask(
  import.meta.url,
  'passOn',
  async (from: Queue<unknown>, to: Queue<unknown>): Promise<void> => {
    await to.put(await from.get());
  },
);

/**
 * Makes values that refer to themselves and drops them, among collections; the callbacks of the
 * collector free some of them. Needs `--expose-gc`.
 */
export const collectHandles = defineTask(
  import.meta.url,
  'collectHandles',
  async (count: number): Promise<void> => {
    const collect = (globalThis as { gc?: () => void }).gc;
    if (collect === undefined) throw new Error('no --expose-gc');
    const regions = () =>
      Memory.default()
        .allocations()
        .filter(({ type }) => type === 'region').length;
    const before = regions();
    let closed = 0;
    const registry = new FinalizationRegistry((other: RawValue<'i'>) => {
      other.close();
      rawValue('i', ++closed).close();
    });
    const drop = (i: number): void => {
      const value = rawValue('i', i);
      const cyclic: { value: typeof value; self?: unknown } = { value };
      cyclic.self = cyclic;
      if (i % 10 === 0) registry.register(cyclic, rawValue('i', i));
    };
    for (let i = 0; i < count; i++) {
      drop(i);
      if (i % 1000 === 0) collect();
      if (i % 100 === 0) await new Promise(setImmediate);
    }
    for (let turn = 0; turn < 10 && regions() > before; turn++) {
      collect();
      await new Promise(setImmediate);
    }
    if (closed === 0 || regions() > before) throw new Error(`${regions()} regions are left`);
  },
);
