/**
 * Channel sets: which of many channels is ready, and for what.
 *
 * A set belongs to this process and is no part of the channels: any number of sets, in any
 * processes, may watch one. What a poll says is the state of the channels at that moment; who
 * else watches may have taken the message before.
 *
 * The waits of a set are armed by the first poll that has to wait and stay armed from poll to
 * poll, so that a loop of polls enters the queues of its channels once.
 */
import { Status } from '../runtime/errors/codes.ts';
import { errorFromStatus } from '../runtime/errors/index.ts';
import type { Channel } from './channel.ts';
import { counted } from './managed.ts';
import { eventAddon, type NativeChannelSet } from './native-events.ts';
import { check, type Node, unwrap } from './node.ts';
import { type Armable, NOT_YET, timeoutMsOf, type WaitOptions } from './wait.ts';

/** What a set watches a channel for, as in `PollEvent`; several may be combined. */
export type WatchEvent = 'in' | 'out' | 'empty' | 'full';
/** `ended`: the channel was destroyed, or closed in this process. Always watched. */
export type SetEvent = WatchEvent | 'ended';

/** A channel that is ready, and for which of the events that the set watches it for. */
export interface Ready {
  readonly channel: Channel;
  readonly events: readonly SetEvent[];
}

const BITS: readonly (readonly [SetEvent, number])[] = [
  ['in', 1],
  ['out', 2],
  ['empty', 4],
  ['full', 8],
  ['ended', 16],
];
const NOT_NOW = new Set<number>([-Status.WOULD_BLOCK, -Status.TIMEOUT]);
const WHAT = 'poll a channel set';
/** How long waits stay armed without a poll: a process that polls no more does not wait. */
const ARMED_MS = 10;

function maskOf(events: WatchEvent | readonly WatchEvent[]): number {
  const names: readonly string[] = typeof events === 'string' ? [events] : events;
  return BITS.reduce((mask, [name, bit]) => (names.includes(name) ? mask | bit : mask), 0);
}

export class ChannelSet implements Disposable {
  readonly node: Node;
  readonly #native: NativeChannelSet;
  readonly #channels = new Map<number, Channel>();
  readonly #members = new Map<Channel, number>();
  /** What pending polls are known by; their waits are those below. */
  readonly #polled: Armable = { arm: () => -Status.NOT_SUPPORTED };
  readonly #armed = new Set<number>();
  readonly #woken = new Set<number>();
  #polls = 0;
  #settledMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(node: Node) {
    this.node = node;
    this.#native = unwrap(eventAddon().createChannelSet(node.native), 'create a channel set');
  }

  /** Watches a channel for these events; for others than before if the set has it already. */
  add(channel: Channel, events: WatchEvent | readonly WatchEvent[] = 'in'): this {
    const mask = maskOf(events);
    const known = this.#members.get(channel);
    if (known === undefined) {
      const member = counted(this.#native.add(channel.native, mask), 'add to a channel set');
      this.#channels.set(member, channel);
      this.#members.set(channel, member);
    } else {
      check(this.#native.change(known, mask), 'change a channel set');
    }
    this.#changed();
    return this;
  }

  /** Watches the channel no longer; whether it did. */
  delete(channel: Channel): boolean {
    const member = this.#members.get(channel);
    if (member === undefined) return false;
    this.#members.delete(channel);
    this.#channels.delete(member);
    check(this.#native.remove(member), 'delete from a channel set');
    this.#changed();
    return true;
  }

  has(channel: Channel): boolean {
    return this.#members.has(channel);
  }

  get size(): number {
    return this.#members.size;
  }

  /** A channel that is ready, another one than last time if there are several. */
  tryPoll(): Ready | undefined {
    return this.#ready(this.#native.tryPoll());
  }

  /** A channel that is ready, or undefined at the deadline; blocks the thread. */
  pollSync(options?: WaitOptions): Ready | undefined {
    options?.signal?.throwIfAborted();
    return this.#ready(this.#native.pollSync(timeoutMsOf(options)));
  }

  /** A channel that is ready, or undefined at the deadline. */
  async poll(options?: WaitOptions): Promise<Ready | undefined> {
    options?.signal?.throwIfAborted();
    if (timeoutMsOf(options) === 0) return this.tryPoll();
    const look = (): Ready | typeof NOT_YET =>
      this.tryPoll() ?? (this.#arm() ? this.tryPoll() : undefined) ?? NOT_YET;
    this.#polls++;
    try {
      return await this.node.waits.wait<Ready | undefined>(
        this.#polled,
        [],
        look,
        options,
        () => undefined,
      );
    } finally {
      this.#polls--;
      this.#settledMs = performance.now();
      this.#disarmLater();
    }
  }

  /** Ends the set; pending polls are rejected with ERR_CLOSED. The channels stay as they are. */
  close(): void {
    this.#disarm();
    this.#native.close();
    this.node.waits.nudge(this.#polled);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #ready(result: number): Ready | undefined {
    if (NOT_NOW.has(result)) return undefined;
    const packed = counted(result, WHAT);
    const channel = this.#channels.get(Math.floor(packed / 32));
    if (channel === undefined) throw errorFromStatus(Status.STATE, WHAT);
    return { channel, events: BITS.flatMap(([name, bit]) => (packed & bit ? [name] : [])) };
  }

  /** Enters every queue in which this set does not stand; whether there was one. */
  #arm(): boolean {
    if (this.#armed.size === 0) {
      for (const waitId of this.#native.armAll()) {
        if (waitId < 0) this.#disarm();
        this.#armed.add(counted(waitId, WHAT));
        this.node.waits.listen(waitId, () => this.#wake(waitId));
      }
      return this.#armed.size > 0;
    }
    for (const waitId of this.#woken) this.node.native.rearm(waitId);
    const isAny = this.#woken.size > 0;
    this.#woken.clear();
    return isAny;
  }

  #wake(waitId: number): void {
    this.#woken.add(waitId);
    if (this.#polls > 0) this.node.waits.nudge(this.#polled);
  }

  /** Pending polls look at the channels that there are now. */
  #changed(): void {
    this.#disarm();
    if (this.#polls > 0) this.node.waits.nudge(this.#polled);
  }

  #disarm(): void {
    for (const waitId of this.#armed) this.node.waits.unlisten(waitId);
    this.#armed.clear();
    this.#woken.clear();
  }

  #disarmLater(): void {
    if (this.#armed.size === 0 || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#polls > 0) return;
      if (performance.now() - this.#settledMs < ARMED_MS) this.#disarmLater();
      else this.#disarm();
    }, ARMED_MS);
    this.#timer.unref();
  }
}
