/**
 * Barriers: a fixed number of parties that go on when all have arrived.
 *
 * A party that times out, aborts, closes or dies while it waits breaks the barrier for all, until
 * it is reset: nobody waits for a party that will not come. A barrier may be made so that the last
 * party acts before the others go on.
 */
import { Status } from '../runtime/errors/codes.ts';
import { DragonError } from '../runtime/errors/index.ts';
import { Countdown } from './countdown.ts';
import { type AttachOptions, counted, ManagedObject } from './managed.ts';
import { eventAddon, type NativeBarrier } from './native-events.ts';
import { check, type Node, unwrap } from './node.ts';
import type { Pool } from './pool.ts';
import { NOT_YET, timeoutMsOf, type WaitOptions } from './wait.ts';

export interface BarrierOptions {
  /** Whether the last party acts before the others go on; default false. */
  readonly lastActs?: boolean;
}

export interface BarrierWaitOptions extends WaitOptions {
  /**
   * What this party does if it is the last, while the others wait. It is called at a barrier with
   * `lastActs` only. When it fails the barrier is broken, and this wait fails with its error.
   */
  readonly act?: (() => unknown) | undefined;
}

const LANE = 0;
const NOT_NOW = -Status.WOULD_BLOCK;
const OUTSIDE = -Status.FULL;
const WHAT = 'wait at a barrier';

function isPromise(value: unknown): boolean {
  return typeof (value as { then?: unknown } | undefined)?.then === 'function';
}

export class Barrier extends ManagedObject<NativeBarrier> {
  private constructor(node: Node, native: NativeBarrier) {
    super(node, native, 'a barrier');
  }

  static create(pool: Pool, parties: number, options: BarrierOptions = {}): Barrier {
    const native = eventAddon().createBarrier(pool.native, parties, options.lastActs ?? false);
    return new Barrier(pool.node, unwrap(native, `create a barrier for ${parties} parties`));
  }

  static attach(node: Node, handle: Uint8Array, options: AttachOptions = {}): Barrier {
    const native = eventAddon().attachBarrier(node.native, handle, options.adopt ?? false);
    return new Barrier(node, unwrap(native, 'attach to a barrier'));
  }

  /** Passes as the last party and returns its index, or undefined without having arrived. */
  tryWait(options?: BarrierWaitOptions): number | undefined {
    const { native } = this;
    const result = native.acts ? native.tryArrive() : native.tryWait();
    if (result === NOT_NOW) return undefined;
    return native.acts ? this.#actSync(counted(result, WHAT), options) : counted(result, WHAT);
  }

  /**
   * Waits for the other parties; blocks the thread. Returns the place in which this party came,
   * from 0. Throws ERR_BARRIER_BROKEN, or ERR_TIMEOUT at the deadline, which breaks the barrier;
   * with `timeout` 0 it is ERR_TIMEOUT unless this is the last party, and nothing has changed. It
   * breaks nothing either while the last party of others acts.
   */
  waitSync(options?: BarrierWaitOptions): number {
    options?.signal?.throwIfAborted();
    const timeoutMs = timeoutMsOf(options);
    const { native } = this;
    if (!native.acts) return this.#passed(native.waitSync(timeoutMs));
    if (timeoutMs === 0) return this.tryWait(options) ?? this.#passed(NOT_NOW);
    const countdown = new Countdown(timeoutMs);
    const wait = this.#passed(native.arriveSync(timeoutMs));
    if (native.isActing(wait)) return this.#actSync(wait, options);
    return this.#passed(native.lookSync(wait, countdown.leftMs()));
  }

  /** As `waitSync`, as a promise. An abort breaks the barrier, as a time-out does. */
  async wait(options?: BarrierWaitOptions): Promise<number> {
    const timeoutMs = timeoutMsOf(options);
    options?.signal?.throwIfAborted();
    if (!this.native.acts) {
      if (timeoutMs === 0) return this.waitSync(options);
      return await this.#ended(counted(this.native.arrive(), WHAT), options);
    }
    const countdown = new Countdown(timeoutMs);
    const wait =
      timeoutMs === 0 ? this.#passed(this.native.tryArrive()) : await this.#enter(options);
    if (this.native.isActing(wait)) return await this.#act(wait, options);
    const leftMs = countdown.leftMs();
    return await this.#ended(wait, { ...options, timeout: leftMs < 0 ? undefined : leftMs });
  }

  /** Arrives; waits outside while the last party of others acts. */
  #enter(options: WaitOptions | undefined): Promise<number> {
    return this.node.waits.wait<number>(
      this.native,
      LANE,
      () => {
        const wait = this.native.arrive();
        return wait === OUTSIDE ? NOT_YET : counted(wait, WHAT);
      },
      options,
    );
  }

  async #ended(wait: number, options: WaitOptions | undefined): Promise<number> {
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

  async #act(wait: number, options: BarrierWaitOptions | undefined): Promise<number> {
    try {
      await options?.act?.();
    } catch (error) {
      this.native.giveUp(wait);
      throw error;
    }
    return counted(this.native.finish(wait), WHAT);
  }

  #actSync(wait: number, options: BarrierWaitOptions | undefined): number {
    try {
      if (isPromise(options?.act?.())) {
        throw new DragonError(
          'what the last party does returned a promise: a call that blocks can not wait for it; ' +
            'let every party that may be the last use the form that returns a promise',
          { code: 'ERR_STATE' },
        );
      }
    } catch (error) {
      this.native.giveUp(wait);
      throw error;
    }
    return counted(this.native.finish(wait), WHAT);
  }

  /** What a call that had a deadline came to. */
  #passed(result: number): number {
    return counted(result === NOT_NOW ? -Status.TIMEOUT : result, WHAT);
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
