/**
 * Whether what several processes saw of a channel is what one bounded queue can have answered.
 *
 * A history holds, for each operation, when it began and when it ended by the machine's one clock.
 * It is linearizable if each operation can be put at one instant between the two so that a queue
 * gives these answers. For a queue whose items are all different that is so exactly if none of
 * the patterns is found that the functions below look for, one each.
 */

export type Event =
  | {
      readonly kind: 'send' | 'receive';
      readonly id: number;
      readonly at: Span;
      readonly by: number;
    }
  | { readonly kind: 'empty' | 'full' | 'withdrawn'; readonly at: Span; readonly by: number };

/** Nanoseconds: the operation took effect somewhere in between. */
export type Span = readonly [begin: number, end: number];

interface Item {
  readonly id: number;
  readonly sent: Span;
  readonly sender: number;
  readonly received: Span;
  readonly receiver: number;
  /** Place among what the receiver received. */
  readonly place: number;
}

/** Each message that was sent was received once, and no other. */
function items(events: readonly Event[], found: string[]): Item[] {
  const sends = new Map<number, Event>();
  for (const event of events) if (event.kind === 'send') sends.set(event.id, event);
  const places = new Map<number, number>();
  const seen = new Set<number>();
  const all: Item[] = [];
  for (const event of events) {
    if (event.kind !== 'receive') continue;
    const { id, by } = event;
    const place = places.get(by) ?? 0;
    places.set(by, place + 1);
    const send = sends.get(id);
    if (send === undefined) found.push(`message ${id} was received and never sent`);
    else if (seen.has(id)) found.push(`message ${id} was received twice`);
    else {
      all.push({ id, sent: send.at, sender: send.by, received: event.at, receiver: by, place });
      if (event.at[1] < send.at[0]) found.push(`message ${id} was received before it was sent`);
    }
    seen.add(id);
  }
  for (const id of sends.keys()) if (!seen.has(id)) found.push(`message ${id} was lost`);
  return all;
}

/** What was surely sent first was not surely received last. Ids of one sender increase. */
function misordered(all: readonly Item[], found: string[]): void {
  for (const a of all) {
    for (const b of all) {
      const isFirst = a.sent[1] < b.sent[0] || (a.sender === b.sender && a.id < b.id);
      if (!isFirst) continue;
      const isLater =
        b.received[1] < a.received[0] || (a.receiver === b.receiver && b.place < a.place);
      if (isLater) found.push(`message ${b.id} overtook ${a.id}`);
    }
  }
}

/** An "empty" has an instant at which no message was surely there. */
function wronglyEmpty(events: readonly Event[], all: readonly Item[], found: string[]): void {
  const there = all
    .map(({ sent, received }): Span => [sent[1], received[0]])
    .filter(([from, to]) => from < to)
    .sort(([a], [b]) => a - b);
  for (const { kind, at } of events) {
    if (kind !== 'empty') continue;
    let free = at[0];
    for (const [from, to] of there) if (from < free && to > free) free = to;
    if (free > at[1]) found.push(`the channel was not empty between ${at[0]} and ${at[1]}`);
  }
}

/**
 * Whether a message that was sent and taken back may have had its place at an instant: it has it
 * until those before it are gone.
 */
function mayHavePlace({ at }: Event, all: readonly Item[], instant: number): boolean {
  if (at[0] > instant) return false;
  return at[1] >= instant || all.some((it) => it.sent[0] <= at[1] && it.received[1] >= instant);
}

/** A "full" has an instant at which as many messages as it holds may have been there. */
function wronglyFull(
  events: readonly Event[],
  all: readonly Item[],
  capacity: number,
  found: string[],
): void {
  const withdrawn = events.filter(({ kind }) => kind === 'withdrawn');
  const begins = [...all.map(({ sent }) => sent[0]), ...withdrawn.map((event) => event.at[0])];
  for (const { kind, at } of events) {
    if (kind !== 'full') continue;
    const instants = [at[0], ...begins];
    const isPossible = instants.some((instant) => {
      if (instant < at[0] || instant > at[1]) return false;
      const may = all.filter(({ sent, received }) => sent[0] <= instant && received[1] >= instant);
      const places = withdrawn.filter((event) => mayHavePlace(event, all, instant));
      return may.length + places.length >= capacity;
    });
    if (!isPossible) found.push(`the channel was not full between ${at[0]} and ${at[1]}`);
  }
}

/** No more messages than it holds were surely in the channel at any instant. */
function overfull(all: readonly Item[], capacity: number, found: string[]): void {
  for (const { sent } of all) {
    const instant = sent[1];
    const there = all.filter((item) => item.sent[1] <= instant && item.received[0] > instant);
    if (there.length > capacity) found.push(`${there.length} messages at ${instant}`);
  }
}

/** Why no queue of this capacity can have answered so; nothing if one can. */
export function contradictions(events: readonly Event[], capacity: number): string[] {
  const found: string[] = [];
  const all = items(events, found);
  misordered(all, found);
  wronglyEmpty(events, all, found);
  wronglyFull(events, all, capacity, found);
  overfull(all, capacity, found);
  return found;
}
