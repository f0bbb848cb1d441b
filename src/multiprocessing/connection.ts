/**
 * Pipes: two connected ends through which two processes exchange messages.
 *
 * Goals: messages keep their boundaries, zero-length ones included; a reader sees the end of
 * the stream when the last writer has closed or died, a writer sees a broken pipe when the
 * last reader has; either end can be handed to another process.
 * Non-goals: no byte stream, no addresses (Listener and Client).
 */
import type { ReadableStream, WritableStream } from 'node:stream/web';
import { encode, registerHandle } from '../codec/index.ts';
import type { Lent, Message, WaitOptions } from '../core/index.ts';
import { getRuntime } from '../runtime/client/index.ts';
import {
  BufferTooShort,
  ClosedError,
  DragonError,
  EOFError,
  NotSupportedError,
} from '../runtime/errors/index.ts';
import { Closing } from './closing.ts';
import { channelWatch, Ends, type ReadEnd, valueIn, type WriteEnd } from './ends.ts';
import { readableOf, writableOf } from './streams.ts';
import { type Waitable, type Watch, waitable } from './waitable.ts';

/** What `tryRecv` found; a value of `undefined` is a legal message. */
export type TryRecvResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly value?: undefined };

const NOTHING: TryRecvResult<never> = Object.freeze({ ok: false });

/** The bytes of a view or buffer, not copied. */
function bytesOf(data: ArrayBufferView | ArrayBufferLike): Uint8Array {
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  return new Uint8Array(data);
}

/** Throws ERR_INVALID_ARGUMENT unless `value` is an integer from 0 to `limit`. */
function checkRange(what: string, value: number, limit: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= limit) return;
  throw new DragonError(`${what} must be an integer from 0 to ${limit}, not ${value}`, {
    code: 'ERR_INVALID_ARGUMENT',
  });
}

function slice(data: ArrayBufferView | ArrayBufferLike, offset = 0, length?: number): Uint8Array {
  const bytes = bytesOf(data);
  checkRange('offset', offset, bytes.byteLength);
  const left = bytes.byteLength - offset;
  checkRange('length', length ?? left, left);
  return bytes.subarray(offset, offset + (length ?? left));
}

function within(bytes: Uint8Array, max: number | undefined): Uint8Array {
  if (max === undefined || bytes.byteLength <= max) return bytes;
  const text = `recvBytes: the message has ${bytes.byteLength} bytes, more than ${max}`;
  throw new BufferTooShort(text, bytes);
}

function into(room: Uint8Array, message: Message): number {
  const { bytes } = message;
  if (bytes.byteLength > room.byteLength) {
    const text = `recvBytesInto: ${bytes.byteLength} bytes do not fit into ${room.byteLength}`;
    throw new BufferTooShort(text, bytes);
  }
  room.set(bytes);
  const length = bytes.byteLength;
  message.release();
  return length;
}

/**
 * One end of a pipe: sends messages of type `S` and receives messages of type `R`.
 *
 * Values go with `send` and `recv`, plain bytes with `sendBytes` and `recvBytes`; the two
 * ends use the same pair for the same message.
 */
export class Connection<S = unknown, R = S> implements Disposable, AsyncIterable<R>, Waitable {
  readonly #ends: Ends;
  readonly #closing = new Closing();
  #closed = false;

  /** @internal Use `pipe()`. */
  constructor(ends: unknown) {
    if (!(ends instanceof Ends)) throw new TypeError('make connections with pipe()');
    this.#ends = ends;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether this end may receive. */
  get readable(): boolean {
    return !this.#closed && this.#ends.reader !== undefined;
  }

  /** Whether this end may send. */
  get writable(): boolean {
    return !this.#closed && this.#ends.writer !== undefined;
  }

  /**
   * Sends a value and waits while the pipe is full. The value is serialised before this
   * returns. Rejects with TimeoutError after `timeout` ms, the signal's reason,
   * SerializeError, BrokenPipeError when the last reader is gone, ClosedError; then nothing
   * was sent.
   */
  async send(value: S, options?: WaitOptions): Promise<void> {
    const writer = this.#writer();
    const { parts, lent } = encode(value);
    try {
      await writer.send(parts, 0, options);
    } catch (error) {
      for (const reference of lent) reference.cancel();
      throw error;
    }
  }

  /** As `send`; blocks the thread. */
  sendSync(value: S, options?: WaitOptions): void {
    const writer = this.#writer();
    const { parts, lent } = encode(value);
    try {
      writer.sendSync(parts, 0, options);
    } catch (error) {
      for (const reference of lent) reference.cancel();
      throw error;
    }
  }

  /** Sends a value and returns true, or returns false when the pipe is full. */
  trySend(value: S): boolean {
    const writer = this.#writer();
    const { parts, lent } = encode(value);
    let sent = false;
    try {
      sent = writer.trySend(parts, 0);
    } finally {
      if (!sent) for (const reference of lent) reference.cancel();
    }
    return sent;
  }

  /**
   * Receives a value. Rejects with EOFError when nothing is left and the last writer has
   * closed or died, TimeoutError after `timeout` ms, the signal's reason, ClosedError; then
   * nothing was received.
   */
  async recv(options?: WaitOptions): Promise<R> {
    return valueIn(await this.#reader().receive(options)) as R;
  }

  /** As `recv`; blocks the thread. */
  recvSync(options?: WaitOptions): R {
    return valueIn(this.#reader().receiveSync(options)) as R;
  }

  /** Receives a value if there is one. Throws EOFError at the end. */
  tryRecv(): TryRecvResult<R> {
    const message = this.#reader().tryReceive();
    return message === undefined ? NOTHING : { ok: true, value: valueIn(message) as R };
  }

  /**
   * Sends `length` bytes (default: all that follow) of `data` from `offset` as one message.
   * Rejects as `send` does, and with ERR_INVALID_ARGUMENT outside the data.
   */
  async sendBytes(
    data: ArrayBufferView | ArrayBufferLike,
    offset?: number,
    length?: number,
    options?: WaitOptions,
  ): Promise<void> {
    await this.#writer().send([slice(data, offset, length)], 0, options);
  }

  /** As `sendBytes`; blocks the thread. */
  sendBytesSync(
    data: ArrayBufferView | ArrayBufferLike,
    offset?: number,
    length?: number,
    options?: WaitOptions,
  ): void {
    this.#writer().sendSync([slice(data, offset, length)], 0, options);
  }

  /**
   * Receives the bytes of one message. A message longer than `max` rejects with
   * BufferTooShort, which carries it. Rejects as `recv` does.
   */
  async recvBytes(max?: number, options?: WaitOptions): Promise<Uint8Array> {
    if (max !== undefined) checkRange('max', max, Number.MAX_SAFE_INTEGER);
    return within((await this.#reader().receive(options)).bytes, max);
  }

  /** As `recvBytes`; blocks the thread. */
  recvBytesSync(max?: number, options?: WaitOptions): Uint8Array {
    if (max !== undefined) checkRange('max', max, Number.MAX_SAFE_INTEGER);
    return within(this.#reader().receiveSync(options).bytes, max);
  }

  /**
   * Receives one message into `target` from `offset` and returns its length. When it does not
   * fit, rejects with BufferTooShort, which carries the message; `target` is unchanged and
   * the connection goes on.
   */
  async recvBytesInto(
    target: ArrayBufferView | ArrayBufferLike,
    offset = 0,
    options?: WaitOptions,
  ): Promise<number> {
    const room = slice(target, offset);
    return into(room, await this.#reader().receive(options));
  }

  /** As `recvBytesInto`; blocks the thread. */
  recvBytesIntoSync(
    target: ArrayBufferView | ArrayBufferLike,
    offset = 0,
    options?: WaitOptions,
  ): number {
    const room = slice(target, offset);
    return into(room, this.#reader().receiveSync(options));
  }

  /**
   * Whether a message, or the end of the stream, can be received; waits for one up to
   * `timeout` ms (default 0) and takes nothing.
   */
  async poll(options: WaitOptions = { timeout: 0 }): Promise<boolean> {
    const channel = this.#reader().channel;
    const signal = this.#closing.link(options.signal);
    return await channel.poll('in', { ...options, signal });
  }

  /** As `poll`; blocks the thread. */
  pollSync(options: WaitOptions = { timeout: 0 }): boolean {
    return this.#reader().channel.pollSync('in', options);
  }

  /**
   * Ends this process's use of this end. Calls that wait are rejected with ClosedError.
   * Closing again does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closing.close(new ClosedError('the connection was closed in this process'));
    this.#ends.close('the connection was closed in this process');
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Receives values until the end of the stream, or until this end is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<R, void, undefined> {
    while (!this.#closed) {
      let value: R;
      try {
        value = await this.recv();
      } catch (error) {
        if (error instanceof EOFError || error instanceof ClosedError) return;
        throw error;
      }
      yield value;
    }
  }

  /** A stream of the messages, which are received as they are read; it ends as `for await` does. */
  readableStream(): ReadableStream<R> {
    this.#reader();
    return readableOf(
      (options) => this.recv(options),
      (error) => error instanceof EOFError || error instanceof ClosedError,
    );
  }

  /** A stream that sends what is written to it, and waits while the pipe is full. */
  writableStream(): WritableStream<S> {
    this.#writer();
    return writableOf((value, options) => this.send(value, options));
  }

  #writer(): WriteEnd {
    if (this.#closed) throw new ClosedError('the connection was closed in this process');
    if (this.#ends.writer === undefined)
      throw new NotSupportedError('this end of the pipe only receives');
    return this.#ends.writer;
  }

  #reader(): ReadEnd {
    if (this.#closed) throw new ClosedError('the connection was closed in this process');
    if (this.#ends.reader === undefined)
      throw new NotSupportedError('this end of the pipe only sends');
    return this.#ends.reader;
  }

  /** For `wait`: a connection is ready when a message or the end of the stream can be received. */
  [waitable](): Watch {
    return channelWatch(this.#reader().channel);
  }

  /** @internal The ends, for those in this folder that move bytes themselves. */
  static ends(connection: Connection): Ends {
    return connection.#ends;
  }

  /** @internal What passing a connection to another process sends. */
  static lend(connection: Connection): Lent {
    if (connection.#closed) throw new ClosedError("a closed connection can't be sent");
    return connection.#ends.lend();
  }

  /** @internal */
  static revive(descriptor: Uint8Array): Connection {
    return new Connection(Ends.revive(getRuntime().node, descriptor));
  }
}

registerHandle(Connection, {
  kind: 'connection',
  lend: Connection.lend,
  revive: Connection.revive,
});

/** The receiving end of a one-way pipe. */
export type ConnectionReader<T> = Connection<never, T>;
/** The sending end of a one-way pipe. */
export type ConnectionWriter<T> = Connection<T, never>;
