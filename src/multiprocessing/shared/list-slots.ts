/**
 * How a shareable list lies in memory, and what its slots hold.
 *
 * At 0 the number of slots (u32), then for each where it begins and, after all, where the last one
 * ends (u32, from the beginning); then for each one word: the kind of its element (bits 28-31) and
 * the element's length in bytes (0-27). The slots follow, each on a multiple of 8 bytes.
 * A slot's size is decided when the list is made; its kind changes with what is put in.
 */

/** What a slot takes. Bytes come back as a copy. */
export type ListItem = null | boolean | number | bigint | string | Uint8Array;

const Kind = { null: 0, boolean: 1, number: 2, bigint: 3, string: 4, bytes: 5 } as const;
type KindNumber = (typeof Kind)[keyof typeof Kind];

/** Kinds as they stand in a format. */
const LETTERS = ['n', '?', 'd', 'q', 's', 'b'] as const;

const KIND_SHIFT = 28;
const LENGTH_MASK = (1 << KIND_SHIFT) - 1;
const WORD_BYTES = 4;
const SLOT_BYTES = 8;

const encoder = new TextEncoder();
// Each byte comes back, a byte order mark at the beginning, too.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

interface Encoded {
  readonly kind: KindNumber;
  readonly bytes: Uint8Array;
}

function ofView(set: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(SLOT_BYTES);
  set(new DataView(bytes.buffer));
  return bytes;
}

function encode(item: ListItem): Encoded {
  if (item === null) return { kind: Kind.null, bytes: new Uint8Array() };
  if (item instanceof Uint8Array) return { kind: Kind.bytes, bytes: item };
  switch (typeof item) {
    case 'boolean':
      return { kind: Kind.boolean, bytes: Uint8Array.of(item ? 1 : 0) };
    case 'number':
      return { kind: Kind.number, bytes: ofView((view) => view.setFloat64(0, item, true)) };
    case 'bigint':
      if (BigInt.asIntN(64, item) !== item) throw new RangeError(`${item} has more than 64 bits`);
      return { kind: Kind.bigint, bytes: ofView((view) => view.setBigInt64(0, item, true)) };
    case 'string':
      return { kind: Kind.string, bytes: encoder.encode(item) };
    default:
      throw new TypeError(`a shareable list takes no ${typeof item}`);
  }
}

/** What an element takes at first: strings and bytes get a slot of whole words, at least one. */
function slotBytes({ bytes }: Encoded): number {
  return Math.max(SLOT_BYTES, Math.ceil(bytes.length / SLOT_BYTES) * SLOT_BYTES);
}

/** A list before it has memory. */
export class ListPlan {
  readonly #encoded: readonly Encoded[];
  readonly #offsets: readonly number[];

  constructor(items: Iterable<ListItem>) {
    this.#encoded = Array.from(items, encode);
    const count = this.#encoded.length;
    const head = WORD_BYTES * (1 + count + 1 + count);
    const offsets = [Math.ceil(head / SLOT_BYTES) * SLOT_BYTES];
    for (const each of this.#encoded) offsets.push((offsets.at(-1) as number) + slotBytes(each));
    this.#offsets = offsets;
  }

  get bytes(): number {
    return this.#offsets.at(-1) as number;
  }

  write(buffer: ArrayBuffer): void {
    const head = new Uint32Array(buffer, 0, 1 + this.#offsets.length);
    head[0] = this.#encoded.length;
    head.set(this.#offsets, 1);
    const slots = new ListSlots(buffer);
    for (const [i, each] of this.#encoded.entries()) slots.put(i, each);
  }
}

/** The slots of a list that lies in memory. */
export class ListSlots {
  readonly length: number;
  readonly #offsets: Uint32Array;
  readonly #kinds: Uint32Array;
  readonly #bytes: Uint8Array;

  /** Throws RangeError if no list lies there. */
  constructor(buffer: ArrayBuffer) {
    const count = new Uint32Array(buffer, 0, 1)[0] as number;
    this.length = count;
    this.#offsets = new Uint32Array(buffer, WORD_BYTES, count + 1);
    this.#kinds = new Uint32Array(buffer, WORD_BYTES * (count + 2), count);
    this.#bytes = new Uint8Array(buffer);
  }

  /** Bytes that a slot has. */
  capacity(index: number): number {
    return (this.#offsets[index + 1] as number) - (this.#offsets[index] as number);
  }

  get(index: number): ListItem {
    const word = this.#kinds[this.#check(index)] as number;
    const start = this.#offsets[index] as number;
    const bytes = this.#bytes.slice(start, start + (word & LENGTH_MASK));
    const view = new DataView(bytes.buffer);
    switch ((word >>> KIND_SHIFT) as KindNumber) {
      case Kind.boolean:
        return bytes[0] !== 0;
      case Kind.number:
        return view.getFloat64(0, true);
      case Kind.bigint:
        return view.getBigInt64(0, true);
      case Kind.string:
        return decoder.decode(bytes);
      case Kind.bytes:
        return bytes;
      default:
        return null;
    }
  }

  set(index: number, item: ListItem): void {
    this.put(this.#check(index), encode(item));
  }

  put(index: number, { kind, bytes }: Encoded): void {
    const capacity = this.capacity(index);
    if (bytes.length > capacity) {
      throw new RangeError(`${bytes.length} bytes have no room in slot ${index} of ${capacity}`);
    }
    this.#bytes.set(bytes, this.#offsets[index] as number);
    this.#kinds[index] = ((kind << KIND_SHIFT) | bytes.length) >>> 0;
  }

  /** The letter of a slot's kind, before it the slot's size if it holds a string or bytes. */
  format(index: number): string {
    const kind = ((this.#kinds[index] as number) >>> KIND_SHIFT) as KindNumber;
    const sized = kind === Kind.string || kind === Kind.bytes;
    return (sized ? String(this.capacity(index)) : '') + LETTERS[kind];
  }

  #check(index: number): number {
    if (Number.isInteger(index) && index >= 0 && index < this.length) return index;
    throw new RangeError(`index ${index} is not one of a list of ${this.length}`);
  }
}
