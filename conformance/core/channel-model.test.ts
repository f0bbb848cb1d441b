/** Channels in one process do what a list does: random operations, compared step by step. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Allocation,
  Channel,
  type Message,
  Node,
  Pool,
  type Received,
  type ReceiveHandle,
  type SendHandle,
} from 'dragon-runtime/core';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';

const BLOCK = 64;
const isFull = process.env['DRAGON_TEST_SIZE'] === 'full';

const size = fc.oneof(
  { weight: 8, arbitrary: fc.nat(2 * BLOCK) },
  { weight: 2, arbitrary: fc.constantFrom(BLOCK, BLOCK + 1, 4096, 16_383, 16_384, 40_000) },
);
const pick = fc.nat(7);
const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('send' as const),
      form: fc.constantFrom('try', 'parts', 'sync', 'async', 'allocation', 'lent', 'receipt'),
      pick,
      size,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('sendMany' as const),
      form: fc.constantFrom('many', 'packed'),
      pick,
      sizes: fc.array(size, { maxLength: 6 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('receive' as const),
      form: fc.constantFrom('try', 'sync', 'async', 'into', 'to', 'peek', 'pop'),
      pick,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('receiveMany' as const),
      form: fc.constantFrom('many', 'packed'),
      pick,
      max: fc.integer({ min: 1, max: 8 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('open', 'close'), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('look' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drain' as const), pick }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

interface Sent {
  readonly bytes: Uint8Array;
  readonly hints: number;
}

/** The code of what a call throws or rejects with, or its result. */
async function outcome<T>(call: () => T | Promise<T>): Promise<T | string> {
  try {
    return await call();
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** A channel and the list that it should be. */
class Pair {
  readonly pool: Pool;
  readonly attachments: readonly [Channel, Channel];
  readonly capacity: number;
  readonly stream: boolean;
  readonly queue: Sent[] = [];
  readonly lent: Allocation[] = [];
  senders: SendHandle[] = [];
  receivers: ReceiveHandle[] = [];
  count = 0;

  constructor(pool: Pool, capacity: number, stream: boolean) {
    this.pool = pool;
    const options = { capacity, blockBytes: BLOCK, endOfStream: stream };
    const channel = Channel.create(pool, options);
    this.attachments = [channel, Channel.attach(pool.node, channel.serialize())];
    this.capacity = capacity;
    this.stream = stream;
    this.senders.push(channel.openSender());
    this.receivers.push(this.attachments[1].openReceiver());
  }

  next(length: number): Sent {
    this.count += 1;
    return { bytes: new Uint8Array(length).fill(this.count), hints: this.count };
  }

  /** Puts what fits into the list; how many, or the code that a send ends with. */
  expectSend(messages: readonly Sent[], full: string | number): number | string {
    if (this.stream && this.receivers.length === 0) return 'ERR_BROKEN_PIPE';
    const room = Math.min(messages.length, this.capacity - this.queue.length);
    if (room < messages.length && typeof full === 'string' && room === 0) return full;
    this.queue.push(...messages.slice(0, room));
    return room;
  }

  get ended(): boolean {
    return this.stream && this.senders.length === 0;
  }

  async run(step: Operation): Promise<void> {
    switch (step.kind) {
      case 'send':
        return await this.#send(step);
      case 'sendMany':
        return await this.#sendMany(step);
      case 'receive':
        return await this.#receive(step);
      case 'receiveMany':
        return await this.#receiveMany(step);
      case 'open':
      case 'close':
        return this.#handles(step);
      case 'look':
        return this.#look();
      case 'drain':
        return expect(this.attachments[step.pick & 1]?.drain()).toBe(this.queue.splice(0).length);
    }
  }

  async #send({ form, pick: which, size: length }: Operation & { kind: 'send' }): Promise<void> {
    const sender = this.senders[which % this.senders.length];
    if (sender === undefined) return;
    // A message that is taken back from behind others keeps its place until they are gone.
    if (form === 'receipt' && this.queue.length > 0) return;
    const isMemory = form === 'allocation' || form === 'lent';
    const message = this.next(isMemory ? Math.max(1, length) : length);
    const { bytes, hints } = message;
    const options = { hints, timeout: 0 };
    if (form === 'try' || form === 'parts') {
      const expected = this.expectSend([message], 0);
      const half = bytes.length >> 1;
      const parts = form === 'try' ? bytes : [bytes.subarray(0, half), bytes.subarray(half)];
      const sent = await outcome(() => Number(sender.trySend(parts, hints)));
      return expect(sent).toBe(expected);
    }
    const expected = this.expectSend([message], 'ERR_TIMEOUT');
    // Nobody receives it at once, so it is taken back.
    const isTakenBack = form === 'receipt' && expected === 1;
    if (isTakenBack) this.queue.pop();
    const calls: Record<string, () => void | Promise<void>> = {
      receipt: () => sender.send(bytes, { ...options, mode: 'whenReceived' }),
      lent: () => {
        const memory = this.pool.allocateSync(Math.max(1, length));
        this.lent.push(memory);
        memory.bytes.set(bytes);
        sender.sendSync(memory, { ...options, readOnly: true });
        expect(memory.owned).toBe(true);
      },
      sync: () => sender.sendSync(bytes, options),
      async: () => sender.send(bytes, options),
      allocation: () => {
        using memory = this.pool.allocateSync(bytes.length);
        memory.bytes.set(bytes);
        sender.sendSync(memory, options);
        expect(memory.owned).toBe(false);
      },
    };
    const sent = await outcome(async () => {
      await calls[form]?.();
      return 1;
    });
    expect(sent).toBe(isTakenBack ? 'ERR_TIMEOUT' : expected);
  }

  async #sendMany({ form, pick: which, sizes }: Operation & { kind: 'sendMany' }): Promise<void> {
    const sender = this.senders[which % this.senders.length];
    if (sender === undefined || sizes.length === 0) return;
    const hints = this.count + 1;
    const messages = sizes.map((length) => ({ ...this.next(length), hints }));
    const expected = this.expectSend(messages, 0);
    const payloads = messages.map(({ bytes }) => bytes);
    const sent = await outcome(() =>
      form === 'many'
        ? sender.trySendMany(payloads, hints)
        : sender.trySendPacked(Buffer.concat(payloads), Uint32Array.from(sizes), 0, hints),
    );
    expect(sent).toBe(expected);
  }

  check(message: Message | undefined, expected: Sent): void {
    expect(message?.hints).toBe(expected.hints);
    expect(Buffer.compare(message?.bytes ?? new Uint8Array(), expected.bytes)).toBe(0);
    message?.release();
  }

  async #receive({ form, pick: which }: Operation & { kind: 'receive' }): Promise<void> {
    const receiver = this.receivers[which % this.receivers.length];
    if (receiver === undefined) return;
    const room = new Uint8Array(50_000);
    const calls: Record<string, () => unknown> = {
      try: () => receiver.tryReceive(),
      peek: () => receiver.tryPeek(),
      sync: () => receiver.receiveSync({ timeout: 0 }),
      async: () => receiver.receive({ timeout: 0 }),
      into: () => receiver.tryReceiveInto(room),
      to: () => receiver.tryReceiveTo(this.pool),
      pop: () => receiver.tryPop(),
    };
    const found = await outcome(() => calls[form]?.());
    const expected = form === 'peek' ? this.queue[0] : this.queue.shift();
    if (expected === undefined) {
      const none = { try: undefined, peek: undefined, to: undefined };
      const empty: Record<string, unknown> = { ...none, into: -1, pop: false };
      const nothing = form in empty ? empty[form] : 'ERR_TIMEOUT';
      return expect(found).toBe(this.ended ? 'ERR_EOF' : nothing);
    }
    if (form === 'pop') return expect(found).toBe(true);
    if (form === 'to') return this.#checkPlaced(found as Received, expected);
    if (form !== 'into') return this.check(found as Message, expected);
    expect([found, receiver.hints]).toEqual([expected.bytes.length, expected.hints]);
    expect(Buffer.compare(room.subarray(0, expected.bytes.length), expected.bytes)).toBe(0);
  }

  #checkPlaced({ memory, byteLength, hints }: Received, expected: Sent): void {
    expect([byteLength, hints]).toEqual([expected.bytes.length, expected.hints]);
    expect(Buffer.compare(memory.bytes.subarray(0, byteLength), expected.bytes)).toBe(0);
    memory.free();
  }

  async #receiveMany(step: Operation & { kind: 'receiveMany' }): Promise<void> {
    const receiver = this.receivers[step.pick % this.receivers.length];
    if (receiver === undefined) return;
    if (step.form === 'many') {
      const messages = await outcome(() => receiver.tryReceiveMany(step.max));
      if (typeof messages === 'string') {
        expect([messages, this.queue.length, this.ended]).toEqual(['ERR_EOF', 0, true]);
        return;
      }
      expect(messages.length > 0).toBe(this.queue.length > 0);
      expect(messages.length).toBeLessThanOrEqual(step.max);
      for (const message of messages) this.check(message, this.queue.shift() as Sent);
      return;
    }
    const room = new Uint8Array(60_000);
    const lengths = new Uint32Array(step.max);
    const hints = new Float64Array(step.max);
    const count = await outcome(() => receiver.receivePacked(room, lengths, hints));
    if (typeof count === 'string') {
      expect([count, this.queue.length, this.ended]).toEqual(['ERR_EOF', 0, true]);
      return;
    }
    let at = 0;
    for (let i = 0; i < count; i++) {
      const expected = this.queue.shift();
      expect([lengths[i], hints[i]]).toEqual([expected?.bytes.length, expected?.hints]);
      const bytes = room.subarray(at, at + (lengths[i] as number));
      expect(Buffer.compare(bytes, expected?.bytes ?? new Uint8Array())).toBe(0);
      at += bytes.length;
    }
    // It ended where there was no message, or no room for the next one, which stays.
    const next = this.queue[0];
    if (count < step.max && next !== undefined) {
      expect(next.bytes.length).toBeGreaterThan(room.length - at);
    }
  }

  #handles({ kind, pick: which }: { kind: string; pick: number }): void {
    const channel = this.attachments[which & 1] as Channel;
    const isSender = (which & 2) !== 0;
    if (kind === 'open') {
      if (isSender) this.senders.push(channel.openSender());
      else this.receivers.push(channel.openReceiver());
      return;
    }
    const handles: { close(): void }[] = isSender ? this.senders : this.receivers;
    const [closed] = handles.splice(which % Math.max(1, handles.length), 1);
    closed?.close();
  }

  #look(): void {
    const [first, second] = this.attachments;
    const length = this.queue.length;
    for (const channel of [first, second]) {
      expect(channel.messageCount).toBe(length);
      expect([channel.senders, channel.receivers]).toEqual([
        this.senders.length,
        this.receivers.length,
      ]);
      expect(channel.tryPoll('in')).toBe(length > 0 || this.ended);
      const broken = this.stream && this.receivers.length === 0;
      expect(channel.tryPoll('out')).toBe(length < this.capacity || broken);
      expect(channel.tryPoll('empty')).toBe(length === 0);
      expect(channel.tryPoll('full')).toBe(length === this.capacity);
    }
  }

  close(): void {
    for (const channel of this.attachments) channel.close();
    for (const memory of this.lent) memory.free();
  }
}

let dir = '';
let node: Node;
let pool: Pool;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'model-'));
  node = Node.create({ dir });
  pool = Pool.create(node);
});

afterAll(() => {
  pool.close();
  node.close();
  rmSync(dir, { recursive: true });
});

it('a channel is a bounded list with two kinds of ends [CH-001, CH-002, COR-035]', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { maxLength: 60 }),
      fc.constantFrom(1, 2, 5, 9, 40),
      fc.boolean(),
      async (steps, capacity, stream) => {
        const pair = new Pair(pool, capacity, stream);
        try {
          for (const step of steps) await pair.run(step);
        } finally {
          pair.close();
        }
        expect([pool.stats().allocations, pool.audit()]).toEqual([0, '']);
      },
    ),
    { numRuns: isFull ? 2000 : 100 },
  );
});
