/**
 * The data path between a channel's handles and the addon.
 *
 * Goals: few native calls, and none that makes an object; results are numbers, in the result or
 * in words of memory that both sides see. One per attachment, since JavaScript runs one call at a
 * time. Non-goals: waiting in the event loop, and errors: those are the handles'.
 */
import { Status } from '../runtime/errors/codes.ts';
import { Countdown } from './countdown.ts';
import { ZERO_COPY_BYTES } from './message.ts';
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
/** Messages that are longer share their memory with others, up to this length. */
const SHARED_BYTES = 512;
const SLAB_BYTES = 16 * 1024;
/** Room for the messages of one `receiveMany`; longer ones are received by themselves. */
const BATCH_BYTES = 64 * 1024;
const BATCH_MESSAGES = 256;

/** The engine keeps arrays of up to this length in its heap, and moves them out for an addon. */
const IN_HEAP_BYTES = 64;
const small = new ArrayBuffer(IN_HEAP_BYTES);
const smallViews: Uint8Array[] = [];

/** The bytes where an addon finds them at once; valid until the next call. */
function outOfHeap(bytes: Uint8Array): Uint8Array {
  const length = bytes.byteLength;
  if (length > IN_HEAP_BYTES) return bytes;
  smallViews[length] ??= new Uint8Array(small, 0, length);
  smallViews[length].set(bytes);
  return smallViews[length];
}

/** Messages that were received together. */
interface Batch {
  readonly payloads: Uint8Array[];
  readonly hints: number[];
  readonly readOnly: boolean[];
}

export interface ReceivedBatch extends Batch {
  /** Why there are none; 0 when there are. */
  readonly status: number;
}

export class Line {
  readonly #addon: NativeBinding = loadAddon();
  readonly #words = new Float64Array(PORT_WORDS);
  /**
   * Where messages arrive, and behind that those that have: each view keeps all of it. An idle
   * attachment has the first part only.
   */
  #slab = new Uint8Array(ROOM_BYTES);
  #room = this.#slab;
  #slabUsed = SLAB_BYTES;
  readonly #port: NativePort;
  /** What ended a batch that had messages, for the next receive to tell. */
  #untold = 0;
  #batch: ReturnType<typeof newBatch> | undefined;

  constructor(native: NativeChannel) {
    this.#port = native.port(this.#words);
  }

  /** Hints of the message that was received last. */
  get hints(): number {
    return this.#words[PortWord.hints] as number;
  }

  /** Whether the payload of the message that was received last stays its sender's. */
  get readOnly(): boolean {
    return this.#words[PortWord.readOnly] !== 0;
  }

  /** Why the last batch was not longer. */
  get status(): number {
    return this.#words[PortWord.status] as number;
  }

  /** Length of the message that did not fit. */
  get neededBytes(): number {
    return this.#words[PortWord.bytes] as number;
  }

  send(parts: Uint8Array | Uint8Array[], hints: number, timeoutMs: number, how: number): number {
    const only = parts instanceof Uint8Array ? parts : parts.length === 1 ? parts[0] : undefined;
    const bytes = only === undefined ? parts : outOfHeap(only);
    return -this.#addon.send(this.#port, bytes, hints, timeoutMs, how);
  }

  /** Tries to send the `length` bytes from `offset` on, which are outside of the engine's heap. */
  sendAt(bytes: Uint8Array, offset: number, length: number): number {
    return -this.#addon.sendAt(this.#port, bytes, offset, length);
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

  /** A payload, or the status for which there is none. `tasks` counts it as in hand. */
  receive(timeoutMs: number, waitMode: number, tasks?: NativePort): Uint8Array | number {
    const result = this.receiveHere(timeoutMs, waitMode, tasks);
    if (typeof result !== 'number') return result;
    return result >= 0 ? this.#arrived(result) : -result;
  }

  /** The length of the message that lies in `room` now, or a longer one, or minus a status. */
  receiveHere(timeoutMs: number, waitMode: number, tasks?: NativePort): Uint8Array | number {
    if (this.#untold !== 0) return -this.#tell();
    return this.#addon.receive(this.#port, this.#room, timeoutMs, waitMode, tasks);
  }

  /** Where `receiveHere` has put a message, until the next receive. */
  get room(): Uint8Array {
    return this.#room;
  }

  /** The message of this length that lies in the room, in a place of its own. */
  #arrived(length: number): Uint8Array {
    // So few bytes lie in the heap of JavaScript, which is the cheapest place.
    if (length <= IN_HEAP_BYTES || length > SHARED_BYTES) return this.#room.slice(0, length);
    if (this.#slabUsed + length > SLAB_BYTES) {
      const next = new Uint8Array(SLAB_BYTES);
      next.set(this.#room);
      this.#slab = next;
      this.#room = new Uint8Array(next.buffer, 0, ROOM_BYTES);
      this.#slabUsed = ROOM_BYTES;
    }
    const at = this.#slabUsed;
    this.#slab.copyWithin(at, 0, length);
    this.#slabUsed = (at + length + 7) & ~7;
    return new Uint8Array(this.#slab.buffer, at, length);
  }

  /** The length of the message that lies in `room` now, or minus a status. */
  receiveInto(room: Uint8Array, timeoutMs: number, waitMode: number): number {
    if (this.#untold !== 0) return -this.#tell();
    return this.#addon.receiveInto(this.#port, room, timeoutMs, waitMode);
  }

  /** How many messages were laid into `bytes`, or minus the status for which there are none. */
  receivePacked(
    bytes: Uint8Array,
    lengths: Uint32Array,
    hints: Float64Array,
    timeoutMs: number,
    waitMode: number,
    most?: number,
    flags?: Uint8Array,
  ): number {
    if (this.#untold !== 0) return -this.#tell();
    const count = this.#addon.receivePacked(
      this.#port,
      bytes,
      lengths,
      hints,
      timeoutMs,
      waitMode,
      most,
      flags,
    );
    const status = this.status;
    if (count === 0 && status !== 0) return -status;
    // A message whose payload was gone: it was taken, and somebody has to hear of it.
    if (count > 0 && status === Status.OBJECT_DESTROYED) this.#untold = status;
    return count;
  }

  #tell(): number {
    const status = this.#untold;
    this.#untold = 0;
    return status;
  }

  /** Up to `max` messages; waits for the first only. */
  receiveMany(max: number, timeoutMs: number, waitMode: number): ReceivedBatch {
    const batch = {
      payloads: [] as Uint8Array[],
      hints: [] as number[],
      readOnly: [] as boolean[],
    };
    if (this.#untold !== 0) return { ...batch, status: this.#tell() };
    const deadline = timeoutMs > 0 ? new Countdown(timeoutMs) : undefined;
    const wanted = Math.min(max, BATCH_MESSAGES);
    let status = 0;
    while (batch.payloads.length < wanted) {
      const isFirst = batch.payloads.length === 0;
      const patienceMs = isFirst ? (deadline?.leftMs() ?? timeoutMs) : 0;
      status = this.#receiveSmall(batch, wanted - batch.payloads.length, patienceMs, waitMode);
      if (status !== Status.BUFFER_TOO_SHORT) break;
      if (this.neededBytes < ZERO_COPY_BYTES) continue;
      // A large one is not copied. Another receiver may have been faster.
      const large = this.receive(0, waitMode);
      if (typeof large !== 'number') {
        batch.payloads.push(large);
        batch.hints.push(this.hints);
        batch.readOnly.push(this.readOnly);
      } else if (large !== Status.EMPTY) {
        status = large;
        if (large === Status.OBJECT_DESTROYED && batch.payloads.length > 0) this.#untold = large;
        break;
      }
    }
    return { ...batch, status: batch.payloads.length > 0 ? 0 : status };
  }

  /** Adds messages that are not large; why there are no more. */
  #receiveSmall(batch: Batch, most: number, timeoutMs: number, waitMode: number): number {
    this.#batch ??= newBatch();
    const { bytes, lengths, hints, flags } = this.#batch;
    const count = this.receivePacked(
      bytes,
      most < lengths.length ? lengths.subarray(0, most) : lengths,
      hints,
      timeoutMs,
      waitMode,
      ZERO_COPY_BYTES - 1,
      flags,
    );
    if (count < 0) return -count;
    // One copy for all: each view of it is made here, and cheaper than one that the addon makes.
    let total = 0;
    for (let i = 0; i < count; i++) total += lengths[i] as number;
    const { buffer } = bytes.slice(0, total);
    let at = 0;
    for (let i = 0; i < count; i++) {
      const length = lengths[i] as number;
      batch.payloads.push(new Uint8Array(buffer, at, length));
      batch.hints.push(hints[i] as number);
      batch.readOnly.push(flags[i] !== 0);
      at += length;
    }
    return this.status;
  }
}

function newBatch() {
  return {
    bytes: new Uint8Array(BATCH_BYTES),
    lengths: new Uint32Array(BATCH_MESSAGES),
    hints: new Float64Array(BATCH_MESSAGES),
    flags: new Uint8Array(BATCH_MESSAGES),
  };
}
