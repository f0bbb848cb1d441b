/**
 * The messages between a pool and its workers.
 *
 * A frame is a header of four 32-bit words, little endian, and a body, which is an encoded value.
 * The header can be read without decoding the body, which is how a pool takes back chunks that
 * nobody has begun.
 *
 * | frame | words | body |
 * |---|---|---|
 * | chunk | id, call, flags, 0 | the items; with `introduced`: the call's reference and the items |
 * | report | chunk (`ready`: generation), slot, kind, microseconds | see `Kind` |
 */
import { decode, decodeError } from '../../codec/index.ts';
import type { Message } from '../../core/index.ts';
import { valueIn } from '../ends.ts';
import type { Chunk, Results } from './chunks.ts';
import { failed } from './chunks.ts';

export const HEADER_BYTES = 16;

/** Flags of a chunk. */
export const Flag = { spread: 1, introduced: 2 } as const;

/**
 * What a worker reports: that it is ready (no body); the results of a chunk of which all items
 * went well; `mixed`, a pair for each item; `failed`, one error for the whole chunk.
 */
export const Kind = { ready: 0, values: 1, mixed: 2, failed: 3 } as const;

/** What became of an item: 1 and its result, or 0 and its error, encoded. */
export type Pair = readonly [1, unknown] | readonly [0, Uint8Array];

/** Bytes with a face that reads and writes words in them. */
export interface Room {
  readonly bytes: Uint8Array;
  readonly words: DataView;
}

export function makeRoom(length: number): Room {
  const bytes = new Uint8Array(length);
  return { bytes, words: new DataView(bytes.buffer) };
}

export function roomOf(bytes: Uint8Array): Room {
  return { bytes, words: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

export function writeHeader(
  { words }: Room,
  at: number,
  first: number,
  second: number,
  third: number,
  fourth: number,
): void {
  words.setUint32(at, first, true);
  words.setUint32(at + 4, second, true);
  words.setUint32(at + 8, third, true);
  words.setUint32(at + 12, fourth, true);
}

/** A word of a header that begins at `at`. */
export function word({ words }: Room, at: number, index: 0 | 1 | 2 | 3): number {
  return words.getUint32(at + 4 * index, true);
}

/** The results that a report tells: the body of a frame, which lies in a message if it is long. */
export function readResults(
  kind: number,
  slot: number,
  body: Uint8Array,
  message: Message | undefined,
  chunk: Chunk,
): Results {
  const context = { origin: `pool worker ${slot}` };
  if (kind === Kind.failed) return failed(chunk, decodeError(body, context));
  const value = bodyIn(body, message);
  if (kind === Kind.values) return { values: value as unknown[], errors: undefined };
  const errors = new Map<number, unknown>();
  const values = (value as Pair[]).map((pair, place) => {
    if (pair[0] === 1) return pair[1];
    errors.set(place, decodeError(pair[1], context));
    return undefined;
  });
  return { values, errors };
}

/** The value in a body. Big arrays of one that lies in a message stay there. */
export function bodyIn(body: Uint8Array, message: Message | undefined): unknown {
  return message === undefined ? decode(body) : valueIn(message, HEADER_BYTES);
}
