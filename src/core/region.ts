/**
 * Regions: bytes of a pool that any number of processes read and write at once.
 *
 * Goals: the bytes themselves, as an ordinary ArrayBuffer; zero when they begin, there until the
 * last process has closed them or died. Non-goals: order between those who write; that is the
 * business of locks.
 */
import { type AttachOptions, ManagedObject } from './managed.ts';
import { eventAddon, type NativeRegion } from './native-events.ts';
import { type Node, unwrap } from './node.ts';
import type { Pool } from './pool.ts';

/**
 * Bytes that several processes have open.
 *
 * @example
 * import { Node, Pool, Region } from 'dragon-runtime/core';
 * using region = Region.create(Pool.default(), 64);
 * using same = Region.attach(Node.current(), region.serialize());
 * new Int32Array(region.buffer)[3] = 7;
 * console.log(new Int32Array(same.buffer)[3], same.byteLength); // 7 64
 */
export class Region extends ManagedObject<NativeRegion> {
  private constructor(node: Node, native: NativeRegion) {
    super(node, native, 'a region');
  }

  /**
   * Makes a region of zeros. Throws ERR_OUT_OF_MEMORY when the pool has no room for it now,
   * ERR_TOO_LARGE when it never could.
   */
  static create(pool: Pool, byteLength: number): Region {
    const native = eventAddon().createRegion(pool.native, byteLength);
    return new Region(pool.node, unwrap(native, `create a region of ${byteLength} bytes`));
  }

  static attach(node: Node, handle: Uint8Array, options: AttachOptions = {}): Region {
    const native = eventAddon().attachRegion(node.native, handle, options.adopt ?? false);
    return new Region(node, unwrap(native, 'attach to a region'));
  }

  /** 0 once it is closed. */
  get byteLength(): number {
    return this.native.byteLength;
  }

  /**
   * The bytes, not copied. The ArrayBuffer and its views keep the region open, also when this
   * object is collected; after `close` their length is 0. It can't be transferred.
   */
  get buffer(): ArrayBuffer {
    return unwrap(this.native.buffer(), "show a region's bytes");
  }
}
