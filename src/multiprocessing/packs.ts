/**
 * Messages that travel together: one behind the other, in one call into the addon.
 *
 * Goals: the order of the items; each item is serialised when it is taken from the iterable, which
 * is asked for no more than a pack's items before they are sent; what fails at an item fails after
 * those before it were sent.
 * Non-goals: long messages, and those that lend something: they go by themselves.
 */
import { decodeFrom, type Encoded, encodeHere, here } from '../codec/index.ts';
import type { Packed, ReadEnd, WriteEnd } from './ends.ts';
import { withDone } from './queue-errors.ts';

const PACK_BYTES = 64 * 1024;
const PACK_MESSAGES = 256;
/** Longer messages gain nothing from going together. */
const PACKED_BYTES_MAX = 4096;
/** Up to this length a loop beats a call into native code. */
const LOOP_BYTES_MAX = 16;

const idle: Pack[] = [];

class Pack {
  readonly bytes = new Uint8Array(PACK_BYTES);
  readonly #lengths = new Uint32Array(PACK_MESSAGES);
  #count = 0;
  #used = 0;

  /** A pack that nobody else uses, until it is given back. */
  static take(): Pack {
    const pack = idle.pop() ?? new Pack();
    pack.clear();
    return pack;
  }

  giveBack(): void {
    idle.push(this);
  }

  clear(): void {
    this.#count = 0;
    this.#used = 0;
  }

  get count(): number {
    return this.#count;
  }

  /** Of the messages that are in it. */
  get lengths(): Uint32Array {
    return this.#count === PACK_MESSAGES ? this.#lengths : this.#lengths.subarray(0, this.#count);
  }

  /** Room for so many messages that are to be received, or fewer. */
  emptied(most: number): Pack {
    this.#count = Math.min(most, PACK_MESSAGES);
    return this;
  }

  /** Whether there may be no room for one more message. */
  get full(): boolean {
    return this.#count === PACK_MESSAGES || this.#used + PACKED_BYTES_MAX > PACK_BYTES;
  }

  /** Adds the message that `encodeHere` has left. */
  add(): void {
    const { bytes, offset, length } = here;
    const at = this.#used;
    if (length <= LOOP_BYTES_MAX) {
      for (let i = 0; i < length; i++) this.bytes[at + i] = bytes[offset + i] as number;
    } else {
      this.bytes.set(new Uint8Array(bytes.buffer, bytes.byteOffset + offset, length), at);
    }
    this.#lengths[this.#count++] = length;
    this.#used = at + length;
  }

  /** A copy of the message with this number. */
  message(number: number): Encoded {
    let at = 0;
    for (let i = 0; i < number; i++) at += this.#lengths[i] as number;
    return { parts: [this.bytes.slice(at, at + (this.#lengths[number] as number))], lent: [] };
  }

  /**
   * Adds what the first `count` messages hold to `values`, up to the first that can't be decoded.
   * That and what comes behind it goes to `late`.
   */
  unpack(count: number, values: unknown[], late: Decoded[]): void {
    let at = 0;
    for (let i = 0; i < count; i++) {
      const length = this.#lengths[i] as number;
      try {
        const value = decodeFrom(this.bytes, at, length);
        if (late.length === 0) values.push(value);
        else late.push({ value });
      } catch (error) {
        late.push({ error });
      }
      at += length;
    }
  }
}

/** A message that was taken before its value was asked for. */
export type Decoded = { readonly value: unknown } | { readonly error: unknown };

/** A copy of the message that `encodeHere` has left. */
export function copyOfHere(): Uint8Array {
  const { bytes, offset, length } = here;
  const copy = new Uint8Array(length);
  copy.set(bytes.subarray(offset, offset + length));
  return copy;
}

/**
 * The messages of the items: packs, always this one, and what goes by itself. Each is to be sent
 * before the next is asked for.
 */
function* packed(items: Iterable<unknown>, pack: Pack): Generator<Pack | Encoded, void, undefined> {
  try {
    for (const item of items) {
      const encoded = encodeHere(item);
      if (encoded === undefined && here.length <= PACKED_BYTES_MAX) {
        pack.add();
        if (!pack.full) continue;
        yield pack;
        pack.clear();
        continue;
      }
      const alone = encoded ?? { parts: [copyOfHere()], lent: [] };
      if (pack.count > 0) yield pack;
      pack.clear();
      yield alone;
    }
  } catch (error) {
    if (pack.count > 0) yield pack;
    throw error;
  }
  if (pack.count > 0) yield pack;
}

/**
 * Sends the messages of all items. `sendAlone` sends one that has no room now, or travels by
 * itself. The `details.done` of an error is the number of items that were sent before it.
 */
export async function sendAll(
  writer: WriteEnd,
  items: Iterable<unknown>,
  sendAlone: (message: Encoded) => Promise<void>,
): Promise<void> {
  const pack = Pack.take();
  let done = 0;
  try {
    for (const batch of packed(items, pack)) {
      const count = batch instanceof Pack ? batch.count : 1;
      for (let sent = 0; sent < count; ) {
        const more = batch instanceof Pack ? writer.trySendPack(batch, sent) : 0;
        sent += more;
        done += more;
        if (sent === count) break;
        // Waits with one of them, and then goes on with all.
        await sendAlone(batch instanceof Pack ? batch.message(sent) : batch);
        sent++;
        done++;
      }
    }
  } catch (error) {
    throw withDone(error, done);
  } finally {
    pack.giveBack();
  }
}

/** The same with calls that block the thread; `sendPack` sends all of a pack, or tells how much. */
export function sendAllSync(
  items: Iterable<unknown>,
  sendPack: (pack: Packed) => void,
  sendAlone: (message: Encoded) => void,
): void {
  const pack = Pack.take();
  let done = 0;
  try {
    for (const batch of packed(items, pack)) {
      if (batch instanceof Pack) {
        sendPack(batch);
        done += batch.count;
      } else {
        sendAlone(batch);
        done++;
      }
    }
  } catch (error) {
    throw withDone(error, done);
  } finally {
    pack.giveBack();
  }
}

/**
 * Takes as many messages as are there in one call, and adds their values; false if none is there,
 * or a long one is next. What can't be decoded, and what came behind it, is added to `late`.
 */
export function takePack(reader: ReadEnd, items: unknown[], max: number, late: Decoded[]): boolean {
  const pack = Pack.take();
  try {
    const count = reader.tryReceivePack(pack.emptied(max - items.length));
    pack.unpack(count, items, late);
    return count > 0;
  } finally {
    pack.giveBack();
  }
}
