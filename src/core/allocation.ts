/**
 * Memory in a pool.
 *
 * Goals: its bytes without a copy, as an ordinary ArrayBuffer that never shows anything else: it
 * is detached when the memory is given back or sent away. Memory that nothing refers to any more
 * is given back by itself.
 */
import { Status } from '../runtime/errors/codes.ts';
import { errorFromStatus } from '../runtime/errors/index.ts';
import { loadAddon, type NativeAllocation } from './native.ts';
import { check, type Node, unwrap } from './node.ts';
import type { Pool } from './pool.ts';
import { Lane, NOT_YET, timeoutMsOf, type WaitOptions } from './wait.ts';

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

  /**
   * The allocation, or the part of one, that the handle names. Throws ERR_OBJECT_DESTROYED if it
   * was freed.
   */
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
    // Anew once it was released, so that the error says so, or was sent and taken back.
    if (this.#bytes === undefined || this.#bytes.byteLength === 0) {
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
  read(offset = 0, length?: number): Uint8Array {
    return unwrap(this.native.read(offset, length), 'read an allocation');
  }

  write(bytes: Uint8Array, offset = 0): void {
    check(this.native.write(bytes, offset), 'write to an allocation');
  }

  /** Zeroes the bytes from `start` up to `stop`. */
  clear(start = 0, stop?: number): void {
    check(this.native.clear(start, stop), 'clear an allocation');
  }

  /** A number that is the same for the same bytes, in every process; `spec/memory.md` has it. */
  hash(): bigint {
    const hash = this.native.hash();
    if (typeof hash === 'bigint') return hash;
    throw errorFromStatus(hash, 'hash an allocation');
  }

  /** Whether both hold the same bytes. */
  equals(other: Allocation): boolean {
    const equal = this.native.equals(other.native);
    if (typeof equal === 'boolean') return equal;
    throw errorFromStatus(equal, 'compare allocations');
  }

  /** Whether both are of one allocation. */
  isSame(other: Allocation): boolean {
    return this.native.isSame(other.native);
  }

  /** Copies all bytes to the beginning of `other`. ERR_BUFFER_TOO_SHORT if that is smaller. */
  copyTo(other: Allocation): void {
    check(this.native.copyTo(other.native), 'copy an allocation');
  }

  /** A copy in new memory of any pool on the node, or undefined if that has no room now. */
  tryCopy(pool: Pool): Allocation | undefined {
    const copy = this.native.copy(pool.native, 0);
    if (typeof copy !== 'number') return new Allocation(pool, copy);
    if (copy === Status.OUT_OF_MEMORY || copy === Status.WOULD_BLOCK) return undefined;
    throw errorFromStatus(copy, 'copy an allocation');
  }

  /** As `tryCopy`; blocks the thread until there is room. */
  copySync(pool: Pool, options?: WaitOptions): Allocation {
    options?.signal?.throwIfAborted();
    const copy = this.native.copy(pool.native, timeoutMsOf(options));
    return new Allocation(pool, unwrap(copy, 'copy an allocation'));
  }

  /** As `tryCopy`; waits until there is room. */
  copy(pool: Pool, options?: WaitOptions): Promise<Allocation> {
    const look = () => this.tryCopy(pool) ?? NOT_YET;
    return pool.node.waits.wait<Allocation>(pool.native, Lane.memory, look, {
      ...options,
      isHeld: true,
    });
  }

  /**
   * 64 bytes by which any process of the node may attach to `length` bytes from `offset`, by
   * default to all, as long as the allocation lives.
   */
  serialize(offset = 0, length?: number): Uint8Array {
    return unwrap(this.native.serialize(offset, length), 'serialize an allocation');
  }

  /**
   * Gives the memory back, whoever owns it; the buffer's length is 0 from then on. A second call
   * throws ERR_OBJECT_DESTROYED. Throws ERR_STATE when the bytes were moved to an ArrayBuffer of
   * another identity (`ArrayBuffer.prototype.transfer`): then that one gives them back.
   */
  free(): void {
    check(this.native.free(), 'free an allocation');
  }

  /**
   * A further holder's part in this memory: send it, and keep this one, so that one payload goes to
   * many without a copy. The memory is given back when all have let go of their parts, or have
   * died. Nobody may write to it from the first call on, which says how many `holders` there may be
   * at a time (1 to 4096, this one included). Throws ERR_STATE if there are as many already.
   *
   * @example
   * import { Channel, Pool } from 'dragon-runtime/core';
   * const channels = [1, 2].map(() => Channel.create(Pool.default()));
   * using news = Pool.default().allocateSync(1 << 20);
   * for (const channel of channels) channel.openSender().sendSync(news.share());
   * console.log(channels.map((channel) => channel.info().messages)); // [ 1, 1 ]
   */
  share(options: { readonly holders?: number } = {}): Allocation {
    const node = 'node' in this.holder ? this.holder.node : this.holder;
    const native = this.native.share(node.native, options.holders ?? 64);
    return new Allocation(this.holder, unwrap(native, 'share an allocation'));
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
