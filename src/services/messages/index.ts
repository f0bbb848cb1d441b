/** The control messages: their types, and how they become bytes and back. */
export type * from './generated.ts';
export {
  decodeMessage,
  encodeMessage,
  InvalidMessage,
  isReply,
  isRequest,
  type Sender,
} from './wire.ts';
