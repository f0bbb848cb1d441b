/**
 * Writes control messages to a channel in their order, and never makes the writer wait.
 *
 * Goals: a full channel delays only what goes to it; services go on and keep the backlog.
 * The backlog is bounded by what its reader has asked for, since services only answer.
 * Non-goals: no retry when the channel is gone; its reader has ended then.
 */
import type { Channel, SendHandle } from '../../core/index.ts';
import { encodeMessage, type Message } from '../messages/index.ts';

export class Outbox {
  readonly #sender: SendHandle;
  readonly #failed: (error: unknown) => void;
  readonly #backlog: Uint8Array[][] = [];
  readonly #stop = new AbortController();

  /** `failed` hears once that the channel can't be written any more. */
  constructor(channel: Channel, failed: (error: unknown) => void) {
    this.#sender = channel.openSender();
    this.#failed = failed;
  }

  send(message: Message) {
    if (this.#stop.signal.aborted) return;
    const parts = encodeMessage(message);
    try {
      if (this.#backlog.length === 0 && this.#sender.trySend(parts)) return;
    } catch (error) {
      return this.#fail(error);
    }
    this.#backlog.push(parts);
    if (this.#backlog.length === 1) void this.#work();
  }

  get backlog(): number {
    return this.#backlog.length;
  }

  close(): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#backlog.length = 0;
    this.#sender.close();
  }

  async #work(): Promise<void> {
    const { signal } = this.#stop;
    try {
      for (;;) {
        const parts = this.#backlog[0];
        if (parts === undefined) return;
        await this.#sender.send(parts, { signal });
        this.#backlog.shift();
      }
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.close();
    this.#failed(error);
  }
}
