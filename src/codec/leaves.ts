// Writing the values that hold no other values: numbers in bulk, dates, bytes, boxed primitives;
// and telling what can't be carried at all.
// Non-goals: containers, errors, handles and classes, which the encoder walks.
import { types } from 'node:util';
import type { Encoder } from './encoder.ts';
import * as format from './format.ts';
import { opaqueNoun } from './opaque.ts';
import { entryFor } from './registry.ts';
import type { Writer } from './writer.ts';

const FUNCTION = 'it is a function; pass data, or name the function by module and export';

export function nounOf(value: unknown): string {
  return typeof value === 'function' ? FUNCTION : `it is a ${typeof value}`;
}

/** The class of a typed array, whatever its prototype is; undefined for a DataView. */
const typedArrayTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  Symbol.toStringTag,
)?.get as (this: unknown) => string | undefined;

const bytesPrototype = Uint8Array.prototype;
const bufferPrototype = ArrayBuffer.prototype;

const viewKinds = new Map(format.viewClasses.map((viewClass, kind) => [viewClass?.name, kind]));

/** Refused because what they are is not in their properties: a copy would be an empty object. */
const refusedTypes: readonly (readonly [string, (value: object) => boolean])[] = [
  ['a promise', types.isPromise],
  ['a WeakMap', types.isWeakMap],
  ['a WeakSet', types.isWeakSet],
  ['a WeakRef', (value) => value instanceof WeakRef],
  ['a FinalizationRegistry', (value) => value instanceof FinalizationRegistry],
  ['a generator', types.isGeneratorObject],
  ['a module namespace', types.isModuleNamespaceObject],
  ['a native object', types.isExternal],
];

function getterOf(prototype: object, key: string): (this: unknown) => unknown {
  return Object.getOwnPropertyDescriptor(prototype, key)?.get as (this: unknown) => unknown;
}

const regexpSource = getterOf(RegExp.prototype, 'source');

/** In the order in which `flags` has them; `unicodeSets` is absent in older interpreters. */
const regexpFlags = Object.entries({
  d: 'hasIndices',
  g: 'global',
  i: 'ignoreCase',
  m: 'multiline',
  s: 'dotAll',
  u: 'unicode',
  v: 'unicodeSets',
  y: 'sticky',
}).flatMap(([flag, key]) =>
  key in RegExp.prototype ? ([[flag, getterOf(RegExp.prototype, key)]] as const) : [],
);

/** The primitive in a boxed one, whatever methods of it were replaced. */
const unboxers: readonly (readonly [(value: object) => boolean, (this: never) => unknown])[] = [
  [types.isNumberObject, Number.prototype.valueOf],
  [types.isStringObject, String.prototype.valueOf],
  [types.isBooleanObject, Boolean.prototype.valueOf],
  [types.isBigIntObject, BigInt.prototype.valueOf],
];

/** Throws for a view that shows memory which its buffer has no more. */
const elementAt = Uint8Array.prototype.at as (this: ArrayBufferView, index: number) => unknown;

function isOutOfBounds(value: ArrayBufferView): boolean {
  try {
    // Most views show something, and say so; those that have lost their bytes throw, or show none.
    if (value.byteLength > 0) return false;
    if (!types.isDataView(value)) elementAt.call(value, 0);
    return false;
  } catch {
    return true;
  }
}

function isDetached(buffer: ArrayBuffer): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    return new Uint8Array(buffer).length > 0;
  } catch {
    return true;
  }
}

function bigint(writer: Writer, value: bigint): void {
  const negative = value < 0n;
  let digits = (negative ? -value : value).toString(16);
  if (digits.length % 2 === 1) digits = `0${digits}`;
  writer.byte(format.BIGINT);
  writer.byte(negative ? 1 : 0);
  writer.number(digits.length / 2);
  writer.raw(Buffer.from(digits, 'hex').reverse());
}

function numbers(writer: Writer, value: readonly unknown[], packed: 'ints' | 'floats'): void {
  const elements = value as readonly number[];
  const { length } = elements;
  const data = packed === 'ints' ? new Int32Array(length) : new Float64Array(length);
  for (let i = 0; i < length; i++) data[i] = elements[i] as number;
  writer.byte(packed === 'ints' ? format.ARRAY_OF_INTS : format.ARRAY_OF_FLOATS);
  writer.number(elements.length);
  writer.raw(new Uint8Array(data.buffer));
}

/** Bytes inside the body when they are few, else the number of a part of their own. */
function bytesOrPart(encoder: Encoder, bytes: Uint8Array): void {
  const { writer } = encoder;
  if (bytes.length < format.PART_BYTES_MIN) {
    writer.raw(bytes);
  } else {
    writer.number(encoder.parts.length);
    encoder.parts.push(bytes);
  }
}

/**
 * Writes a Uint8Array of the usual kind whose bytes are few, or returns false. It needs none of the
 * questions that others do: what shows bytes has them, and an ArrayBuffer is not shared.
 */
function fewBytes(encoder: Encoder, value: ArrayBufferView, prototype: object | null): boolean {
  if (prototype !== bytesPrototype || typedArrayTag.call(value) !== 'Uint8Array') return false;
  const length = value.byteLength;
  if (length === 0 || length >= format.PART_BYTES_MIN) return false;
  if (entryFor(prototype) !== undefined) return false;
  if (Object.getPrototypeOf(value.buffer) !== bufferPrototype) return false;
  const { writer } = encoder;
  writer.byte(format.VIEW);
  writer.byte(format.VIEW_UINT8);
  writer.number(length);
  writer.raw(value as Uint8Array);
  return true;
}

function view(encoder: Encoder, value: ArrayBufferView): string {
  const { buffer } = value;
  if (types.isSharedArrayBuffer(buffer)) return SHARED;
  if (isDetached(buffer as ArrayBuffer)) return DETACHED;
  if (isOutOfBounds(value)) return OUT_OF_BOUNDS;
  const { byteOffset, byteLength } = value;
  const name = Buffer.isBuffer(value) ? 'Buffer' : (typedArrayTag.call(value) ?? 'DataView');
  const kind = viewKinds.get(name);
  if (kind === undefined) return `it is a ${name}, which is unknown to this release`;
  const { writer } = encoder;
  const inside = byteLength < format.PART_BYTES_MIN;
  writer.byte(inside ? format.VIEW : format.VIEW_PART);
  writer.byte(kind);
  if (inside) writer.number(byteLength);
  bytesOrPart(encoder, new Uint8Array(buffer, byteOffset, byteLength));
  return 'written';
}

const SHARED = 'it is shared memory; put the bytes into a pool and send the handle';
const DETACHED = 'its memory was transferred away';
const OUT_OF_BOUNDS = 'its buffer has become too short for it';

function arrayBuffer(encoder: Encoder, value: ArrayBuffer): string {
  if (isDetached(value)) return DETACHED;
  const { writer } = encoder;
  const { resizable, maxByteLength } = value as { resizable?: boolean; maxByteLength?: number };
  const inside = value.byteLength < format.PART_BYTES_MIN;
  writer.byte(inside ? format.ARRAY_BUFFER : format.ARRAY_BUFFER_PART);
  writer.number(resizable === true ? (maxByteLength ?? 0) + 1 : 0);
  if (inside) writer.number(value.byteLength);
  bytesOrPart(encoder, new Uint8Array(value));
  return 'written';
}

function boxed(encoder: Encoder, value: object): string {
  const unboxer = unboxers.find(([is]) => is(value))?.[1];
  if (unboxer === undefined) return 'it is a symbol';
  encoder.writer.byte(format.BOXED);
  encoder.value(unboxer.call(value as never));
  return 'written';
}

/** Writes a leaf. Answers 'written', 'plain' for an object of fields, or why it is refused. */
function write(encoder: Encoder, value: object): string {
  const { writer } = encoder;
  if (ArrayBuffer.isView(value)) return view(encoder, value);
  if (types.isDate(value)) {
    writer.byte(format.DATE);
    writer.float(Date.prototype.getTime.call(value));
    return 'written';
  }
  if (types.isRegExp(value)) {
    writer.byte(format.REGEXP);
    writer.string(regexpSource.call(value) as string);
    writer.string(regexpFlags.map(([flag, isSet]) => (isSet.call(value) ? flag : '')).join(''));
    return 'written';
  }
  if (types.isSharedArrayBuffer(value)) return SHARED;
  if (types.isArrayBuffer(value)) return arrayBuffer(encoder, value);
  if (types.isBoxedPrimitive(value)) return boxed(encoder, value);
  const refused = refusedTypes.find(([, is]) => is(value))?.[0] ?? opaqueNoun(value);
  return refused === undefined ? 'plain' : `it is ${refused}`;
}

export const leafWriter = {
  fewBytes,
  bigint,
  numbers,
  write,
};
