// Messages that are one small value: a number, a boolean, a few bytes. Queues carry them by the
// million, and a decoder for each would cost more than all the rest.
// Non-goals: whatever needs a look at more than one tag; damage, which the decoder tells of.
import * as format from './format.ts';

/** Stands for: ask the decoder. */
export const NO_LEAF: unique symbol = Symbol('no leaf');

const scratch = new Float64Array(1);
const scratchBytes = new Uint8Array(scratch.buffer);

const HEAD_BYTES = 2;
const FLOAT_BYTES = 8;
/** Of a view: kind and a length below 128. */
const VIEW_HEAD_BYTES = 2;

/**
 * The value of the message from `start` to `end`, if it is a leaf. It shares no memory with it:
 * `bytes` are no Buffer, whose slices do.
 */
export function leafIn(bytes: Uint8Array, start: number, end: number): unknown {
  const length = end - start;
  if (length < HEAD_BYTES || bytes[start] !== format.MESSAGE_PLAIN) return NO_LEAF;
  const tag = bytes[start + 1] as number;
  const at = start + HEAD_BYTES;
  if (length === HEAD_BYTES) return short(tag);
  if (tag === format.VIEW) return fewBytes(bytes, at, end);
  if (tag === format.FLOAT && length === HEAD_BYTES + FLOAT_BYTES) {
    for (let i = 0; i < FLOAT_BYTES; i++) scratchBytes[i] = bytes[at + i] as number;
    return scratch[0];
  }
  return NO_LEAF;
}

function short(tag: number): unknown {
  if (tag < format.SMALL_INT_END) return tag;
  switch (tag) {
    case format.NULL:
      return null;
    case format.UNDEFINED:
      return undefined;
    case format.TRUE:
      return true;
    case format.FALSE:
      return false;
    default:
      return NO_LEAF;
  }
}

function fewBytes(bytes: Uint8Array, at: number, end: number): unknown {
  const length = end - at - VIEW_HEAD_BYTES;
  // A longer length takes more than one byte, whose highest bit is set.
  const isThis = bytes[at] === format.VIEW_UINT8 && bytes[at + 1] === length && length < 0x80;
  if (length < 0 || !isThis) return NO_LEAF;
  const from = at + VIEW_HEAD_BYTES;
  return bytes.slice(from, end);
}
