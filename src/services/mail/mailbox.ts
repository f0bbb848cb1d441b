/**
 * Reads control messages from a channel, on the event loop and in their order.
 *
 * Goals: other work of the loop gets its turn however many messages come; `drain` hands on
 * what is there now, so that what a process sent before its end is seen before its end.
 * Non-goals: nothing is answered here.
 */
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import type { Channel, ReceiveHandle } from '../../core/index.ts';
import { decodeMessage, InvalidMessage, type Message } from '../messages/index.ts';

/** Messages that are handed on before other work of the event loop gets its turn. */
const TURN_MESSAGES = 64;

export interface MailboxHandlers {
  message(message: Message): void;
  unreadable(error: InvalidMessage): void;
  /** The channel can't be read any more; the mailbox has stopped. */
  failed(error: unknown): void;
}

export class Mailbox {
  readonly #channel: Channel;
  readonly #receiver: ReceiveHandle;
  readonly #handlers: MailboxHandlers;
  readonly #stop = new AbortController();

  constructor(channel: Channel, handlers: MailboxHandlers) {
    this.#channel = channel;
    this.#receiver = channel.openReceiver();
    this.#handlers = handlers;
    void this.#run();
  }

  /** Hands on what waits in the channel, at most `limit` messages; tells how many it was. */
  drain(limit = Number.POSITIVE_INFINITY): number {
    let count = 0;
    while (count < limit && !this.#stop.signal.aborted) {
      const received = this.#receiver.tryReceive();
      if (received === undefined) break;
      count += 1;
      this.#handOn(received.bytes);
    }
    return count;
  }

  /** Ends the reading; what waits in the channel stays there. */
  close(): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#receiver.close();
  }

  #handOn(bytes: Uint8Array) {
    let message: Message;
    try {
      message = decodeMessage(bytes);
    } catch (error) {
      if (!(error instanceof InvalidMessage)) throw error;
      return this.#handlers.unreadable(error);
    }
    this.#handlers.message(message);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    try {
      while (!signal.aborted) {
        await this.#channel.poll('in', { signal });
        if (this.drain(TURN_MESSAGES) === TURN_MESSAGES) await turnOfLoop();
      }
    } catch (error) {
      if (signal.aborted) return;
      this.close();
      this.#handlers.failed(error);
    }
  }
}
