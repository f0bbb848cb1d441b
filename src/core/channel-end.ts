/**
 * What the two ends of a channel have in common: an open handle in a role, and the habits of its
 * calls.
 */
import { Status } from '../runtime/errors/codes.ts';
import { errorFromStatus } from '../runtime/errors/index.ts';
import type { Channel } from './channel.ts';
import type { Line } from './line.ts';
import type { NativeChannel } from './native.ts';
import { timeoutMsOf, type WaitOptions } from './wait.ts';

/**
 * How a call that blocks the thread waits: `adaptive` spins for as long as that pays, `spin` never
 * sleeps, `idle` sleeps at once. Promises never spin. The results are the same.
 */
export type WaitMode = 'adaptive' | 'spin' | 'idle';

const WAIT_MODE: Record<WaitMode, number> = { adaptive: 0, spin: 1, idle: 2 };

export interface EndOptions {
  /** Milliseconds for calls of the handle that name no `timeout`; by default they wait for ever. */
  readonly timeout?: number | undefined;
  /** Default `adaptive`. */
  readonly waitMode?: WaitMode | undefined;
}

export abstract class ChannelEnd implements Disposable {
  readonly channel: Channel;
  protected readonly native: NativeChannel;
  protected readonly line: Line;
  /** As the addon takes it. */
  protected readonly waitMode: number;
  readonly #timeout: number | undefined;
  readonly #handle: number;
  #closed = false;

  constructor(channel: Channel, handle: number, options: EndOptions = {}) {
    timeoutMsOf(options);
    this.channel = channel;
    this.native = channel.native;
    this.line = channel.line;
    this.waitMode = WAIT_MODE[options.waitMode ?? 'adaptive'];
    this.#timeout = options.timeout;
    this.#handle = handle;
  }

  /** Ends the handle; its pending calls are rejected with ERR_CLOSED. Again, it does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.native.closeHandle(this.#handle);
    this.channel.nudge();
  }

  get closed(): boolean {
    return this.#closed;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  protected alive(what: string): void {
    if (this.#closed) throw errorFromStatus(Status.CLOSED, what);
  }

  /** The time-out of a call in ms, -1 for ever. */
  protected timeoutMs(options: WaitOptions | undefined): number {
    if (this.#timeout === undefined || options?.timeout !== undefined) return timeoutMsOf(options);
    return timeoutMsOf({ timeout: this.#timeout });
  }

  /** The same for a call that returns a promise. */
  protected waitOptions<T extends WaitOptions>(
    options: T | undefined,
  ): T | WaitOptions | undefined {
    if (this.#timeout === undefined || options?.timeout !== undefined) return options;
    return { ...options, timeout: this.#timeout };
  }
}
