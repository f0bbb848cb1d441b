/**
 * The channels that answers go to: one for each client that has asked something.
 *
 * Goals: a client's channel is attached once and let go when the client has ended.
 * Non-goals: an answer to a client that is gone is dropped without a word, since a client may
 * end at any time.
 */
import { Channel, type Node } from '../../core/index.ts';
import type { Reply, Sender } from '../messages/index.ts';
import { Outbox } from './outbox.ts';

interface Entry {
  readonly channel: Channel;
  readonly outbox: Outbox;
  readonly actor: number;
}

export class ReplyChannels {
  readonly #node: Node;
  readonly #entries = new Map<string, Entry>();
  readonly #dropped: (error: unknown) => void;

  /** `dropped` hears why a client can't be answered. */
  constructor(node: Node, dropped: (error: unknown) => void) {
    this.#node = node;
    this.#dropped = dropped;
  }

  send(to: Sender, message: Reply): void {
    const key = Buffer.from(to.replyTo).toString('latin1');
    try {
      const entry = this.#entries.get(key) ?? this.#attach(key, to);
      entry.outbox.send(message);
    } catch (error) {
      this.#dropped(error);
    }
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Lets go of the channels of an actor that has ended. */
  actorEnded(actor: number): void {
    for (const [key, entry] of this.#entries) {
      if (entry.actor === actor) this.#drop(key);
    }
  }

  close(): void {
    for (const key of [...this.#entries.keys()]) this.#drop(key);
  }

  #attach(key: string, { replyTo, actor }: Sender): Entry {
    const channel = Channel.attach(this.#node, replyTo);
    const outbox = new Outbox(channel, (error) => {
      this.#drop(key);
      this.#dropped(error);
    });
    const entry = { channel, outbox, actor };
    this.#entries.set(key, entry);
    return entry;
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    entry.outbox.close();
    entry.channel.close();
  }
}
