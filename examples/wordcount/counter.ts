/**
 * Counts words in bytes.
 *
 * A word is a maximal run of ASCII letters, counted in lower case. The words lie one after the
 * other in an arena, found through a hash table with open addressing; the word being read is
 * written behind the last one, where it stays if it is new. No string is made until the end.
 */

/** The lower-case letter for each byte that is a letter, else 0. */
const FOLD = new Uint8Array(256);
for (let letter = 97; letter <= 122; letter++) {
  FOLD[letter] = letter;
  FOLD[letter - 32] = letter;
}

const HASH_SEED = 0x811c9dc5;
const HASH_FACTOR = 0x01000193;

/** Counts as they travel between processes: every word is followed by a zero byte. */
export interface PartialCounts {
  readonly words: Uint8Array;
  readonly counts: Float64Array;
}

export class WordCounter {
  /** Entry number + 1 by hash; a power of two of places, at most half of them taken. */
  #table = new Int32Array(1 << 12);
  #hashes = new Int32Array(1 << 11);
  #starts = new Uint32Array(1 << 11);
  #lengths = new Uint32Array(1 << 11);
  #counts = new Float64Array(1 << 11);
  #size = 0;
  #arena = new Uint8Array(1 << 16);
  /** Where the next word begins, and what is known of it so far. */
  #tail = 0;
  #length = 0;
  #hash = HASH_SEED;

  /** Number of different words. */
  get size(): number {
    return this.#size;
  }

  /** Counts the words in the next bytes of a text; a word may go on in the bytes after them. */
  addText(bytes: Uint8Array): void {
    if (this.#arena.length - this.#tail - this.#length < bytes.length)
      this.#growArena(bytes.length);
    const arena = this.#arena;
    let start = this.#tail;
    let end = start + this.#length;
    let hash = this.#hash;
    for (let i = 0; i < bytes.length; i++) {
      const letter = FOLD[bytes[i] as number] as number;
      if (letter !== 0) {
        arena[end++] = letter;
        hash = Math.imul(hash ^ letter, HASH_FACTOR);
      } else if (end > start) {
        this.#count(hash, end - start, 1);
        start = this.#tail;
        end = start;
        hash = HASH_SEED;
      }
    }
    this.#length = end - start;
    this.#hash = hash;
  }

  /** Ends a text, and the word that it may end with. */
  endText(): void {
    if (this.#length > 0) this.#count(this.#hash, this.#length, 1);
    this.#length = 0;
    this.#hash = HASH_SEED;
  }

  /** Adds what another counter has counted. */
  merge(partial: PartialCounts): void {
    const { words, counts } = partial;
    if (this.#arena.length - this.#tail < words.length) this.#growArena(words.length);
    let word = 0;
    let length = 0;
    let hash = HASH_SEED;
    for (let i = 0; i < words.length; i++) {
      const letter = words[i] as number;
      if (letter !== 0) {
        this.#arena[this.#tail + length++] = letter;
        hash = Math.imul(hash ^ letter, HASH_FACTOR);
      } else {
        this.#count(hash, length, counts[word++] as number);
        length = 0;
        hash = HASH_SEED;
      }
    }
  }

  /** What was counted, to be merged elsewhere. */
  partial(): PartialCounts {
    const words = new Uint8Array(this.#tail + this.#size);
    let offset = 0;
    for (let entry = 0; entry < this.#size; entry++) {
      const start = this.#starts[entry] as number;
      const length = this.#lengths[entry] as number;
      words.set(this.#arena.subarray(start, start + length), offset);
      offset += length + 1;
    }
    return { words, counts: this.#counts.slice(0, this.#size) };
  }

  /** Words and counts, the greatest count first and equal ones in the order of the alphabet. */
  sorted(): { readonly word: string; readonly count: number }[] {
    const decoder = new TextDecoder('latin1');
    const entries = Array.from({ length: this.#size }, (_, entry) => {
      const start = this.#starts[entry] as number;
      const bytes = this.#arena.subarray(start, start + (this.#lengths[entry] as number));
      return { word: decoder.decode(bytes), count: this.#counts[entry] as number };
    });
    return entries.sort((a, b) => b.count - a.count || (a.word < b.word ? -1 : 1));
  }

  /** Adds `count` to the word at the tail of the arena, which stays there if it is new. */
  #count(hash: number, length: number, count: number): void {
    const table = this.#table;
    const mask = table.length - 1;
    let place = (hash ^ (hash >>> 15)) & mask;
    for (let taken = table[place] as number; taken !== 0; taken = table[place] as number) {
      const entry = taken - 1;
      if (this.#hashes[entry] === hash && this.#equals(entry, length)) {
        (this.#counts[entry] as number) += count;
        return;
      }
      place = (place + 1) & mask;
    }
    if (this.#size === this.#hashes.length) {
      this.#growEntries();
      return this.#count(hash, length, count);
    }
    const entry = this.#size++;
    table[place] = entry + 1;
    this.#hashes[entry] = hash;
    this.#starts[entry] = this.#tail;
    this.#lengths[entry] = length;
    this.#counts[entry] = count;
    this.#tail += length;
  }

  #equals(entry: number, length: number): boolean {
    if (this.#lengths[entry] !== length) return false;
    const arena = this.#arena;
    const start = this.#starts[entry] as number;
    for (let i = 0; i < length; i++) {
      if (arena[start + i] !== arena[this.#tail + i]) return false;
    }
    return true;
  }

  #growArena(room: number): void {
    const used = this.#tail + this.#length;
    const larger = new Uint8Array(Math.max(2 * this.#arena.length, used + room));
    larger.set(this.#arena.subarray(0, used));
    this.#arena = larger;
  }

  #growEntries(): void {
    const capacity = 2 * this.#hashes.length;
    const grow = <T extends Int32Array | Uint32Array | Float64Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#hashes = grow(this.#hashes, new Int32Array(capacity));
    this.#starts = grow(this.#starts, new Uint32Array(capacity));
    this.#lengths = grow(this.#lengths, new Uint32Array(capacity));
    this.#counts = grow(this.#counts, new Float64Array(capacity));
    this.#table = new Int32Array(2 * capacity);
    const mask = this.#table.length - 1;
    for (let entry = 0; entry < this.#size; entry++) {
      const hash = this.#hashes[entry] as number;
      let place = (hash ^ (hash >>> 15)) & mask;
      while (this.#table[place] !== 0) place = (place + 1) & mask;
      this.#table[place] = entry + 1;
    }
  }
}
