import { describe, expect, it } from 'vitest';
import { Channel } from './channel.ts';
import { useNode } from './node.fixture.ts';
import type { Payload, ReturnMode, SendHandle } from './send-handle.ts';

const fixture = useNode();

const codeOf = (code: string, details?: object) =>
  expect.objectContaining(details === undefined ? { code } : { code, details });

function pair(options = {}) {
  const channel = Channel.create(fixture.pool, options);
  return { channel, sender: channel.openSender(), receiver: channel.openReceiver() };
}

const received = { mode: 'whenReceived' } as const;
const bytesOf = (length: number) => new Uint8Array(length).fill(length % 256);

describe('a send', () => {
  it('is back when its message is in the channel, or was received [COR-035]', () => {
    const { channel, sender, receiver } = pair();
    const modes: ReturnMode[] = ['immediately', 'whenBuffered', 'whenDeposited'];
    for (const mode of modes) {
      sender.sendSync(bytesOf(1), { mode });
      expect(sender.trySend(bytesOf(2), 0, { mode })).toBe(true);
    }
    expect(receiver.tryReceiveMany()).toHaveLength(6);
    for (const size of [5, 500, 20_000]) {
      expect(sender.trySend(bytesOf(size), 0, received)).toBe(false);
      expect(() => sender.sendSync(bytesOf(size), { ...received, timeout: 2 })).toThrow(
        codeOf('ERR_TIMEOUT'),
      );
      expect(() => sender.sendSync(bytesOf(size), { ...received, timeout: 0 })).toThrow(
        codeOf('ERR_TIMEOUT'),
      );
      using memory = fixture.pool.allocateSync(size);
      expect(sender.trySend(memory, 0, received)).toBe(false);
      expect(memory.bytes.length).toBe(size);
    }
    expect(receiver.tryReceive()).toBeUndefined();
    channel.close();
    expect(fixture.pool.stats().usedBytes).toBe(0);
  });

  it.each(['receive', 'pop', 'drain'] as const)(
    'that waits for its receipt in the event loop is back after a %s [COR-035]',
    async (how) => {
      const { channel, sender, receiver } = pair();
      const makers: (() => Payload)[] = [
        () => bytesOf(5),
        () => [bytesOf(300), bytesOf(4)],
        () => fixture.pool.allocateSync(20_000),
      ];
      for (const make of makers) {
        let isBack = false;
        const sending = sender.send(make(), { ...received, timeout: 5000 }).then(() => {
          isBack = true;
        });
        await new Promise((resolve) => setTimeout(resolve, 2));
        expect([isBack, channel.messageCount, channel.info().blockedSenders]).toEqual([
          false,
          1,
          1,
        ]);
        if (how === 'receive') receiver.receiveSync().release();
        if (how === 'pop') expect(receiver.tryPop()).toBe(true);
        if (how === 'drain') expect(channel.drain()).toBe(1);
        await sending;
      }
      channel.close();
      expect(fixture.pool.stats().usedBytes).toBe(0);
    },
  );

  it('that gives up has sent nothing, and its memory is its own again [COR-035]', async () => {
    const { channel, sender, receiver } = pair({ capacity: 5 });
    const memory = fixture.pool.allocateSync(20_000);
    memory.bytes.fill(3);
    const { buffer } = memory;
    const wait = (options: object, by: SendHandle = sender) =>
      by.send(memory, { ...received, ...options });
    const aborted = new AbortController();
    const sending = wait({ signal: aborted.signal });
    expect([memory.owned, buffer.byteLength]).toEqual([false, 0]);
    sender.sendSync(bytesOf(1));
    aborted.abort(new Error('enough'));
    await expect(sending).rejects.toThrow('enough');
    expect([memory.owned, memory.bytes.length, memory.bytes[19_999]]).toEqual([true, 20_000, 3]);
    await expect(wait({ timeout: 3 })).rejects.toThrow(codeOf('ERR_TIMEOUT'));
    await expect(wait({ timeout: 0 })).rejects.toThrow(codeOf('ERR_TIMEOUT'));
    const closing = channel.openSender(received);
    const closed = wait({}, closing);
    closing.close();
    await expect(closed).rejects.toThrow(codeOf('ERR_CLOSED'));
    const other = Channel.attach(fixture.node, channel.serialize());
    const otherClosed = wait({}, other.openSender());
    other.close();
    await expect(otherClosed).rejects.toThrow(codeOf('ERR_CLOSED'));
    expect(memory.owned).toBe(true);
    expect(receiver.tryReceiveMany().map(({ bytes }) => bytes.length)).toEqual([1]);
    // Received before it is told to give up: that is a success.
    const late = new AbortController();
    const success = wait({ signal: late.signal });
    receiver.receiveSync().release();
    late.abort();
    await success;
    const full = new Uint8Array(1);
    for (let i = 0; i < 5; i++) sender.trySend(full);
    await expect(sender.send(full, { ...received, timeout: 3 })).rejects.toThrow(
      codeOf('ERR_TIMEOUT'),
    );
    const destroyed = sender.send(full, received);
    channel.destroy();
    await expect(destroyed).rejects.toThrow(codeOf('ERR_OBJECT_DESTROYED'));
    channel.close();
    expect(fixture.pool.stats().usedBytes).toBe(0);
    expect(fixture.node.waits.size).toBe(0);
  });

  it('of many with receipts sends each by itself [COR-035, COR-020]', async () => {
    const { channel, receiver } = pair();
    const sender = channel.openSender(received);
    const packed = [bytesOf(6), Uint32Array.of(1, 2, 3)] as const;
    const three = [bytesOf(1), bytesOf(2), bytesOf(3)];
    expect(sender.trySendMany(three)).toBe(0);
    expect(sender.trySendPacked(...packed)).toBe(0);
    const late = codeOf('ERR_TIMEOUT', { done: 0 });
    expect(() => sender.sendManySync(three, { timeout: 1 })).toThrow(late);
    expect(() => sender.sendPackedSync(...packed, { timeout: 1 })).toThrow(late);
    expect(() => sender.trySendPacked(bytesOf(5), packed[1])).toThrow(
      codeOf('ERR_INVALID_ARGUMENT'),
    );
    expect(channel.messageCount).toBe(0);
    const sending = sender.sendMany(three);
    for (let i = 1; i <= 3; i++) expect((await receiver.receive()).bytes.length).toBe(i);
    await sending;
    channel.close();
  });
});

describe('an allocation that is lent', () => {
  it('stays with its sender, and its receiver is told [COR-036]', async () => {
    const { channel, sender, receiver } = pair();
    const lend = { readOnly: true, hints: 4 };
    for (const size of [10, 20_000]) {
      const memory = fixture.pool.allocateSync(size);
      memory.bytes.fill(8);
      await sender.send(memory, lend);
      sender.sendSync(memory, lend);
      expect(sender.trySend(memory, 4, { readOnly: true })).toBe(true);
      expect([memory.owned, memory.bytes.length]).toEqual([true, size]);
      const [batched] = receiver.tryReceiveMany(1);
      for (const message of [batched, receiver.tryReceive()]) {
        expect(message).toMatchObject({ readOnly: true, hints: 4 });
        expect(message?.bytes).toEqual(memory.bytes);
        message?.bytes.fill(1);
        message?.release();
      }
      expect(memory.bytes[size - 1]).toBe(8);
      expect(receiver.tryPop()).toBe(true);
      const sending = sender.send(memory, { ...lend, ...received });
      expect(receiver.receiveSync().readOnly).toBe(true);
      await sending;
      sender.trySend(memory, 0, { readOnly: true });
      memory.free();
      expect(() => receiver.tryReceive()).toThrow(codeOf('ERR_OBJECT_DESTROYED'));
    }
    sender.trySend(bytesOf(1));
    expect(receiver.receiveSync().readOnly).toBe(false);
    for (const how of [{ readOnly: true }, { readOnly: true, ...received }]) {
      expect(() => sender.sendSync(bytesOf(1), how)).toThrow(codeOf('ERR_INVALID_ARGUMENT'));
      await expect(sender.send(bytesOf(1), how)).rejects.toThrow(codeOf('ERR_INVALID_ARGUMENT'));
    }
    channel.close();
    expect(fixture.pool.stats().usedBytes).toBe(0);
  });
});

describe('a handle', () => {
  it('has a time-out, a mode and a way to wait of its own [COR-042]', async () => {
    const { channel } = pair({ capacity: 1 });
    for (const waitMode of ['adaptive', 'spin', 'idle'] as const) {
      const sender = channel.openSender({ timeout: 2, waitMode, mode: 'whenReceived' });
      const receiver = channel.openReceiver({ timeout: 2, waitMode });
      const late = codeOf('ERR_TIMEOUT');
      expect(() => sender.sendSync(bytesOf(1))).toThrow(late);
      await expect(sender.send(bytesOf(1))).rejects.toThrow(late);
      expect(() => receiver.receiveSync()).toThrow(late);
      expect(() => receiver.receiveManySync()).toThrow(late);
      expect(() => receiver.receiveToSync(fixture.pool)).toThrow(late);
      await expect(receiver.receive()).rejects.toThrow(late);
      await expect(receiver.receiveMany()).rejects.toThrow(late);
      await expect(receiver.receiveTo(fixture.pool)).rejects.toThrow(late);
      expect(await receiver.receiveInto(bytesOf(1))).toBe(-1);
      expect(receiver.receiveIntoSync(bytesOf(1))).toBe(-1);
      const waiting = receiver.receive({ timeout: 5000 });
      sender.sendSync(bytesOf(1), { mode: 'whenBuffered' });
      expect((await waiting).bytes.length).toBe(1);
      sender.close();
      sender.close();
      expect(sender.closed).toBe(true);
      expect(() => sender.trySend(bytesOf(1))).toThrow(codeOf('ERR_CLOSED'));
      receiver[Symbol.dispose]();
      expect(() => receiver.tryPop()).toThrow(codeOf('ERR_CLOSED'));
    }
    expect(() => channel.openSender({ timeout: Number.NaN })).toThrow(TypeError);
    channel.close();
  });

  it('sends a number with each message, from 0 to 2^53 - 1 [COR-043]', async () => {
    const { channel, sender, receiver } = pair();
    for (const hints of [0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      sender.sendSync(bytesOf(1), { hints });
      expect(receiver.receiveSync().hints).toBe(hints);
    }
    using memory = fixture.pool.allocateSync(10);
    const refused = codeOf('ERR_INVALID_ARGUMENT');
    for (const hints of [-1, 2 ** 53, Number.NaN]) {
      expect(() => sender.trySend(bytesOf(1), hints)).toThrow(refused);
      expect(() => sender.trySend(memory, hints)).toThrow(refused);
      expect(() => sender.sendSync(memory, { hints })).toThrow(refused);
      expect(() => sender.trySendMany([bytesOf(1)], hints)).toThrow(refused);
      await expect(sender.send(memory, { hints, ...received })).rejects.toThrow(refused);
    }
    expect(channel.messageCount).toBe(0);
    channel.close();
  });

  it('copies what has to wait once, unless it is stable [COR-017, COR-044]', async () => {
    const { channel, sender, receiver } = pair({ capacity: 1 });
    for (const stable of [false, true]) {
      sender.trySend(bytesOf(1));
      const bytes = Uint8Array.of(1, 2);
      const sending = sender.send([bytes], { stable });
      bytes[0] = 9;
      receiver.tryPop();
      await sending;
      expect(receiver.receiveSync().bytes[0]).toBe(stable ? 9 : 1);
    }
    channel.close();
  });
});
