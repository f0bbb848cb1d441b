import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Allocation } from './allocation.ts';
import { Channel, type PollEvent } from './channel.ts';
import { useNode } from './node.fixture.ts';
import { Pool } from './pool.ts';

const fixture = useNode();

const codeOf = (code: string, details?: object) =>
  expect.objectContaining(details === undefined ? { code } : { code, details });

function pair(options = {}) {
  const channel = Channel.create(fixture.pool, options);
  return { channel, sender: channel.openSender(), receiver: channel.openReceiver() };
}

const bytesOf = (length: number) => new Uint8Array(length).fill(length % 256);
const smallPool = (limitBytes = 64 << 10) => Pool.create(fixture.node, { limitBytes });

describe('a message', () => {
  it('is received into a pool, in every form [COR-037]', async () => {
    const { channel, sender, receiver } = pair();
    const other = smallPool();
    for (const pool of [other, fixture.pool]) {
      for (const size of [0, 5, 192, 500, 20_000]) {
        for (const form of ['try', 'sync', 'async']) {
          sender.sendSync(bytesOf(size), { hints: size });
          const found =
            form === 'try'
              ? receiver.tryReceiveTo(pool)
              : form === 'sync'
                ? receiver.receiveToSync(pool)
                : await receiver.receiveTo(pool);
          expect(found).toMatchObject({ byteLength: size, hints: size });
          expect(found?.memory.bytes.subarray(0, size)).toEqual(bytesOf(size));
          expect(pool.find(found?.memory.id ?? 0n)).toBeDefined();
          found?.memory.free();
        }
      }
    }
    expect(receiver.tryReceiveTo(other)).toBeUndefined();
    channel.close();
    expect([other.stats().usedBytes, fixture.pool.stats().usedBytes]).toEqual([0, 0]);
    other.close();
  });

  it('waits for memory to be received into, and stays without it [COR-037]', async () => {
    const { channel, sender, receiver } = pair();
    const pool = smallPool();
    const taken = pool.allocateSync(50 << 10);
    sender.sendSync(bytesOf(30_000));
    expect(receiver.tryReceiveTo(pool)).toBeUndefined();
    expect(() => receiver.receiveToSync(pool, { timeout: 2 })).toThrow(codeOf('ERR_TIMEOUT'));
    await expect(receiver.receiveTo(pool, { timeout: 2 })).rejects.toThrow(codeOf('ERR_TIMEOUT'));
    const waiting = receiver.receiveTo(pool);
    await new Promise((resolve) => setTimeout(resolve, 3));
    expect(pool.stats().waiters).toBe(1);
    // Another takes the message; then the wait is for a message again.
    receiver.receiveSync().release();
    taken.free();
    await new Promise((resolve) => setTimeout(resolve, 3));
    expect(channel.info().blockedReceivers).toBe(1);
    sender.sendSync(bytesOf(40_000));
    const { memory, byteLength } = await waiting;
    expect(byteLength).toBe(40_000);
    sender.sendSync(bytesOf(70_000));
    expect(() => receiver.tryReceiveTo(pool)).toThrow(codeOf('ERR_TOO_LARGE'));
    await expect(receiver.receiveTo(pool)).rejects.toThrow(codeOf('ERR_TOO_LARGE'));
    receiver.tryPop();
    sender.sendSync(bytesOf(30_000));
    const closed = receiver.receiveTo(pool);
    await new Promise((resolve) => setTimeout(resolve, 3));
    expect(pool.stats().waiters).toBe(1);
    channel.close();
    await expect(closed).rejects.toThrow(codeOf('ERR_CLOSED'));
    memory.free();
    pool.close();
  });

  it('is received into an allocation that is long enough [COR-037]', async () => {
    const { channel, sender, receiver } = pair();
    const pool = smallPool();
    using into = pool.allocateSync(300);
    for (const size of [0, 5, 300]) {
      sender.sendSync(bytesOf(size), { hints: 9 });
      const found = await receiver.receiveTo(into);
      expect(found).toEqual({ memory: into, byteLength: size, hints: 9 });
      expect(into.bytes.subarray(0, size)).toEqual(bytesOf(size));
    }
    sender.sendSync(bytesOf(301));
    const tooShort = codeOf('ERR_BUFFER_TOO_SHORT', { bytes: 301 });
    expect(() => receiver.tryReceiveTo(into)).toThrow(tooShort);
    await expect(receiver.receiveTo(into)).rejects.toThrow(tooShort);
    const named = Allocation.attach(fixture.node, into.serialize());
    expect(() => receiver.receiveToSync(named)).toThrow(codeOf('ERR_NOT_OWNER'));
    expect(channel.messageCount).toBe(1);
    channel.close();
    pool.close();
  });

  it('that is long lies in the pool for payloads [COR-038]', async () => {
    const payloadPool = smallPool(128 << 10);
    const { channel, sender, receiver } = pair({ payloadPool });
    const before = fixture.pool.stats().allocations;
    sender.sendSync(bytesOf(500));
    sender.sendSync(bytesOf(20_000));
    expect(payloadPool.stats().allocations).toBe(2);
    expect(fixture.pool.stats().allocations).toBe(before);
    expect(receiver.receiveSync().bytes).toEqual(bytesOf(500));
    using message = receiver.receiveSync();
    expect(message.bytes).toEqual(bytesOf(20_000));
    expect(payloadPool.stats().allocations).toBe(1);
    const taken = payloadPool.allocateSync(90_000);
    expect(sender.trySend(bytesOf(30_000))).toBe(false);
    const sending = sender.send(bytesOf(30_000));
    await new Promise((resolve) => setTimeout(resolve, 3));
    expect(payloadPool.stats().waiters).toBe(1);
    taken.free();
    message.release();
    await sending;
    const here = Channel.attach(fixture.node, channel.serialize()).openReceiver();
    expect(here.receiveSync().bytes.length).toBe(30_000);
    here.channel.close();
    channel.close();
    payloadPool.close();
  });
});

describe('a channel', () => {
  it('gives its messages up, one or all [COR-039]', async () => {
    const { channel, sender, receiver } = pair({ capacity: 3, endOfStream: true });
    expect(receiver.tryPop()).toBe(false);
    for (const size of [1, 500, 20_000]) sender.sendSync(bytesOf(size));
    expect(receiver.tryPop()).toBe(true);
    expect(channel.drain()).toBe(2);
    expect(channel.drain()).toBe(0);
    for (const size of [1, 500, 20_000]) sender.sendSync(bytesOf(size));
    const waiting = sender.send(bytesOf(2));
    channel.reset();
    await waiting;
    expect(receiver.receiveSync().bytes.length).toBe(2);
    sender.close();
    expect(() => receiver.tryPop()).toThrow(codeOf('ERR_EOF'));
    const other = Channel.attach(fixture.node, channel.serialize());
    channel.destroy();
    expect(() => other.drain()).toThrow(codeOf('ERR_OBJECT_DESTROYED'));
    expect(() => other.reset()).toThrow(codeOf('ERR_OBJECT_DESTROYED'));
    other.close();
    expect(() => other.drain()).toThrow(codeOf('ERR_CLOSED'));
    channel.close();
    expect(fixture.pool.stats().usedBytes).toBe(0);
  });

  it('tells what it is and who is at it [COR-039]', async () => {
    const { channel, receiver } = pair({ capacity: 3, blockBytes: 100, endOfStream: true });
    const other = Channel.attach(fixture.node, channel.serialize());
    const waiting = receiver.receive();
    expect(other.info()).toEqual({
      capacity: 3,
      blockBytes: 128,
      endOfStream: true,
      remote: false,
      messages: 0,
      free: 3,
      senders: 1,
      receivers: 1,
      holders: 2,
      blockedSenders: 0,
      blockedReceivers: 1,
    });
    other.openSender().sendSync(bytesOf(1));
    await waiting;
    channel.destroy();
    expect(() => other.info()).toThrow(codeOf('ERR_OBJECT_DESTROYED'));
    other.close();
    expect(() => other.info()).toThrow(codeOf('ERR_CLOSED'));
    channel.close();
  });

  it('that masquerades as remote refuses what is for its own node [COR-041]', () => {
    const { channel, sender, receiver } = pair();
    sender.sendSync(bytesOf(1));
    channel.masqueradeAsRemote(true);
    expect(channel.info().remote).toBe(true);
    const refused = codeOf('ERR_NOT_SUPPORTED');
    for (const call of [
      () => receiver.tryPeek(),
      () => receiver.tryPop(),
      () => channel.reset(),
      () => channel.drain(),
      () => channel.destroy(),
    ]) {
      expect(call).toThrow(refused);
    }
    const other = Channel.attach(fixture.node, channel.serialize());
    expect(other.openReceiver().tryPeek()?.bytes.length).toBe(1);
    expect(receiver.receiveSync().bytes.length).toBe(1);
    channel.masqueradeAsRemote(false);
    channel.reset();
    other.close();
    channel.close();
  });
});

const events: PollEvent[] = ['in', 'out', 'empty', 'full', 'inout', 'destroyed'];

/** A channel and what polls of it should say. */
class Polled {
  readonly ends: ReturnType<typeof pair>;
  readonly other: Channel;
  readonly capacity: number;
  readonly endOfStream: boolean;
  count = 0;
  isOpen = true;
  isDestroyed = false;

  constructor(capacity: number, endOfStream: boolean) {
    this.ends = pair({ capacity, endOfStream });
    this.other = Channel.attach(fixture.node, this.ends.channel.serialize());
    this.capacity = capacity;
    this.endOfStream = endOfStream;
  }

  get ended(): boolean {
    return this.endOfStream && !this.isOpen;
  }

  says(event: PollEvent): boolean {
    const isIn = this.count > 0 || this.ended;
    const isOut = this.count < this.capacity;
    const all = { in: isIn, out: isOut, empty: this.count === 0, full: !isOut };
    return { ...all, inout: isIn || isOut, destroyed: this.isDestroyed }[event];
  }

  act(act: string): void {
    const { channel, sender, receiver } = this.ends;
    if (this.isDestroyed) return;
    if (act === 'send' && this.isOpen) this.count += Number(sender.trySend(bytesOf(1)));
    if (act === 'receive' && (this.count > 0 || !this.ended)) {
      this.count -= Number(receiver.tryReceive() !== undefined);
    }
    if (act === 'drain') this.count -= channel.drain();
    if (act === 'close') {
      sender.close();
      this.isOpen = false;
    }
    if (act === 'destroy') {
      channel.destroy();
      this.isDestroyed = true;
    }
  }

  /** Brings about what is waited for, which is not so now. */
  bringAbout(event: PollEvent): void {
    const { channel, receiver } = this.ends;
    if (event === 'empty') this.count -= channel.drain();
    if (event === 'out' || event === 'inout') this.count -= Number(receiver.tryPop());
    if (event !== 'in' && event !== 'full') return;
    const late = channel.openSender();
    while (!this.says(event)) this.count += Number(late.trySend(bytesOf(1)));
    late.close();
  }

  async poll(event: PollEvent, form: string): Promise<boolean> {
    if (form === 'try') return this.other.tryPoll(event);
    if (form === 'sync') return this.other.pollSync(event, { timeout: 0 });
    return this.other.poll(event, { timeout: 0 });
  }

  /** Somebody waits before the step, and is told if it comes to be so. */
  async step({ act, event, form }: { act: string; event: PollEvent; form: string }) {
    const timeout = event === 'destroyed' ? 3 : 2000;
    const before = this.isDestroyed ? undefined : this.other.poll(event, { timeout });
    before?.catch(() => undefined);
    const wasSo = this.says(event);
    this.act(act);
    const gone = codeOf('ERR_OBJECT_DESTROYED');
    const isRefused = this.isDestroyed && event !== 'destroyed';
    if (isRefused) await expect(this.poll(event, form)).rejects.toThrow(gone);
    else expect(await this.poll(event, form)).toBe(this.says(event));
    if (before === undefined) return;
    if (isRefused && !wasSo) return expect(before).rejects.toThrow(gone);
    const isTold = wasSo || this.says(event);
    if (!isTold) this.bringAbout(event);
    expect(await before).toBe(isTold || event !== 'destroyed');
  }

  close(): void {
    this.other.close();
    this.ends.channel.close();
  }
}

describe('polls', () => {
  const step = fc.record({
    act: fc.constantFrom('send', 'receive', 'drain', 'close', 'destroy'),
    event: fc.constantFrom(...events),
    form: fc.constantFrom('try', 'sync', 'async'),
  });

  it('are true for what a model of the channel says [COR-040]', async () => {
    const steps = fc.array(step, { maxLength: 25 });
    const capacity = fc.integer({ min: 1, max: 3 });
    await fc.assert(
      fc.asyncProperty(steps, capacity, fc.boolean(), async (all, most, endOfStream) => {
        const polled = new Polled(most, endOfStream);
        for (const one of all) await polled.step(one);
        polled.close();
      }),
      { numRuns: 60 },
    );
    expect(fixture.pool.stats().usedBytes).toBe(0);
  });
});
