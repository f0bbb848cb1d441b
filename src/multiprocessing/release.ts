/**
 * Giving the memory of received arrays back at once, for programs that stream large ones.
 *
 * Goals: the memory that one message has left is warm for the next; giving back what was never
 * lent, or is given back already, is harmless.
 * Non-goals: no counting. Who releases an array says that nobody in this process reads it any more.
 */
import { types } from 'node:util';
import { LENT_BYTES_MIN } from '../codec/index.ts';
import { getRuntime, hasAttached } from '../runtime/client/index.ts';
import { Status } from '../runtime/errors/codes.ts';
import { errorFromStatus } from '../runtime/errors/index.ts';

/**
 * Gives the memory of the received arrays in `value` back now, instead of when the collector
 * finds them: an ArrayBuffer, a view of one, or all that are in plain objects, arrays, maps and
 * sets. Their length is 0 from then on, that of every other view of them too. The memory of a
 * message is given back with the last of its arrays.
 *
 * Only arrays of 16 KiB and more lie in shared memory. Shorter ones, and arrays that did not come
 * out of a queue, a connection or a pool, stay as they are; a second call does nothing. Throws
 * ERR_STATE for bytes that `ArrayBuffer.prototype.transfer` has moved, which are given back when
 * they are collected.
 *
 * @example
 * import { Queue, release } from 'dragon-runtime/multiprocessing';
 * using queue = new Queue<Float64Array>({ maxsize: 4 });
 * await queue.put(new Float64Array(100_000).fill(0.5));
 * const block = await queue.get();
 * console.log(block.length, block[7]); // 100000 0.5
 * release(block);
 * console.log(block.length); // 0
 */
export function release(value: unknown): void {
  // What lies in shared memory came through the runtime.
  if (!hasAttached()) return;
  if (ArrayBuffer.isView(value)) releaseBuffer(value.buffer);
  else if (typeof value === 'object' && value !== null) releaseAll(value);
}

function releaseBuffer(buffer: ArrayBufferLike): void {
  // Length 0 may be that of bytes that were moved elsewhere.
  if (buffer.byteLength > 0 && buffer.byteLength < LENT_BYTES_MIN) return;
  const status = getRuntime().node.native.releaseBuffer(buffer);
  if (status !== Status.STATE) return;
  throw errorFromStatus(status, 'release', {
    why: 'the bytes were moved to another ArrayBuffer (transfer); they are given back with it',
  });
}

/** Every array in the value, also if one can't be released: that is told in the end. */
function releaseAll(value: object): void {
  // A set goes on with what is added while it is walked.
  const seen = new Set<object>([value]);
  let refusal: unknown;
  for (const each of seen) {
    try {
      if (types.isAnyArrayBuffer(each)) releaseBuffer(each);
      else if (ArrayBuffer.isView(each)) releaseBuffer(each.buffer);
      else for (const inner of contentOf(each)) add(seen, inner);
    } catch (error) {
      refusal ??= error;
    }
  }
  if (refusal !== undefined) throw refusal;
}

function add(seen: Set<object>, value: unknown): void {
  if (typeof value === 'object' && value !== null) seen.add(value);
}

/** What is in a container; nothing of other objects, which may show anything. */
function contentOf(value: object): Iterable<unknown> {
  if (Array.isArray(value) || types.isSet(value)) return value;
  if (types.isMap(value)) return [...value.keys(), ...value.values()];
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? Object.values(value) : [];
}

/** A value that is released at the end of the block. */
export interface Borrowed<T> extends Disposable {
  readonly value: T;
}

/**
 * A received value for a `using` declaration, which releases its arrays at the end of the block.
 *
 * @example
 * import { borrow, Queue } from 'dragon-runtime/multiprocessing';
 * using queue = new Queue<Uint8Array>({ maxsize: 4 });
 * await queue.put(new Uint8Array(1 << 20).fill(3));
 * {
 *   using block = borrow(await queue.get());
 *   console.log(block.value.length, block.value[5]); // 1048576 3
 * } // here the next message may have its memory
 */
export function borrow<T>(value: T): Borrowed<T> {
  return { value, [Symbol.dispose]: () => release(value) };
}
