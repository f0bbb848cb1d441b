// The keys of a message: each stands in it in full once, and is a number after that.
// Non-goals: writing; the decoder numbers keys by the order in which it meets them.

/** More keys than this are forgotten after a message, so that the table can't grow for ever. */
const KNOWN_MAX = 4096;

const RECENT = 128;
const RECENT_EACH = 16;

type Key = { readonly text: string; message: number; id: number };

export class KeyTable {
  private readonly known = new Map<string, Key>();
  /** By depth and place among the fields: lists hold objects that are all alike. */
  private readonly recent: (Key | undefined)[] = new Array<undefined>(RECENT).fill(undefined);
  /** Those of the message, `count` of them. */
  private readonly list: Key[] = [];
  private message = 0;
  count = 0;

  begin(): void {
    this.message++;
    this.count = 0;
    if (this.known.size > KNOWN_MAX) {
      this.known.clear();
      this.recent.fill(undefined);
    }
  }

  /** The number of a key that is in the message; -1 for one that gets its number now. */
  find(text: string, depth: number, place: number): number {
    const slot = (depth * RECENT_EACH + place) & (RECENT - 1);
    let key = this.recent[slot];
    if (key === undefined || key.text !== text) {
      key = this.keyOf(text);
      this.recent[slot] = key;
    }
    if (key.message === this.message) return key.id;
    key.message = this.message;
    key.id = this.count;
    this.list[this.count++] = key;
    return -1;
  }

  /** Takes back all but the first keys of the message. */
  cutTo(count: number): void {
    while (this.count > count) (this.list[--this.count] as Key).message = 0;
  }

  private keyOf(text: string): Key {
    let key = this.known.get(text);
    if (key === undefined) {
      key = { text, message: 0, id: 0 };
      this.known.set(text, key);
    }
    return key;
  }
}
