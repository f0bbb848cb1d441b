/**
 * A received message.
 *
 * A payload of 16 KiB and more is not copied: its bytes lie in the pool until nothing refers to
 * them any more, or until `release()`. Smaller ones are copies.
 */
import type { Node } from './node.ts';

/** Payloads from here on lie in the pool; native/binding/lease.h knows the same number. */
export const ZERO_COPY_BYTES = 16_384;

const NO_BYTES = new Uint8Array();

export class Message implements Disposable {
  readonly #node: Node;
  #bytes: Uint8Array;
  /** The number that the sender sent along. */
  readonly hints: number;
  /** Whether the payload was lent and stays its sender's; `bytes` are a copy then. */
  readonly readOnly: boolean;

  /** @internal Receive handles make messages. */
  constructor(node: Node, bytes: Uint8Array, hints: number, readOnly = false) {
    this.#node = node;
    this.#bytes = bytes;
    this.hints = hints;
    this.readOnly = readOnly;
  }

  /** The payload. Views that are made of it keep it alive. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /**
   * An ArrayBuffer of exactly `length` bytes of the payload from `offset` on, not copied; undefined
   * when the payload does not lie in a pool. It keeps the payload as views of `bytes` do.
   *
   * @example
   * import { Channel, Pool } from 'dragon-runtime/core';
   * const channel = Channel.create(Pool.default());
   * channel.openSender().trySend(new Uint8Array(100_000).fill(7));
   * const buffer = channel.openReceiver().receiveSync().part(8, 16);
   * console.log(buffer?.byteLength, new Uint8Array(buffer ?? 0)[0]); // 16 7
   */
  part(offset: number, length: number): ArrayBuffer | undefined {
    if (this.#bytes.byteLength < ZERO_COPY_BYTES) return undefined;
    return this.#node.native.partOfBytes(this.#bytes, offset, length);
  }

  /**
   * Gives the payload's memory back now instead of when it is collected. Afterwards `bytes`, and
   * every view of a payload that lay in the pool, has length 0. A second call does nothing.
   *
   * A loop that never returns to the event loop should call it: that is where collected memory is
   * given back. (Without it such a loop receives copies once it holds a quarter of the pool.)
   *
   * @example
   * import { Channel, Pool } from 'dragon-runtime/core';
   * const channel = Channel.create(Pool.default());
   * channel.openSender().trySend(new Uint8Array(100_000));
   * const message = channel.openReceiver().receiveSync();
   * console.log(message.bytes.length); // 100000
   * message.release();
   * console.log(message.bytes.length); // 0
   */
  release(): void {
    const bytes = this.#bytes;
    this.#bytes = NO_BYTES;
    if (bytes.byteLength >= ZERO_COPY_BYTES) this.#node.native.releaseBytes(bytes);
  }

  /**
   * Leaves the payload's memory to its parts: `bytes` have length 0 from now on, and the memory is
   * given back when the last part was released or collected; at once if there is none.
   */
  leaveToParts(): void {
    const { buffer, byteLength } = this.#bytes;
    this.#bytes = NO_BYTES;
    if (byteLength >= ZERO_COPY_BYTES) this.#node.native.releaseBuffer(buffer);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
