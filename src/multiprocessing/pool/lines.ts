/**
 * The channels between a pool and its workers.
 *
 * Goals: what leaves together costs one call into the core, and few wakes. A worker takes chunks
 * out of its channel one by one when it begins them, and reports each as soon as it has ended it,
 * so that after its death the channels tell exactly what it had in hand. Reports wake nobody: a
 * bell does, which the worker rings when it runs dry, or before it begins what may take long.
 * Non-goals: which worker gets what.
 */
import {
  Channel,
  Event,
  type Message,
  type ReceiveHandle,
  type SendHandle,
} from '../../core/index.ts';
import { getRuntime } from '../../runtime/client/index.ts';
import { DragonError, EOFError } from '../../runtime/errors/index.ts';
import { Connection, type ConnectionReader, type ConnectionWriter } from '../connection.ts';
import { Ends, ReadEnd, WriteEnd } from '../ends.ts';
import { bodyIn, HEADER_BYTES, makeRoom, type Room, roomOf, word, writeHeader } from './frames.ts';
import { CREDIT_MAX } from './scheduler.ts';

/** Reports that wait for the pool before workers have to wait. */
const REPORTS = 1024;
/** Frames up to this length travel together. */
const SMALL_BYTES = 8192;
const BATCH_BYTES = 64 * 1024;
const INBOX_BYTES = 64 * 1024;
const INBOX_FRAMES = 256;

function isTooLong(error: unknown): boolean {
  return DragonError.is(error) && error.code === 'ERR_BUFFER_TOO_SHORT';
}

/** A channel of this process and a connection through which one of its ends travels. */
function channelOf(capacity: number): { channel: Channel; other: Channel } {
  const channel = Channel.create(getRuntime().pool, { capacity, endOfStream: true });
  return { channel, other: Channel.attach(channel.node, channel.serialize()) };
}

/** The channel behind a connection that arrived as an argument. */
export function readerOf(connection: ConnectionReader<never>): ReceiveHandle {
  return (Connection.ends(connection).reader as ReadEnd).channel.openReceiver();
}

export function writerOf(connection: ConnectionWriter<never>): SendHandle {
  return (Connection.ends(connection).writer as WriteEnd).channel.openSender();
}

interface Unsent {
  readonly id: number;
  readonly frame: Uint8Array;
}

/** The pool's end of the channel through which one worker gets its chunks. */
export class ChunkLine {
  /** What the worker gets: the end that it reads. */
  readonly reading: ConnectionReader<never>;
  readonly #channel: Channel;
  readonly #sender: SendHandle;
  readonly #back: ReceiveHandle;
  readonly #room: Room = makeRoom(BATCH_BYTES);
  readonly #lengths = new Uint32Array(CREDIT_MAX);
  readonly #header: Room = makeRoom(HEADER_BYTES);
  #count = 0;
  #used = 0;
  /** What found no room in memory and waits for it here. */
  #unsent: Unsent[] = [];

  constructor() {
    const { channel, other } = channelOf(CREDIT_MAX);
    this.#channel = channel;
    this.#sender = channel.openSender();
    this.#back = channel.openReceiver();
    this.reading = new Connection(new Ends(undefined, new ReadEnd(other.openReceiver())));
  }

  /** Chunks that are neither in the channel nor with the worker. */
  get waitsForMemory(): boolean {
    return this.#unsent.length > 0;
  }

  /** Adds a chunk to those that leave at the next `flush`; a long one leaves at once. */
  put(id: number, call: number, flags: number, parts: readonly Uint8Array[]): void {
    const [body] = parts;
    if (parts.length === 1 && body !== undefined && body.length <= SMALL_BYTES) {
      const length = HEADER_BYTES + body.length;
      const isFull = this.#count === this.#lengths.length || this.#used + length > BATCH_BYTES;
      if (isFull) this.flush();
      writeHeader(this.#room, this.#used, id, call, flags, 0);
      this.#room.bytes.set(body, this.#used + HEADER_BYTES);
      this.#lengths[this.#count++] = length;
      this.#used += length;
      return;
    }
    writeHeader(this.#header, 0, id, call, flags, 0);
    const frame = [this.#header.bytes, ...parts];
    if (this.#unsent.length === 0 && this.#sender.trySend(frame)) return;
    this.#unsent.push({ id, frame: Buffer.concat(frame) });
  }

  /** Sends what was put. */
  flush(): void {
    if (this.#count === 0) return;
    const lengths = this.#lengths.subarray(0, this.#count);
    const { bytes } = this.#room;
    const isFree = this.#unsent.length === 0;
    const sent = isFree ? this.#sender.trySendPacked(bytes, lengths) : 0;
    let at = 0;
    for (const [i, length] of lengths.entries()) {
      if (i >= sent) {
        const frame = bytes.slice(at, at + length);
        this.#unsent.push({ id: word(this.#room, at, 0), frame });
      }
      at += length;
    }
    this.#count = 0;
    this.#used = 0;
  }

  /** Tries again to send what found no room. */
  retry(): void {
    const { length } = this.#unsent;
    let sent = 0;
    while (sent < length && this.#sender.trySend((this.#unsent[sent] as Unsent).frame)) sent++;
    if (sent > 0) this.#unsent = this.#unsent.slice(sent);
  }

  /** Takes a chunk back that the worker has not begun: its id. */
  takeBack(): number | undefined {
    this.flush();
    const unsent = this.#unsent.shift();
    if (unsent !== undefined) return unsent.id;
    try {
      const message = this.#back.tryReceive();
      if (message === undefined) return undefined;
      const id = word(roomOf(message.bytes), 0, 0);
      message.release();
      return id;
    } catch (error) {
      if (error instanceof EOFError) return undefined;
      throw error;
    }
  }

  /** The worker ends when it has run what is in the channel. */
  end(): void {
    this.#sender.close();
  }

  close(): void {
    this.#sender.close();
    this.#back.close();
    this.#channel.close();
    this.reading.close();
  }
}

/** Called with a report; its bytes are somebody else's afterwards. */
export type OnReport = (header: Room, at: number, body: Uint8Array, message?: Message) => void;

interface Frames {
  readonly room: Room;
  readonly lengths: Uint32Array;
}

function makeFrames(): Frames {
  return { room: makeRoom(INBOX_BYTES), lengths: new Uint32Array(INBOX_FRAMES) };
}

/** Where a pool takes in the reports of all its workers. */
export class Inbox {
  /** What workers get: the end that they write, and the bell. */
  readonly writing: ConnectionWriter<never>;
  readonly bell: Uint8Array;
  readonly #channel: Channel;
  readonly #receiver: ReceiveHandle;
  readonly #bell: Event;
  /** None while its frames are being read: who drains in between takes another one. */
  #frames: Frames | undefined;

  constructor() {
    const { channel, other } = channelOf(REPORTS);
    this.#channel = channel;
    this.#receiver = channel.openReceiver();
    this.writing = new Connection(new Ends(new WriteEnd(other.openSender()), undefined));
    this.#bell = Event.create(getRuntime().pool);
    this.bell = this.#bell.serialize();
  }

  /** Waits for the bell; keeps no program alive. Rejects when the inbox is closed. */
  async rung(): Promise<void> {
    await this.#bell.wait({ ref: false });
    this.#bell.clear();
  }

  /** As `rung`, up to so many ms; blocks the thread. */
  rungSync(timeoutMs: number): void {
    if (this.#bell.waitSync({ timeout: timeoutMs })) this.#bell.clear();
  }

  /** Takes in what has come: the number of reports. */
  drain(take: OnReport): number {
    let total = 0;
    for (;;) {
      const count = this.#batch(take);
      if (count === 0) return total;
      total += count;
    }
  }

  close(): void {
    this.#receiver.close();
    this.#channel.close();
    this.writing.close();
    this.#bell.close();
  }

  #batch(take: OnReport): number {
    const frames = this.#frames ?? makeFrames();
    const { room, lengths } = frames;
    this.#frames = undefined;
    let count: number;
    try {
      count = this.#receiver.receivePacked(room.bytes, lengths);
    } catch (error) {
      if (isTooLong(error)) return this.#long(take);
      throw error;
    }
    let at = 0;
    for (let i = 0; i < count; i++) {
      const length = lengths[i] as number;
      take(room, at, room.bytes.subarray(at + HEADER_BYTES, at + length));
      at += length;
    }
    this.#frames = frames;
    return count;
  }

  #long(take: OnReport): number {
    const message = this.#receiver.tryReceive();
    if (message === undefined) return 0;
    try {
      take(roomOf(message.bytes), 0, message.bytes.subarray(HEADER_BYTES), message);
    } finally {
      message.release();
    }
    return 1;
  }
}

/** Where a worker gets its chunks. */
export class ChunkInbox {
  readonly #receiver: ReceiveHandle;
  readonly #room: Room = makeRoom(INBOX_BYTES);
  /** What the last chunk lies in, if it was too long for the room. */
  #long: Message | undefined;

  constructor(receiver: ReceiveHandle) {
    this.#receiver = receiver;
  }

  /** The next chunk, which lies there until the one after it is asked for. Throws EOFError. */
  tryNext(): Uint8Array | undefined {
    return this.#next(() => this.#receiver.tryReceiveInto(this.#room.bytes));
  }

  /** As `tryNext`; blocks the thread for up to so many ms. */
  nextSync(timeoutMs: number): Uint8Array | undefined {
    return this.#next(() => this.#receiver.receiveIntoSync(this.#room.bytes, timeoutMs));
  }

  /** The value in the chunk that was asked for last; its bytes are not there any more. */
  valueIn(chunk: Uint8Array): unknown {
    const message = this.#long;
    this.#long = undefined;
    return bodyIn(chunk.subarray(HEADER_BYTES), message);
  }

  /** Waits in the event loop until there may be a chunk. */
  async ready(): Promise<void> {
    await this.#receiver.channel.poll('in');
  }

  #next(receive: () => number): Uint8Array | undefined {
    try {
      const length = receive();
      return length < 0 ? undefined : this.#room.bytes.subarray(0, length);
    } catch (error) {
      if (!isTooLong(error)) throw error;
      this.#long = this.#receiver.tryReceive();
      return this.#long?.bytes;
    }
  }
}
