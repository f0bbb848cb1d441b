// Values, errors and handles to bytes and back: what the rest of the runtime uses of the codec.
// Non-goals: sending the bytes; `spec/codec.md` says what is kept and what is refused.
export { LENT_BYTES_MIN } from './format.ts';
export {
  decode,
  decodeFrom,
  type Encoded,
  encode,
  encodeHere,
  here,
  join,
} from './message.ts';
export {
  type ClassCodec,
  type CodecContext,
  type HandleCodec,
  type Lent,
  registerClass,
  registerError,
  registerHandle,
} from './registry.ts';
export { decodeError, encodeError } from './thrown.ts';
