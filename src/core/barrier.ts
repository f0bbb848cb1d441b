/**
 * Barriers: a fixed number of parties that go on when all have arrived.
 *
 * A party that times out, aborts, closes or dies while it waits breaks the barrier for all, until
 * it is reset: nobody waits for a party that will not come.
 */
import { Status } from '../runtime/errors/codes.ts';
import { type AttachOptions, counted, ManagedObject } from './managed.ts';
import { eventAddon, type NativeBarrier } from './native-events.ts';
import { check, type Node, unwrap } from './node.ts';
import type { Pool } from './pool.ts';
import { NOT_YET, timeoutMsOf, type WaitOptions } from './wait.ts';

const LANE = 0;
const NOT_NOW = -Status.WOULD_BLOCK;
const WHAT = 'wait at a barrier';

export class Barrier extends ManagedObject<NativeBarrier> {
  private constructor(node: Node, native: NativeBarrier) {
    super(node, native, 'a barrier');
  }

  static create(pool: Pool, parties: number): Barrier {
    const native = eventAddon().createBarrier(pool.native, parties);
    return new Barrier(pool.node, unwrap(native, `create a barrier for ${parties} parties`));
  }

  static attach(node: Node, handle: Uint8Array, options: AttachOptions = {}): Barrier {
    const native = eventAddon().attachBarrier(node.native, handle, options.adopt ?? false);
    return new Barrier(node, unwrap(native, 'attach to a barrier'));
  }

  /** Passes as the last party and returns its index, or undefined without having arrived. */
  tryWait(): number | undefined {
    const index = this.native.tryWait();
    return index === NOT_NOW ? undefined : counted(index, WHAT);
  }

  /**
   * Waits for the other parties; blocks the thread. Returns the place in which this party came,
   * from 0. Throws ERR_BARRIER_BROKEN, or ERR_TIMEOUT at the deadline, which breaks the barrier;
   * with `timeout` 0 it is ERR_TIMEOUT unless this is the last party, and nothing has changed.
   */
  waitSync(options?: WaitOptions): number {
    options?.signal?.throwIfAborted();
    const index = this.native.waitSync(timeoutMsOf(options));
    return counted(index === NOT_NOW ? -Status.TIMEOUT : index, WHAT);
  }

  /** As `waitSync`, as a promise. An abort breaks the barrier, as a time-out does. */
  async wait(options?: WaitOptions): Promise<number> {
    const timeoutMs = timeoutMsOf(options);
    options?.signal?.throwIfAborted();
    if (timeoutMs === 0) return this.waitSync(options);
    const wait = counted(this.native.arrive(), WHAT);
    const look = (isRelook: boolean): number | typeof NOT_YET => {
      const index = this.native.look(wait, isRelook);
      return index === NOT_NOW ? NOT_YET : counted(index, WHAT);
    };
    try {
      return await this.node.waits.wait<number>(this.native, LANE, look, {
        ...options,
        isHeld: true,
      });
    } catch (error) {
      // Unless all have arrived meanwhile.
      const index = this.native.giveUp(wait);
      if (index >= 0) return index;
      throw error;
    }
  }

  /** Breaks the barrier: whoever waits and whoever comes gets ERR_BARRIER_BROKEN. */
  abort(): void {
    check(this.native.abort(), 'abort a barrier');
  }

  /** Makes a broken barrier fresh; whoever waits gets ERR_BARRIER_BROKEN. */
  reset(): void {
    check(this.native.reset(), 'reset a barrier');
  }

  get broken(): boolean {
    return this.native.broken;
  }

  get parties(): number {
    return this.native.parties;
  }

  /** How many parties wait now. */
  get waiting(): number {
    return this.native.waiting;
  }
}
