/**
 * Channels: bounded first-in first-out queues of messages in a pool, for any number of
 * senders and receivers in any process of the node.
 *
 * Handles count: a channel knows how many senders and receivers are open over all
 * processes, the death of a process closes what it had open, and the last close destroys
 * the channel.
 */
import { Status } from '../runtime/errors/codes.ts';
import { errorFromStatus } from '../runtime/errors/index.ts';
import { Line } from './line.ts';
import { type ChannelInfo, loadAddon, type NativeChannel } from './native.ts';
import { check, type Node, unwrap } from './node.ts';
import type { Pool } from './pool.ts';
import { ReceiveHandle, type ReceiverOptions } from './receive-handle.ts';
import { type SenderOptions, SendHandle } from './send-handle.ts';
import { type Armable, Lane, NOT_YET, timeoutMsOf, type WaitOptions } from './wait.ts';

export interface ChannelOptions {
  /** Most messages that wait in the channel: 1 to 2^20, default 100. */
  readonly capacity?: number;
  /** Payloads up to this many bytes lie in the channel itself; default 192. */
  readonly blockBytes?: number;
  /** Receivers see ERR_EOF once the channel is empty and its last sender has closed. */
  readonly endOfStream?: boolean;
  /**
   * Where payloads by copy lie that are longer than the block; by default in the channel's own
   * pool, and there again if this one is gone.
   */
  readonly payloadPool?: Pool | undefined;
}

/** A reference in flight: owned by the lender until somebody adopts its descriptor. */
export interface Lent {
  readonly descriptor: Uint8Array;
  cancel(): void;
}

/**
 * `in` a receive would not block, `out` a send would not, `inout` either, `empty` no message,
 * `full` as many as fit, `destroyed` the channel has ended.
 */
export type PollEvent = 'in' | 'out' | 'empty' | 'full' | 'inout' | 'destroyed';

/** How a handle takes part in a channel; the values are those of the native core. */
export const Role = { sender: 0, receiver: 1, holder: 2 } as const;
export type RoleName = keyof typeof Role;

const POLL: Record<PollEvent, number> = {
  in: 0,
  out: 1,
  empty: 2,
  full: 3,
  inout: 4,
  destroyed: 5,
};
const POLL_LANE: Record<PollEvent, number> = {
  in: Lane.pollIn,
  out: Lane.pollOut,
  empty: Lane.pollEmpty,
  full: Lane.pollFull,
  inout: Lane.pollInOut,
  destroyed: Lane.pollDestroyed,
};

/**
 * A channel, as one attachment of this process sees it.
 *
 * @example
 * import { Channel, Node, Pool } from 'dragon-runtime/core';
 * const channel = Channel.create(Pool.default(), { capacity: 2, endOfStream: true });
 * const same = Channel.attach(Node.current(), channel.serialize());
 * const [sender, receiver] = [channel.openSender(), same.openReceiver()];
 * await sender.send(Uint8Array.of(1), { hints: 5, timeout: 100 });
 * console.log(sender.trySend([Uint8Array.of(2), Uint8Array.of(3)])); // true
 * console.log(sender.trySend(Uint8Array.of(4)), same.messageCount); // false 2
 * sender.close();
 * console.log((await receiver.receive()).hints, receiver.receiveSync().bytes.length); // 5 2
 * await receiver.receive().catch((error) => console.log(error.code)); // ERR_EOF
 */
export class Channel implements Disposable {
  readonly node: Node;
  readonly native: NativeChannel;
  #line: Line | undefined;
  readonly #places = new Map<Pool, Armable>();

  private constructor(node: Node, native: NativeChannel) {
    this.node = node;
    this.native = native;
  }

  static create(pool: Pool, options: ChannelOptions = {}): Channel {
    const native = loadAddon().createChannel(
      pool.native,
      options.capacity ?? 100,
      options.blockBytes ?? 192,
      options.endOfStream ?? false,
      options.payloadPool?.native,
    );
    return new Channel(pool.node, unwrap(native, 'create a channel'));
  }

  /**
   * Attaches to a channel by its handle. With `adopt` the descriptor is a lent reference,
   * which this process takes over; it can be adopted once.
   */
  static attach(node: Node, handle: Uint8Array, options: { adopt?: boolean } = {}): Channel {
    const native = loadAddon().attachChannel(node.native, handle, options.adopt ?? false);
    return new Channel(node, unwrap(native, 'attach to a channel'));
  }

  /** @internal The data path of this attachment; its handles share it. */
  get line(): Line {
    this.#line ??= new Line(this.native);
    return this.#line;
  }

  /** @internal Where a receive waits for memory of the pool; ended by `close` as the others. */
  placeIn(pool: Pool): Armable {
    let place = this.#places.get(pool);
    if (place === undefined) {
      place = { arm: (lane) => pool.native.arm(lane) };
      this.#places.set(pool, place);
    }
    return place;
  }

  /** @internal Pending calls look at once: something of this process has changed the channel. */
  nudge(): void {
    this.node.waits.nudge(this.native);
    for (const place of this.#places.values()) this.node.waits.nudge(place);
  }

  openSender(options?: SenderOptions): SendHandle {
    return new SendHandle(this, this.#open(Role.sender, 'open a send handle'), options);
  }

  openReceiver(options?: ReceiverOptions): ReceiveHandle {
    return new ReceiveHandle(this, this.#open(Role.receiver, 'open a receive handle'), options);
  }

  /** The handle that the adopted descriptor of a lent sender brought along. */
  adoptedSender(options?: SenderOptions): SendHandle {
    return new SendHandle(this, this.native.adopted, options);
  }

  /** The handle that the adopted descriptor of a lent receiver brought along. */
  adoptedReceiver(options?: ReceiverOptions): ReceiveHandle {
    return new ReceiveHandle(this, this.native.adopted, options);
  }

  #open(role: number, what: string): number {
    const handle = this.native.openHandle(role);
    if (handle < 0) throw errorFromStatus(-handle, what);
    return handle;
  }

  lend(role: RoleName): Lent {
    const descriptor = this.native.lend(Role[role]);
    if (typeof descriptor === 'number') throw errorFromStatus(descriptor, 'lend a channel');
    return { descriptor, cancel: () => this.native.cancelLent(descriptor) };
  }

  /**
   * Whether the channel is in the state `event` now. On a channel that was destroyed every event
   * but `destroyed` throws ERR_OBJECT_DESTROYED.
   */
  tryPoll(event: PollEvent): boolean {
    const status = this.native.tryPoll(POLL[event]);
    if (status === 0) return true;
    if (status === Status.WOULD_BLOCK) return false;
    throw errorFromStatus(status, 'poll a channel');
  }

  /** True once the channel is in the state `event`, false at the deadline; blocks the thread. */
  pollSync(event: PollEvent, options?: WaitOptions): boolean {
    options?.signal?.throwIfAborted();
    const status = this.native.pollSync(POLL[event], timeoutMsOf(options));
    if (status === 0) return true;
    if (status === Status.TIMEOUT || status === Status.WOULD_BLOCK) return false;
    throw errorFromStatus(status, 'poll a channel');
  }

  /**
   * True once the channel is in the state `event`, false at the deadline. It takes nothing: others
   * may be faster than what follows.
   *
   * @example
   * import { Channel, Node, Pool } from 'dragon-runtime/core';
   * const channel = Channel.create(Pool.default());
   * const watcher = Channel.attach(Node.current(), channel.serialize());
   * const ended = watcher.poll('destroyed');
   * channel.destroy();
   * console.log(await ended); // true
   */
  poll(event: PollEvent, options?: WaitOptions): Promise<boolean> {
    return this.node.waits.wait<boolean>(
      this.native,
      POLL_LANE[event],
      () => (this.tryPoll(event) ? true : NOT_YET),
      options,
      () => false,
    );
  }

  /** What the channel is, and who is at it now. Throws ERR_OBJECT_DESTROYED, ERR_CLOSED. */
  info(): ChannelInfo {
    const status = this.native.tryPoll(POLL.empty);
    if (status !== Status.WOULD_BLOCK) check(status, 'read what a channel is');
    return this.native.info();
  }

  /**
   * Takes all messages out that wait now, frees their payloads and returns how many there were.
   * Who waits for room goes on. Throws ERR_NOT_SUPPORTED on an attachment that masquerades.
   */
  drain(): number {
    const drained = this.native.drain();
    if (drained < 0) throw errorFromStatus(-drained, 'drain a channel');
    return drained;
  }

  /** As `drain`. */
  reset(): void {
    check(this.native.reset(), 'reset a channel');
  }

  /**
   * For tests: this attachment behaves as if the channel were another node's. Peek, pop, reset,
   * drain and destroy are ERR_NOT_SUPPORTED then; other attachments are as before.
   */
  masqueradeAsRemote(isRemote: boolean): void {
    this.native.masquerade(isRemote);
  }

  get messageCount(): number {
    return this.native.messageCount;
  }

  get capacity(): number {
    return this.native.capacity;
  }

  /** Payloads up to this many bytes lie in the channel itself: what was asked for, in full 64s. */
  get blockBytes(): number {
    return this.native.blockBytes;
  }

  get senders(): number {
    return this.native.senders;
  }

  get receivers(): number {
    return this.native.receivers;
  }

  serialize(): Uint8Array {
    return this.native.serialize();
  }

  /** Ends the channel for everybody; waiting messages and their payloads are freed. */
  destroy(): void {
    check(this.native.destroy(), 'destroy a channel');
  }

  /**
   * Ends this process's attachment and what it opened through this object; pending calls are
   * rejected with ERR_CLOSED. The last close over all processes frees the channel.
   */
  close(): void {
    this.native.close();
    this.nudge();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
