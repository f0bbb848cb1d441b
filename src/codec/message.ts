// The framing of a message: from a value to the pieces that are sent, and back.
// Non-goals: sending the bytes, and the form of a value inside the frame.
import { DecodeError, DragonError } from '../runtime/errors/index.ts';
import { Decoder } from './decoder.ts';
import { Encoder } from './encoder.ts';
import {
  LENT_BYTES_MIN,
  MESSAGE_PLAIN,
  MESSAGE_WITH_PARTS,
  PART_ALIGNMENT,
  PARTS_HEADER_BYTES,
} from './format.ts';
import { leafIn, NO_LEAF } from './leaf-message.ts';
import type { CodecContext, Lent } from './registry.ts';
import type { Place } from './writer.ts';

export type Encoded = {
  /**
   * The message, in pieces that are to be sent one after the other. Big arrays are not copied:
   * their pieces are the caller's memory, so send or copy them before the caller goes on.
   */
  readonly parts: Uint8Array[];
  /** References on their way in this message; cancel them if it is never sent. */
  readonly lent: Lent[];
};

/** Of a message with parts: its length is a number of 32 bits. */
const BODY_BYTES_MAX = 0xffff_ffff;

const NONE: CodecContext = {};

/** An encoder is used again unless it is at work, as when a serializer encodes on its own. */
const idle: Encoder[] = [];

/** Bytes that carry `value`. Throws a SerializeError naming the place that can't be carried. */
export function encode(value: unknown, context: CodecContext = NONE): Encoded {
  return run(value, context, false);
}

/** As `encode`, but fields of errors that can't be carried are left out. */
export function encodeLeniently(value: unknown, context: CodecContext = NONE): Encoded {
  return run(value, context, true);
}

/** Where `encodeHere` has put the last message that is one piece. */
export const here: Place = { bytes: new Uint8Array(), offset: 0, length: 0 };

/**
 * As `encode`, for a message that is sent or copied before anything else is encoded: undefined if
 * it is one piece and lends nothing. Then it lies `here`, which costs no object.
 */
export function encodeHere(value: unknown): Encoded | undefined {
  return run(value, NONE, false, here);
}

function run(value: unknown, context: CodecContext, lenient: boolean): Encoded;
function run(
  value: unknown,
  context: CodecContext,
  lenient: boolean,
  place: Place,
): Encoded | undefined;
function run(
  value: unknown,
  context: CodecContext,
  lenient: boolean,
  place?: Place,
): Encoded | undefined {
  const encoder = idle.pop() ?? new Encoder();
  encoder.begin(context);
  encoder.lenient = lenient;
  try {
    encoder.writer.byte(MESSAGE_PLAIN);
    encoder.value(value);
    const { parts, lent } = encoder;
    if (place !== undefined && parts.length === 0 && lent.length === 0) {
      encoder.writer.leave(place);
      return undefined;
    }
    const body = encoder.writer.finish();
    return { parts: parts.length === 0 ? [body] : withParts(body, parts), lent };
  } catch (error) {
    encoder.writer.abandon();
    for (const lent of encoder.lent) lent.cancel();
    throw encoder.failure(error);
  } finally {
    encoder.end();
    idle.push(encoder);
  }
}

function align(position: number): number {
  return Math.ceil(position / PART_ALIGNMENT) * PART_ALIGNMENT;
}

const padding = new Uint8Array(PART_ALIGNMENT);

/** Puts the table of parts before the body, whose first byte becomes part of the header. */
function withParts(plain: Uint8Array, parts: readonly Uint8Array[]): Uint8Array[] {
  const body = plain.subarray(1);
  if (body.length > BODY_BYTES_MAX) throw new RangeError('Invalid array buffer length');
  const head = new Uint8Array(PARTS_HEADER_BYTES + 8 * parts.length);
  const view = new DataView(head.buffer);
  view.setUint8(0, MESSAGE_WITH_PARTS);
  view.setUint32(4, body.length, true);
  view.setUint32(8, parts.length, true);
  parts.forEach((part, i) => {
    view.setBigUint64(PARTS_HEADER_BYTES + 8 * i, BigInt(part.length), true);
  });
  const message = [head, body];
  let position = head.length + body.length;
  for (const part of parts) {
    const gap = align(position) - position;
    if (gap > 0) message.push(padding.subarray(0, gap));
    message.push(part);
    position += gap + part.length;
  }
  return message;
}

/** One run of bytes, copied together where it has parts. */
export function join(encoded: Encoded): Uint8Array {
  const [first] = encoded.parts;
  return encoded.parts.length === 1 && first !== undefined ? first : Buffer.concat(encoded.parts);
}

/** The value in a message. Throws a DecodeError if the bytes are not what `encode` gave. */
export function decode(bytes: Uint8Array, context: CodecContext = NONE): unknown {
  let decoder: Decoder | undefined;
  try {
    decoder = open(bytes, context);
    return decoder.body();
  } catch (error) {
    decoder?.discard();
    if (DragonError.is(error)) throw error;
    throw new DecodeError("an encoded value is damaged: it can't be built", { cause: error });
  }
}

/**
 * The value in the `length` bytes from `offset` on. Nothing of the value refers to them, so they
 * may be overwritten afterwards. They are no Buffer.
 */
export function decodeFrom(bytes: Uint8Array, offset: number, length: number): unknown {
  const leaf = leafIn(bytes, offset, offset + length);
  return leaf === NO_LEAF ? decode(bytes.slice(offset, offset + length)) : leaf;
}

function open(bytes: Uint8Array, context: CodecContext): Decoder {
  if (bytes[0] === MESSAGE_PLAIN) return new Decoder(bytes, 1, bytes.length, [], context);
  if (bytes[0] !== MESSAGE_WITH_PARTS || bytes.length < PARTS_HEADER_BYTES) {
    throw new DecodeError('these bytes are not an encoded value of this release');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bodyBytes = view.getUint32(4, true);
  const count = view.getUint32(8, true);
  const start = PARTS_HEADER_BYTES + 8 * count;
  const end = start + bodyBytes;
  if (end > bytes.length) throw new DecodeError('an encoded value is damaged: it is cut off');
  const parts: Uint8Array[] = [];
  let position = end;
  for (let i = 0; i < count; i++) {
    const from = align(position);
    position = from + Number(view.getBigUint64(PARTS_HEADER_BYTES + 8 * i, true));
    if (position > bytes.length)
      throw new DecodeError('an encoded value is damaged: a part is cut off');
    parts.push(bytes.subarray(from, position));
  }
  const decoder = new Decoder(bytes, start, end, parts, context);
  if (context.lend !== undefined) decoder.mayLend(isWorthKeeping(parts, bytes.length));
  return decoder;
}

/** Arrays that stay where they are keep the whole message: they have to be most of it. */
function isWorthKeeping(parts: readonly Uint8Array[], bytes: number): boolean {
  let kept = 0;
  for (const { length } of parts) if (length >= LENT_BYTES_MIN) kept += length;
  return 2 * kept >= bytes;
}
