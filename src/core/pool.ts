/**
 * Managed memory: pools in shared memory and the allocations in them.
 *
 * A pool is one sealed memory segment that grows by extents up to its limit. An allocation
 * belongs to the process that made it until it is freed, sent, or its owner dies.
 */
import { Status } from '../runtime/errors/codes.ts';
import { DragonError, errorFromStatus } from '../runtime/errors/index.ts';
import { Allocation } from './allocation.ts';
import { loadAddon, type NativePool, type PoolStats } from './native.ts';
import { check, Node, unwrap, WellKnown } from './node.ts';
import { Lane, NOT_YET, timeoutMsOf, type WaitOptions } from './wait.ts';

export interface PoolOptions {
  /** Most bytes that the pool may commit; default 4 GiB or half of the memory allowed here. */
  readonly limitBytes?: number;
  /** Bytes committed at the start; default 8 MiB. */
  readonly initialBytes?: number;
  /** Least that is committed at a time; default grows with the pool. */
  readonly growthBytes?: number;
  /** Where memory comes from as long as that node has some; default anywhere. */
  readonly numaNode?: number;
  /** Huge pages, if the system has any left; `placement` tells. */
  readonly hugePages?: boolean;
  /** Touches memory when it is committed and not when it is first used. */
  readonly populate?: boolean;
}

/** What became of the wishes in a pool's options. */
export interface PoolPlacement {
  /** Undefined when memory comes from anywhere. */
  readonly numaNode: number | undefined;
  /** `transparent`: the kernel may join small pages. */
  readonly pages: 'small' | 'transparent' | 'huge';
}

/** What an allocation is for; `spec/memory.md` has the numbers. */
export type AllocationType =
  | 'data'
  | 'channel'
  | 'lock'
  | 'counter'
  | 'bootstrap'
  | 'chunk'
  | 'event'
  | 'share'
  | 'hub'
  | 'region';
const TYPES: readonly AllocationType[] = [
  'data',
  'channel',
  'lock',
  'counter',
  'bootstrap',
  'chunk',
  'event',
  'share',
  'hub',
  'region',
];

const PAGES = ['small', 'transparent', 'huge'] as const;

export interface AllocationInfo {
  readonly id: bigint;
  readonly byteLength: number;
  readonly type: AllocationType;
  /** The actor that owns it; none when it is an object that several have open, or in a message. */
  readonly owner: number | undefined;
}

const WOULD_BLOCK = new Set<number>([Status.WOULD_BLOCK, Status.OUT_OF_MEMORY, Status.TIMEOUT]);

/**
 * A pool of shared memory.
 *
 * @example
 * import { Node, Pool } from 'dragon-runtime/core';
 * const pool = Pool.create(Node.current(), { limitBytes: 1 << 20 });
 * const all = await pool.allocate(1 << 20);
 * console.log(pool.tryAllocate(1)); // undefined
 * const waiting = pool.allocate(100, { timeout: 1000 });
 * all.free();
 * console.log((await waiting).byteLength, pool.stats().allocations); // 100 1
 */
export class Pool {
  readonly node: Node;
  readonly native: NativePool;

  private constructor(node: Node, native: NativePool) {
    this.node = node;
    this.native = native;
  }

  static create(node: Node, options: PoolOptions = {}): Pool {
    const native = loadAddon().createPool(
      node.native,
      options.limitBytes ?? 0,
      options.initialBytes ?? 0,
      options.growthBytes ?? 0,
      options.numaNode ?? -1,
      options.hugePages ?? false,
      options.populate ?? false,
    );
    return new Pool(node, unwrap(native, 'create a pool'));
  }

  /**
   * Attaches to a pool by its handle. With `readOnly` its memory can be read and not written, and
   * whatever would change the pool is ERR_NOT_SUPPORTED.
   */
  static attach(node: Node, handle: Uint8Array, options: { readOnly?: boolean } = {}): Pool {
    const native = loadAddon().attachPool(node.native, handle, options.readOnly ?? false);
    return new Pool(node, unwrap(native, 'attach to a pool'));
  }

  /** The node's default pool. Throws ERR_RUNTIME_GONE if the services have not made it. */
  static default(node: Node = Node.current()): Pool {
    const handle = node.wellKnown(WellKnown.defaultPool);
    if (handle === undefined) {
      throw new DragonError('the node has no default pool: its services are not up', {
        code: 'ERR_RUNTIME_GONE',
      });
    }
    return Pool.attach(node, handle);
  }

  /** `bytes` of memory, or undefined when the pool has no room for them now. */
  tryAllocate(bytes: number): Allocation | undefined {
    const result = this.native.tryAllocate(bytes, 0);
    if (typeof result !== 'number') return new Allocation(this, result);
    if (WOULD_BLOCK.has(result)) return undefined;
    throw errorFromStatus(result, `allocate ${bytes} bytes`);
  }

  /**
   * `bytes` of memory; waits until others free some. Throws ERR_TOO_LARGE at once when the
   * request exceeds the pool's limit, ERR_OUT_OF_MEMORY at the deadline.
   */
  allocateSync(bytes: number, options?: WaitOptions): Allocation {
    options?.signal?.throwIfAborted();
    const result = this.native.allocateSync(bytes, 0, timeoutMsOf(options));
    if (typeof result !== 'number') return new Allocation(this, result);
    throw this.#exhausted(result, bytes);
  }

  /** As `allocateSync`, without blocking the thread. */
  allocate(bytes: number, options?: WaitOptions): Promise<Allocation> {
    return this.node.waits.wait<Allocation>(
      this.native,
      Lane.memory,
      () => this.tryAllocate(bytes) ?? NOT_YET,
      { ...options, isHeld: true },
      () => {
        throw this.#exhausted(Status.OUT_OF_MEMORY, bytes);
      },
    );
  }

  #exhausted(status: number, bytes: number): DragonError {
    const code = WOULD_BLOCK.has(status) ? Status.OUT_OF_MEMORY : status;
    const { limitBytes, committedBytes, usedBytes } = this.stats();
    return errorFromStatus(code, `allocate ${bytes} bytes`, {
      why: `limit ${limitBytes}, committed ${committedBytes}, used ${usedBytes}`,
    });
  }

  /** The live allocation with this id, whoever owns it; undefined if there is none any more. */
  find(id: bigint): Allocation | undefined {
    const found = this.native.find(id);
    if (typeof found !== 'number') return new Allocation(this, found);
    if (found === Status.OBJECT_DESTROYED) return undefined;
    throw errorFromStatus(found, 'find an allocation');
  }

  /** All live allocations, in no order; those that come or go meanwhile may be among them. */
  allocations(): AllocationInfo[] {
    return this.native.list().map(({ id, byteLength, type, actorId }) => ({
      id,
      byteLength,
      type: TYPES[type] ?? 'data',
      owner: actorId === 0 ? undefined : actorId,
    }));
  }

  /** Gives free memory at the end of the pool back to the system; how many bytes that were. */
  trim(): number {
    return this.native.trim();
  }

  /** Which pages the pool has, and where its memory comes from. */
  get placement(): PoolPlacement {
    const [node, pages] = this.native.placement;
    return { numaNode: node < 0 ? undefined : node, pages: PAGES[pages] ?? 'small' };
  }

  stats(): PoolStats {
    return this.native.stats();
  }

  /** The first broken invariant of the pool as text; '' when all hold. */
  audit(): string {
    return this.native.audit();
  }

  serialize(): Uint8Array {
    return this.native.serialize();
  }

  /** Ends the pool for everybody: later use is ERR_OBJECT_DESTROYED. */
  destroy(): void {
    check(this.native.destroy(), 'destroy a pool');
  }

  close(): void {
    this.native.close();
  }
}
