/**
 * The receiving end of a channel.
 *
 * Goals: each message is received once, in the order of its sender; one whose receive timed out
 * or was aborted stays in the channel. Large payloads are not copied (`message.ts`).
 */
import { Status } from '../runtime/errors/codes.ts';
import { errorFromStatus } from '../runtime/errors/index.ts';
import type { Channel } from './channel.ts';
import { Message } from './message.ts';
import type { NativeChannel } from './native.ts';
import { Lane, NOT_YET, timeoutMsOf, type WaitOptions } from './wait.ts';

const EMPTY = Status.EMPTY;
const TIMED_OUT = Status.TIMEOUT;

export class ReceiveHandle {
  readonly channel: Channel;
  readonly #native: NativeChannel;
  readonly #handle: number;
  #closed = false;

  constructor(channel: Channel, handle: number) {
    this.channel = channel;
    this.#native = channel.native;
    this.#handle = handle;
  }

  /** The next message, or undefined when there is none. Throws ERR_EOF at the end. */
  tryReceive(): Message | undefined {
    this.#alive('receive');
    return this.#message(this.#native.tryReceive(), 'receive');
  }

  /** A copy of the next message, which stays in the channel. */
  tryPeek(): Message | undefined {
    this.#alive('peek');
    return this.#message(this.#native.tryPeek(), 'peek');
  }

  receiveSync(options?: WaitOptions): Message {
    this.#alive('receive');
    options?.signal?.throwIfAborted();
    const result = this.#native.receiveSync(timeoutMsOf(options));
    const message = this.#message(result, 'receive');
    if (message === undefined) throw errorFromStatus(TIMED_OUT, 'receive');
    return message;
  }

  receive(options?: WaitOptions): Promise<Message> {
    return this.channel.node.waits.wait<Message>(
      this.#native,
      Lane.receive,
      () => this.tryReceive() ?? NOT_YET,
      options,
      () => {
        throw errorFromStatus(TIMED_OUT, 'receive');
      },
    );
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#native.closeHandle(this.#handle);
    this.channel.node.waits.nudge(this.#native);
  }

  get closed(): boolean {
    return this.#closed;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #alive(what: string): void {
    if (this.#closed) throw errorFromStatus(Status.CLOSED, what);
  }

  #message(result: Uint8Array | number, what: string): Message | undefined {
    if (typeof result !== 'number') {
      return new Message(this.channel.node, result, this.#native.lastHints);
    }
    if (result === EMPTY || result === TIMED_OUT) return undefined;
    throw errorFromStatus(result, what);
  }
}
