/**
 * Broadcasts: rounds in which one writer's payload goes to everybody who waits.
 *
 * Nobody is held up by a slow waiter: the last rounds stay readable, and who comes too late even
 * for those is told how many rounds it missed.
 */
import { Status } from '../runtime/errors/codes.ts';
import { errorFromStatus } from '../runtime/errors/index.ts';
import { type AttachOptions, counted, ManagedObject } from './managed.ts';
import { eventAddon, type NativeBroadcast } from './native-events.ts';
import { type Node, unwrap } from './node.ts';
import type { Pool } from './pool.ts';
import { NOT_YET, timeoutMsOf, type WaitOptions } from './wait.ts';

export interface BroadcastOptions {
  /** Most bytes of a round: 0 to 4096, default 256. */
  readonly payloadBytes?: number;
  /** Rounds that stay readable for slow waiters: 1 to 64, default 4. */
  readonly rounds?: number;
}

/** One round as a waiter gets it. */
export interface Round {
  readonly bytes: Uint8Array;
  /** Rounds are counted from 1. */
  readonly round: number;
  /** Rounds between the one that was waited for and this one. */
  readonly missed: number;
}

const LANE = { round: 0, buffer: 1 } as const;
const NOT_NOW = -Status.WOULD_BLOCK;
const WHAT = 'wait for a broadcast';

export class Broadcast extends ManagedObject<NativeBroadcast> {
  private constructor(node: Node, native: NativeBroadcast) {
    super(node, native, 'a broadcast');
  }

  static create(pool: Pool, options: BroadcastOptions = {}): Broadcast {
    const { payloadBytes = 256, rounds = 4 } = options;
    const native = eventAddon().createBroadcast(pool.native, payloadBytes, rounds);
    return new Broadcast(pool.node, unwrap(native, 'create a broadcast'));
  }

  static attach(node: Node, handle: Uint8Array, options: AttachOptions = {}): Broadcast {
    const native = eventAddon().attachBroadcast(node.native, handle, options.adopt ?? false);
    return new Broadcast(node, unwrap(native, 'attach to a broadcast'));
  }

  /**
   * Publishes the next round and returns its number; undefined while every buffer is in the hands
   * of other writers. Throws ERR_TOO_LARGE.
   */
  tryPublish(payload: Uint8Array): number | undefined {
    const round = this.native.tryPublish(payload);
    return round === NOT_NOW ? undefined : counted(round, 'publish a round');
  }

  publishSync(payload: Uint8Array, options?: WaitOptions): number {
    options?.signal?.throwIfAborted();
    const round = this.native.publishSync(payload, timeoutMsOf(options));
    return counted(round === NOT_NOW ? -Status.TIMEOUT : round, 'publish a round');
  }

  publish(payload: Uint8Array, options?: WaitOptions): Promise<number> {
    const look = () => this.tryPublish(payload) ?? NOT_YET;
    return this.node.waits.wait<number>(this.native, LANE.buffer, look, {
      ...options,
      isHeld: true,
    });
  }

  /** How many waited for the round that was published last through this object. */
  get lastWoken(): number {
    return this.native.lastWoken;
  }

  /** The first readable round from number `from` on; undefined while there is none. */
  tryRead(from: number): Round | undefined {
    return this.#round(this.native.tryRead(from));
  }

  /** Waits for the round after the last one; blocks the thread. Throws ERR_TIMEOUT. */
  waitSync(options?: WaitOptions): Round {
    options?.signal?.throwIfAborted();
    const round = this.#round(this.native.waitSync(timeoutMsOf(options)));
    if (round === undefined) throw errorFromStatus(Status.TIMEOUT, WHAT);
    return round;
  }

  /** Waits for the round after the last one, or for number `from`. */
  wait(options?: WaitOptions & { readonly from?: number }): Promise<Round> {
    const from = options?.from ?? this.native.round + 1;
    const look = () => this.tryRead(from) ?? NOT_YET;
    return this.node.waits.wait<Round>(this.native, LANE.round, look, options);
  }

  /** Rounds from the next one on, until the loop is left. */
  async *rounds(options?: WaitOptions): AsyncGenerator<Round, never> {
    for (let from = this.native.round + 1; ; ) {
      const round = await this.wait({ ...options, from });
      from = round.round + 1;
      yield round;
    }
  }

  /** The number of the last round, 0 before the first. */
  get round(): number {
    return this.native.round;
  }

  #round(result: Uint8Array | number): Round | undefined {
    if (typeof result !== 'number') {
      return { bytes: result, round: this.native.lastRound, missed: this.native.lastMissed };
    }
    if (result === Status.WOULD_BLOCK || result === Status.TIMEOUT) return undefined;
    throw errorFromStatus(result, WHAT);
  }
}
