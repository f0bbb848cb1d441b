/**
 * Memory in a pool.
 *
 * Goals: its bytes without a copy, as an ordinary ArrayBuffer that never shows anything else: it
 * is detached when the memory is given back or sent away. Memory that nothing refers to any more
 * is given back by itself.
 */
import { errorFromStatus } from '../runtime/errors/index.ts';
import { loadAddon, type NativeAllocation } from './native.ts';
import { check, type Node, unwrap } from './node.ts';
import type { Pool } from './pool.ts';

/**
 * An allocation: one that this process made, and gives back, or one that it was sent the handle
 * of and that another process owns.
 *
 * @example
 * import { Allocation, Node, Pool } from 'dragon-runtime/core';
 * using memory = Pool.default().allocateSync(1 << 20);
 * memory.bytes.fill(7);
 * const same = Allocation.attach(Node.current(), memory.serialize());
 * console.log(same.read(0, 3)); // Uint8Array(3) [ 7, 7, 7 ]
 */
export class Allocation implements Disposable {
  /** Holds the pool (or the node) that the allocation lives in. */
  readonly holder: Pool | Node;
  /** The addon's face; other classes of this folder use it, users never. */
  readonly native: NativeAllocation;
  #bytes: Uint8Array | undefined;

  /** @internal Pools make allocations. */
  constructor(holder: Pool | Node, native: NativeAllocation) {
    this.holder = holder;
    this.native = native;
  }

  /** The allocation that the handle names. Throws ERR_OBJECT_DESTROYED if it was freed. */
  static attach(node: Node, handle: Uint8Array): Allocation {
    const native = loadAddon().attachAllocation(node.native, handle);
    return new Allocation(node, unwrap(native, 'attach to an allocation'));
  }

  /** Unique in its pool, never used again: a stale id is ERR_OBJECT_DESTROYED. */
  get id(): bigint {
    return this.native.id;
  }

  /** The length in bytes, 0 once it was freed. */
  get byteLength(): number {
    return this.native.byteLength;
  }

  /** Whether this object gives the memory back: made here, and neither freed nor sent nor lent. */
  get owned(): boolean {
    return this.native.owned;
  }

  /**
   * The memory itself as an ArrayBuffer of exactly its bytes. Clones of it are copies, and it
   * can't be transferred. It, and every view of it, keeps the memory. Throws ERR_NOT_OWNER for
   * memory of another process, which is read and written by copy: nothing would keep it here.
   */
  get buffer(): ArrayBuffer {
    return this.bytes.buffer as ArrayBuffer;
  }

  /** All of `buffer`. */
  get bytes(): Uint8Array {
    // Anew once it was released, so that the error says so.
    if (this.#bytes === undefined || !this.owned) {
      this.#bytes = new Uint8Array(unwrap(this.native.buffer(), "show an allocation's bytes"));
    }
    return this.#bytes;
  }

  /**
   * Makes the memory shorter or longer where it lies: shortening gives the rest back, lengthening
   * needs free memory just behind it (else ERR_OUT_OF_MEMORY, and nothing has changed). The
   * buffer's length is 0 from then on; `buffer` and `bytes` are new ones.
   */
  resize(byteLength: number): void {
    check(this.native.resize(byteLength), `resize an allocation to ${byteLength} bytes`);
    this.#bytes = undefined;
  }

  /** A copy of `length` bytes from `offset`. */
  read(offset = 0, length = this.byteLength - offset): Uint8Array {
    const bytes = this.native.read(offset, length);
    if (typeof bytes === 'number') throw errorFromStatus(bytes, 'read an allocation');
    return bytes;
  }

  write(bytes: Uint8Array, offset = 0): void {
    check(this.native.write(bytes, offset), 'write to an allocation');
  }

  /** 64 bytes by which any process of the node may attach, as long as the allocation lives. */
  serialize(): Uint8Array {
    return unwrap(this.native.serialize(), 'serialize an allocation');
  }

  /**
   * Gives the memory back, whoever owns it; the buffer's length is 0 from then on. A second call
   * throws ERR_OBJECT_DESTROYED. Throws ERR_STATE when the bytes were moved to an ArrayBuffer of
   * another identity (`ArrayBuffer.prototype.transfer`): then that one gives them back.
   */
  free(): void {
    check(this.native.free(), 'free an allocation');
  }

  /** Gives the memory back if that is this object's to do; else, or a second time, nothing. */
  release(): void {
    if (this.owned) this.free();
  }

  [Symbol.dispose](): void {
    this.release();
  }

  /**
   * Lets go of the memory without giving it back: it stays until it is freed by its handle or
   * this process ends. The buffer's length is 0 from then on.
   */
  detach(): void {
    check(this.native.detach(), 'detach an allocation');
  }
}
