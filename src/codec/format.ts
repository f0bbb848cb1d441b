// The byte layout of an encoded value: what each tag byte means. Everything is little-endian.
//
//   plain message      0x91, body
//   message with parts 0x92, 3 zero bytes, u32 length of the body, u32 number of parts, u32 zero,
//                      a u64 length for each part, body, then each part at the next multiple of
//                      eight bytes from the start of the message
//
// A body is one value. A value is a tag byte and what the tag says; lengths and ids are unsigned
// LEB128 numbers. Strings are one byte a character when no character is above 0xff, else UTF-16,
// so lone surrogates survive. Keys of objects stand in full once and then as a number of the
// message's key table. Every object takes the next id when its tag is written; REFERENCE names it
// again, which keeps shared references and cycles.
// A part is named once at most, so that no message grows by being read.
// Non-goals: describing how long a value may live, or what a handle's descriptor means.

export const MESSAGE_PLAIN = 0x91;
export const MESSAGE_WITH_PARTS = 0x92;
export const PARTS_HEADER_BYTES = 16;
export const PART_ALIGNMENT = 8;

/** Arrays of bytes of this length and longer travel as parts of their own. */
export const PART_BYTES_MIN = 256;

/** A part of this length and longer may stay where the message lies. */
export const LENT_BYTES_MIN = 16_384;

// 0x00-0x3f: the integers 0 to 63. In a key's place: the key of that number.
export const SMALL_INT_END = 0x40;
// 0x40-0x5f: a one-byte string of 0 to 31 characters.
export const SHORT_STRING = 0x40;
export const SHORT_STRING_MAX = 31;
// 0x60-0x6f: a dense array of 0 to 15 values.
export const SHORT_ARRAY = 0x60;
// 0x70-0x7f: a plain object of 0 to 15 keys.
export const SHORT_OBJECT = 0x70;
export const SHORT_COUNT_MAX = 15;

export const NULL = 0x80;
export const UNDEFINED = 0x81;
export const TRUE = 0x82;
export const FALSE = 0x83;
/** Zigzag LEB128 of a 32-bit integer. */
export const INT = 0x84;
export const FLOAT = 0x85;
/** Sign byte (0 or 1), number of bytes, magnitude. */
export const BIGINT = 0x86;
export const STRING_ONE_BYTE = 0x87;
export const STRING_TWO_BYTE = 0x88;
/** In a key's place: the number of a key above 63. */
export const KEY = 0x89;
export const REFERENCE = 0x8a;
/** In a key's place: no more fields. */
export const END = 0x8b;

export const ARRAY = 0x90;
/** Number of elements, then 8 or 4 bytes each. */
export const ARRAY_OF_FLOATS = 0x91;
export const ARRAY_OF_INTS = 0x92;
/** Length, number of own keys, then key and value of each: holes and named properties. */
export const ARRAY_SPARSE = 0x93;
export const OBJECT = 0x94;
export const OBJECT_NULL_PROTOTYPE = 0x95;
export const MAP = 0x96;
export const SET = 0x97;
/** Milliseconds as a float; NaN for an invalid date. */
export const DATE = 0x98;
/** Source and flags. */
export const REGEXP = 0x99;
/** The primitive inside. */
export const BOXED = 0x9a;

/** View kind, number of bytes, bytes. */
export const VIEW = 0xa0;
/** View kind, number of the part. */
export const VIEW_PART = 0xa1;
/** Number of bytes, greatest length + 1 or 0 when the length is fixed, bytes. */
export const ARRAY_BUFFER = 0xa2;
/** Greatest length + 1 or 0, number of the part. */
export const ARRAY_BUFFER_PART = 0xa3;

/** Class kind, class name, shown name, message, stack, then key and value of each field, END. */
export const ERROR = 0xb0;
/** Name of the registered class, own fields as an object's. */
export const INSTANCE = 0xb1;
/** Name of the registered class, the value that its serializer gave. */
export const INSTANCE_CUSTOM = 0xb2;
/** Kind of the handle, number of bytes, descriptor. */
export const HANDLE = 0xb3;
/** Name of the registered class, the value of the language that it extends, own fields. */
export const INSTANCE_WITH_CONTENT = 0xb4;

/** Where the class of an error is looked up. */
export const ERROR_CLASS_LANGUAGE = 0;
export const ERROR_CLASS_FAMILY = 1;
export const ERROR_CLASS_NAMED = 2;
export const ERROR_CLASS_DOM = 3;

type ViewClass = {
  readonly name: string;
  readonly BYTES_PER_ELEMENT?: number;
  new (buffer: ArrayBuffer, byteOffset?: number, length?: number): ArrayBufferView;
};

/** Position is the wire value: append only. `Float16Array` is absent in older interpreters. */
export const viewClasses: readonly (ViewClass | undefined)[] = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
  Buffer as unknown as ViewClass,
  (globalThis as { Float16Array?: ViewClass }).Float16Array,
];

export const VIEW_UINT8 = 0;
export const VIEW_BUFFER = 12;
