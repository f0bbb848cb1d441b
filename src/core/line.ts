/**
 * The data path between a channel's handles and the addon.
 *
 * Goals: few native calls, and none that makes an object; results are numbers, in the result or
 * in words of memory that both sides see. One per attachment, since JavaScript runs one call at a
 * time. Non-goals: waiting in the event loop, and errors: those are the handles'.
 */
import { Status } from '../runtime/errors/codes.ts';
import {
  loadAddon,
  type NativeBinding,
  type NativeChannel,
  type NativePort,
  PORT_WORDS,
  PortWord,
} from './native.ts';

/** Payloads up to this length are copied once more, since a view made here is cheaper. */
const ROOM_BYTES = 1024;
/** Room for the messages of one `receiveMany`, if their blocks are not larger. */
const BATCH_BYTES = 64 * 1024;
const BATCH_MESSAGES = 256;

/** Messages that were received together. */
export interface Batch {
  readonly payloads: Uint8Array[];
  readonly hints: number[];
  /** Why there are none; 0 when there are. */
  readonly status: number;
}

export class Line {
  readonly #addon: NativeBinding = loadAddon();
  readonly #words = new Float64Array(PORT_WORDS);
  readonly #room = new Uint8Array(ROOM_BYTES);
  readonly #port: NativePort;
  readonly #blockBytes: number;
  /** A payload that was received and had no room in its batch. */
  #held: Uint8Array | undefined;
  #batch: { bytes: Uint8Array; lengths: Uint32Array; hints: Float64Array } | undefined;

  constructor(native: NativeChannel) {
    this.#port = native.port(this.#words);
    this.#blockBytes = native.blockBytes;
  }

  /** Hints of the message that was received last. */
  get hints(): number {
    return this.#words[PortWord.hints] as number;
  }

  /** Why the last batch was not longer. */
  get status(): number {
    return this.#words[PortWord.status] as number;
  }

  send(parts: Uint8Array | Uint8Array[], hints: number, timeoutMs: number): number {
    return -this.#addon.send(this.#port, parts, hints, timeoutMs);
  }

  sendMany(list: readonly Uint8Array[], first: number, hints: number, timeoutMs: number): number {
    return this.#addon.sendMany(this.#port, list, first, hints, timeoutMs);
  }

  sendPacked(
    bytes: Uint8Array,
    lengths: Uint32Array,
    first: number,
    hints: number,
    timeoutMs: number,
  ): number {
    return this.#addon.sendPacked(this.#port, bytes, lengths, first, hints, timeoutMs);
  }

  /** A payload, or the status for which there is none. */
  receive(timeoutMs: number): Uint8Array | number {
    const result = this.receiveInto(this.#room, timeoutMs);
    if (typeof result !== 'number') return result;
    return result >= 0 ? this.#room.slice(0, result) : -result;
  }

  /** The length of the payload in `room`, the payload where that is too short, minus a status. */
  receiveInto(room: Uint8Array, timeoutMs: number): number | Uint8Array {
    if (this.#held !== undefined) return this.#takeHeld();
    return this.#addon.receive(this.#port, room, timeoutMs);
  }

  /** How many messages were laid into `bytes`, or minus a status. */
  receivePacked(
    bytes: Uint8Array,
    lengths: Uint32Array,
    hints: Float64Array,
    timeoutMs: number,
  ): number {
    if (this.#held !== undefined) return 0;
    const count = this.#addon.receivePacked(this.#port, bytes, lengths, hints, timeoutMs);
    if (count < 0) return count;
    const status = this.status;
    if (status === Status.BUFFER_TOO_SHORT) {
      const held = this.#addon.receiveHeld(this.#port);
      if (typeof held !== 'number') this.#held = held;
    } else if (count === 0 && status !== 0) {
      return -status;
    }
    return count;
  }

  #takeHeld(): Uint8Array {
    const held = this.#held as Uint8Array;
    this.#held = undefined;
    return held;
  }

  /** Up to `max` messages; waits for the first only. */
  receiveMany(max: number, timeoutMs: number): Batch {
    const payloads: Uint8Array[] = [];
    const found: number[] = [];
    if (this.#held !== undefined) {
      payloads.push(this.#takeHeld());
      found.push(this.hints);
      return { payloads, hints: found, status: 0 };
    }
    this.#batch ??= this.#newBatch();
    const { bytes, lengths, hints } = this.#batch;
    const wanted = max < lengths.length ? lengths.subarray(0, max) : lengths;
    const count = this.receivePacked(bytes, wanted, hints, timeoutMs);
    if (count < 0) return { payloads, hints: found, status: -count };
    // One copy for all: each view of it is made here, and cheaper than one that the addon makes.
    let total = 0;
    for (let i = 0; i < count; i++) total += lengths[i] as number;
    const buffer = bytes.slice(0, total).buffer;
    let at = 0;
    for (let i = 0; i < count; i++) {
      const length = lengths[i] as number;
      payloads.push(new Uint8Array(buffer, at, length));
      found.push(hints[i] as number);
      at += length;
    }
    if (this.#held !== undefined && count < max) {
      payloads.push(this.#takeHeld());
      found.push(this.hints);
    }
    return { payloads, hints: found, status: 0 };
  }

  #newBatch() {
    const room = Math.max(BATCH_BYTES, 4 * this.#blockBytes);
    return {
      bytes: new Uint8Array(room),
      lengths: new Uint32Array(BATCH_MESSAGES),
      hints: new Float64Array(BATCH_MESSAGES),
    };
  }
}
