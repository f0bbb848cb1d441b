// Errors on their way out of another process: whatever was thrown arrives, and what it says about
// the other side's stack stays with it.
// Non-goals: errors that are data, which are carried by `encode` like any value.
import { RemoteTraceback, ResultEncodingError } from '../runtime/errors/index.ts';
import { decode, encodeLeniently, join } from './message.ts';
import type { CodecContext } from './registry.ts';

/**
 * Bytes that carry what was thrown. Never throws: fields of errors that can't be carried are left
 * out, and a thrown value that can't be carried at all becomes a ResultEncodingError.
 */
export function encodeError(thrown: unknown, context?: CodecContext): Uint8Array {
  try {
    return join(encodeLeniently(thrown, context));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const substitute = new ResultEncodingError(`what was thrown can't be carried: ${why}`);
    return join(encodeLeniently(substitute, context));
  }
}

/**
 * What was thrown. An error gets the stack of this call, and the stack that it had where it was
 * thrown becomes the last cause of its chain.
 */
export function decodeError(bytes: Uint8Array, context?: CodecContext): unknown {
  const thrown = decode(bytes, context);
  if (thrown instanceof Error) appendTraceback(thrown, context?.origin);
  return thrown;
}

function appendTraceback(error: Error, origin: string | undefined): void {
  const last = lastCause(error);
  if (last === undefined || !Object.isExtensible(last)) return;
  const remote = error.stack ?? `${error.name}: ${error.message}`;
  const traceback = new RemoteTraceback(origin === undefined ? remote : `in ${origin}\n${remote}`);
  Object.defineProperty(last, 'cause', { value: traceback, writable: true, configurable: true });
  Error.captureStackTrace(error, decodeError);
}

/** The error at the end of the chain; none if the chain is a ring or ends in another value. */
function lastCause(error: Error): Error | undefined {
  const seen = new Set<unknown>();
  let at = error;
  while (at.cause !== undefined) {
    seen.add(at);
    if (!(at.cause instanceof Error) || seen.has(at.cause)) return undefined;
    at = at.cause;
  }
  return at;
}
