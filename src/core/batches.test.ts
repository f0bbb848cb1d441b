import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Channel } from './channel.ts';
import { useNode } from './node.fixture.ts';

const fixture = useNode();

const codeOf = (code: string, details?: object) =>
  expect.objectContaining(details === undefined ? { code } : { code, details });

function pair(options = {}) {
  const channel = Channel.create(fixture.pool, options);
  return { channel, sender: channel.openSender(), receiver: channel.openReceiver() };
}

const numbered = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => new Uint8Array(i + 1).fill(i));

describe('many messages in one call', () => {
  it('arrive one by one, in order, of every length [COR-020, COR-021]', () => {
    const length = fc.oneof(fc.nat(300), fc.constantFrom(16_383, 16_384, 70_000));
    const batches = fc.array(fc.array(length, { maxLength: 40 }), { maxLength: 5 });
    const { channel, sender, receiver } = pair({ capacity: 1000 });
    fc.assert(
      fc.property(batches, fc.integer({ min: 1, max: 300 }), (sizes, max) => {
        const sent = sizes.flat().map((size, i) => new Uint8Array(size).fill(i));
        let first = 0;
        for (const [hints, batch] of sizes.entries()) {
          sender.sendManySync(sent.slice(first, first + batch.length), { hints });
          first += batch.length;
        }
        const hints = sizes.flatMap((batch, i) => batch.map(() => i));
        for (let at = 0; at < sent.length; ) {
          const messages = receiver.receiveManySync(max);
          expect(messages.length).toBeGreaterThan(0);
          expect(messages.length).toBeLessThanOrEqual(max);
          for (const message of messages) {
            expect(message.hints).toBe(hints[at]);
            expect(Buffer.compare(message.bytes, sent[at++] as Uint8Array)).toBe(0);
            message.release();
          }
        }
        expect(receiver.tryReceiveMany(max)).toEqual([]);
      }),
      { numRuns: 50 },
    );
    channel.close();
    expect(fixture.pool.stats().usedBytes).toBe(0);
  });

  it('go as far as there is room, and say how far that was [COR-020]', () => {
    const { channel, sender, receiver } = pair({ capacity: 5 });
    expect(sender.trySendMany(numbered(8))).toBe(5);
    expect(sender.trySendMany(numbered(8))).toBe(0);
    expect(sender.trySendMany([])).toBe(0);
    expect(receiver.tryReceiveMany(2).map(({ bytes }) => bytes.length)).toEqual([1, 2]);
    expect(() => sender.sendManySync(numbered(4), { timeout: 2 })).toThrow(
      codeOf('ERR_TIMEOUT', { done: 2 }),
    );
    expect(receiver.tryReceiveMany().map(({ bytes }) => bytes.length)).toEqual([3, 4, 5, 1, 2]);
    channel.close();
  });

  it('wait for room and for messages without blocking [COR-020, COR-021]', async () => {
    const { channel, sender, receiver } = pair({ capacity: 3 });
    const payloads = numbered(10);
    const sending = sender.sendMany(payloads, { hints: 4, timeout: 5000 });
    for (const payload of payloads) payload.fill(99);
    const lengths: number[] = [];
    while (lengths.length < 10) {
      for (const { bytes, hints } of await receiver.receiveMany(2, { timeout: 5000 })) {
        expect(hints).toBe(4);
        expect(bytes).toEqual(new Uint8Array(bytes.length).fill(bytes.length - 1));
        lengths.push(bytes.length);
      }
    }
    await sending;
    expect(lengths).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    await expect(receiver.receiveMany(1, { timeout: 2 })).rejects.toThrow(codeOf('ERR_TIMEOUT'));
    expect(() => receiver.receiveManySync(1, { timeout: 2 })).toThrow(codeOf('ERR_TIMEOUT'));
    const failing = sender.sendMany(numbered(5), { timeout: 5 });
    await expect(failing).rejects.toThrow(codeOf('ERR_TIMEOUT', { done: 3 }));
    channel.close();
  });

  it('have one time-out for all of them [COR-020]', async () => {
    const { channel, sender, receiver } = pair({ capacity: 1 });
    const taking = setInterval(() => receiver.tryReceive(), 25);
    try {
      const sending = sender.sendMany(numbered(100), { timeout: 150 });
      const error = await sending.catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'ERR_TIMEOUT' });
      expect((error as { details: { done: number } }).details.done).toBeLessThan(20);
    } finally {
      clearInterval(taking);
      channel.close();
    }
  });

  it('end with the stream, and with the handle [COR-020, COR-021]', () => {
    const { channel, sender, receiver } = pair({ endOfStream: true });
    sender.trySendMany(numbered(2));
    sender.close();
    expect(() => sender.trySendMany(numbered(1))).toThrow(codeOf('ERR_CLOSED'));
    expect(receiver.receiveManySync()).toHaveLength(2);
    expect(() => receiver.tryReceiveMany()).toThrow(codeOf('ERR_EOF'));
    expect(() => receiver.receiveManySync()).toThrow(codeOf('ERR_EOF'));
    receiver.close();
    const late = channel.openSender();
    expect(() => late.sendManySync(numbered(2))).toThrow(codeOf('ERR_BROKEN_PIPE', { done: 0 }));
    channel.close();
  });
});

describe('messages in memory of the caller', () => {
  it('are laid into a buffer, whose length they may not exceed [COR-022]', () => {
    const { channel, sender, receiver } = pair();
    const room = new Uint8Array(500);
    expect(receiver.tryReceiveInto(room)).toBe(-1);
    expect(receiver.receiveIntoSync(room, 2)).toBe(-1);
    for (const size of [0, 1, 192, 193, 500]) {
      sender.trySend(new Uint8Array(size).fill(size), size);
      expect(receiver.tryReceiveInto(room)).toBe(size);
      expect(receiver.hints).toBe(size);
      expect(room.subarray(0, size)).toEqual(new Uint8Array(size).fill(size));
    }
    const little = new Uint8Array(10);
    for (const size of [11, 200, 17_000]) {
      const bytes = new Uint8Array(size).fill(5);
      sender.trySend(bytes, 3);
      const tooShort = codeOf('ERR_BUFFER_TOO_SHORT', { bytes: size });
      expect(() => receiver.tryReceiveInto(little)).toThrow(tooShort);
      expect(() => receiver.receiveIntoSync(little)).toThrow(tooShort);
      const all = new Uint8Array(size);
      expect([receiver.tryReceiveInto(all), receiver.hints, all]).toEqual([size, 3, bytes]);
    }
    expect(receiver.tryReceiveInto(little)).toBe(-1);
    channel.close();
  });

  it('are waited for without blocking [COR-022]', async () => {
    const { channel, sender, receiver } = pair();
    const room = new Uint8Array(4);
    expect(await receiver.receiveInto(room, { timeout: 2 })).toBe(-1);
    const waiting = receiver.receiveInto(room);
    sender.trySend(Uint8Array.of(1, 2));
    expect([await waiting, room[1]]).toEqual([2, 2]);
    const long = receiver.receiveInto(room);
    sender.trySend(new Uint8Array(5));
    await expect(long).rejects.toThrow(codeOf('ERR_BUFFER_TOO_SHORT', { bytes: 5 }));
    expect(channel.messageCount).toBe(1);
    channel.close();
  });

  it('are sent and received one behind the other [COR-023]', () => {
    const { channel, sender, receiver } = pair({ capacity: 8, blockBytes: 64 });
    const lengths = Uint32Array.of(1, 64, 0, 3);
    const bytes = new Uint8Array(68).map((_, i) => i);
    expect(sender.trySendPacked(bytes, lengths, 0, 6)).toBe(4);
    sender.sendPackedSync(bytes, lengths, { hints: 7 });
    expect(sender.trySendPacked(bytes, lengths)).toBe(0);
    expect(() => sender.sendPackedSync(bytes, lengths, { timeout: 1 })).toThrow(
      codeOf('ERR_TIMEOUT', { done: 0 }),
    );
    const room = new Uint8Array(1000);
    const found = new Uint32Array(6);
    const hints = new Float64Array(6);
    expect(receiver.receivePacked(room, found, hints)).toBe(6);
    expect([...found]).toEqual([1, 64, 0, 3, 1, 64]);
    expect([...hints]).toEqual([6, 6, 6, 6, 7, 7]);
    expect(room.subarray(0, 68)).toEqual(bytes);
    expect(sender.trySendPacked(bytes, lengths, 2)).toBe(2);
    expect(receiver.receivePacked(room, found, hints, -1)).toBe(4);
    expect([...room.subarray(0, 6)]).toEqual([65, 66, 67, 65, 66, 67]);
    expect(receiver.receivePacked(room, found, hints, 2)).toBe(0);
    expect(() => sender.trySendPacked(bytes, Uint32Array.of(60, 9))).toThrow(
      codeOf('ERR_INVALID_ARGUMENT', { done: 1 }),
    );
    const little = new Uint8Array(59);
    expect(() => receiver.receivePacked(little, found)).toThrow(
      codeOf('ERR_BUFFER_TOO_SHORT', { bytes: 60 }),
    );
    expect(receiver.receivePacked(new Uint8Array(60), found)).toBe(1);
    expect(() => sender.trySendMany([bytes, 'no bytes' as never])).toThrow(
      codeOf('ERR_INVALID_ARGUMENT', { done: 1 }),
    );
    channel.close();
  });

  it('leave what has no room in the channel, for any receiver [COR-023]', () => {
    const { channel, sender, receiver } = pair();
    const other = Channel.attach(fixture.node, channel.serialize());
    const large = new Uint8Array(20_000).fill(9);
    sender.sendManySync([Uint8Array.of(1), large, Uint8Array.of(2)], { hints: 3 });
    const room = new Uint8Array(1000);
    const lengths = new Uint32Array(10);
    expect(receiver.receivePacked(room, lengths)).toBe(1);
    expect(channel.messageCount).toBe(2);
    expect(() => receiver.receivePacked(room, lengths)).toThrow(
      codeOf('ERR_BUFFER_TOO_SHORT', { bytes: 20_000 }),
    );
    using message = other.openReceiver().receiveSync();
    expect(message).toMatchObject({ hints: 3, bytes: large });
    expect(receiver.receivePacked(room, lengths)).toBe(1);
    expect(room[0]).toBe(2);
    other.close();
    channel.close();
  });

  it('are told one by one of a payload that is gone [COR-021, COR-023]', () => {
    const { channel, sender, receiver } = pair();
    const lengths = new Uint32Array(10);
    for (const size of [100, 20_000]) {
      for (const form of ['many', 'packed'] as const) {
        const memory = fixture.pool.allocateSync(size);
        sender.trySend(Uint8Array.of(1));
        sender.trySend(memory, 0, { readOnly: true });
        sender.trySend(Uint8Array.of(2));
        memory.free();
        const room = new Uint8Array(50_000);
        const receive = () =>
          form === 'many'
            ? receiver.tryReceiveMany().length
            : receiver.receivePacked(room, lengths);
        expect(receive()).toBe(1);
        expect(receive).toThrow(codeOf('ERR_OBJECT_DESTROYED'));
        expect(receive()).toBe(1);
      }
    }
    channel.close();
    expect(fixture.pool.stats().usedBytes).toBe(0);
  });
});
