/**
 * The messages between a pool and its workers.
 *
 * A frame is a header of four 32-bit words (kind, slot, generation, chunk), little endian,
 * and a body: an encoded value, or for `failed` an encoded error. The header can be read
 * without decoding the body, which is how a pool takes back chunks that nobody has begun.
 */
import { decode, decodeError } from '../../codec/index.ts';
import type { Chunk, Outcome } from './chunks.ts';

const HEADER_BYTES = 16;

/** Pool to worker: a chunk. Worker to pool: ready; results; a chunk that failed as a whole. */
export const Kind = { chunk: 1, ready: 2, results: 3, failed: 4 } as const;

export interface Header {
  readonly kind: number;
  readonly slot: number;
  readonly generation: number;
  readonly chunk: number;
}

/** What a worker runs for each item of a chunk. */
export interface Call {
  readonly target: unknown;
  /** True when an item is the list of arguments, false when it is the only one. */
  readonly spread: boolean;
}

export interface ChunkBody {
  readonly call: Call;
  readonly items: readonly unknown[];
}

/** What became of an item: 1 and its result, or 0 and its error, encoded. */
export type Pair = readonly [1, unknown] | readonly [0, Uint8Array];

export function headerBytes(header: Header): Uint8Array {
  const words = new DataView(new ArrayBuffer(HEADER_BYTES));
  words.setUint32(0, header.kind, true);
  words.setUint32(4, header.slot, true);
  words.setUint32(8, header.generation, true);
  words.setUint32(12, header.chunk, true);
  return new Uint8Array(words.buffer);
}

export function readHeader(frame: Uint8Array): Header {
  const words = new DataView(frame.buffer, frame.byteOffset, HEADER_BYTES);
  return {
    kind: words.getUint32(0, true),
    slot: words.getUint32(4, true),
    generation: words.getUint32(8, true),
    chunk: words.getUint32(12, true),
  };
}

export function readChunk(frame: Uint8Array): ChunkBody {
  return decode(frame.subarray(HEADER_BYTES)) as ChunkBody;
}

/** The outcomes that a `results` or `failed` frame tells. */
export function readOutcomes(frame: Uint8Array, chunk: Chunk): Outcome[] {
  const body = frame.subarray(HEADER_BYTES);
  const { kind, slot } = readHeader(frame);
  const context = { origin: `pool worker ${slot}` };
  if (kind === Kind.failed) {
    const error = decodeError(body, context);
    return chunk.items.map(() => ({ ok: false, error }));
  }
  return (decode(body) as Pair[]).map((pair) => {
    if (pair[0] === 1) return { ok: true, value: pair[1] };
    return { ok: false, error: decodeError(pair[1], context) };
  });
}
