import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Allocation } from './allocation.ts';
import { Channel } from './channel.ts';
import { ZERO_COPY_BYTES } from './message.ts';
import { useNode } from './node.fixture.ts';
import { Node } from './node.ts';
import { Pool } from './pool.ts';

const fixture = useNode({ limitBytes: 64 << 20 });
const LARGE = 100_000;

const codeOf = (code: string) => expect.objectContaining({ code });
const usedBytes = (): number => fixture.pool.stats().usedBytes;

function pair(options = {}) {
  const channel = Channel.create(fixture.pool, options);
  return { channel, sender: channel.openSender(), receiver: channel.openReceiver() };
}

/** What happens to `buffer` in a transfer list: the name of the error, or 'cloned'. */
function transfer(buffer: ArrayBuffer): string {
  try {
    const clone = structuredClone(buffer, { transfer: [buffer] });
    return clone.byteLength === buffer.byteLength ? 'cloned' : 'lost';
  } catch (error) {
    return (error as Error).name;
  }
}

describe('an allocation', () => {
  it('is the memory itself, of exactly its length [COR-010]', () => {
    for (const length of [1, 1000, ZERO_COPY_BYTES, LARGE]) {
      const memory = fixture.pool.allocateSync(length);
      expect(memory.buffer.byteLength).toBe(length);
      expect(memory.buffer).toBe(memory.bytes.buffer);
      memory.bytes.fill(7);
      expect(memory.read(length - 1, 1)[0]).toBe(7);
      memory.write(Uint8Array.of(9), length - 1);
      expect(memory.bytes[length - 1]).toBe(9);
      memory.release();
    }
    expect(usedBytes()).toBe(0);
  });

  it('is cloned, sliced and wrapped as an ordinary buffer, and not transferred [COR-011]', () => {
    using memory = fixture.pool.allocateSync(LARGE);
    memory.bytes.fill(5);
    const copies = [structuredClone(memory.buffer), memory.buffer.slice(0)];
    expect(structuredClone(memory.bytes.subarray(10, 20))).toHaveLength(10);
    const shared = [Buffer.from(memory.buffer), new DataView(memory.buffer)];
    expect(Buffer.from(memory.bytes).buffer).not.toBe(memory.buffer);
    memory.bytes.fill(6);
    for (const copy of copies) expect(new Uint8Array(copy)[LARGE - 1]).toBe(5);
    for (const view of shared) expect(view.buffer).toBe(memory.buffer);
    const version = Number(process.versions.node.split('.')[0]);
    expect(transfer(memory.buffer)).toBe(version < 21 ? 'cloned' : 'DataCloneError');
    const { port1, port2 } = new MessageChannel();
    try {
      port1.postMessage(memory.bytes, [memory.buffer]);
    } catch (error) {
      expect((error as Error).name).toBe('DataCloneError');
    }
    port1.close();
    port2.close();
    expect(memory.buffer.byteLength).toBe(LARGE);
    expect(memory.bytes[0]).toBe(6);
  });

  it('has length 0 once it was given back, in every view [COR-013]', () => {
    const memory = fixture.pool.allocateSync(LARGE);
    const { buffer, bytes } = memory;
    const views = [bytes, bytes.subarray(10), new Uint8Array(buffer, 5, 6), Buffer.from(buffer)];
    memory.release();
    expect(buffer.byteLength).toBe(0);
    for (const view of views) expect(view.length).toBe(0);
    expect(usedBytes()).toBe(0);
    memory.release();
    expect(memory.owned).toBe(false);
    expect(memory.byteLength).toBe(0);
    for (const use of [() => memory.free(), () => memory.bytes, () => memory.read(0, 1)]) {
      expect(use).toThrow(codeOf('ERR_OBJECT_DESTROYED'));
    }
  });

  it('whose bytes were moved to another ArrayBuffer is given back with that [COR-013]', () => {
    const memory = fixture.pool.allocateSync(LARGE);
    const buffer = memory.buffer as ArrayBuffer & { transfer?: () => ArrayBuffer };
    const moved = buffer.transfer?.();
    if (moved === undefined) return memory.free(); // before Node 21
    expect(() => memory.free()).toThrow(codeOf('ERR_STATE'));
    expect(moved.byteLength).toBe(LARGE);
    expect(usedBytes()).toBeGreaterThanOrEqual(LARGE);
    return undefined;
  });

  it('of another owner is read and written by copy [COR-018]', () => {
    const memory = fixture.pool.allocateSync(LARGE);
    const other = Allocation.attach(fixture.node, memory.serialize());
    expect(other.owned).toBe(false);
    expect(() => other.buffer).toThrow(codeOf('ERR_NOT_OWNER'));
    memory.bytes.fill(0);
    other.write(Uint8Array.of(1, 2), 40);
    expect([...memory.bytes.subarray(39, 42)]).toEqual([0, 1, 2]);
    other.release();
    expect(memory.bytes.length).toBe(LARGE);
    memory.detach();
    expect(other.read(40, 2)).toEqual(Uint8Array.of(1, 2));
    other.free();
  });
});

describe('a received message', () => {
  it('lies in the pool from 16 KiB on until it is released [COR-010] [COR-013]', () => {
    const { channel, sender, receiver } = pair();
    const before = usedBytes();
    for (const length of [ZERO_COPY_BYTES - 1, ZERO_COPY_BYTES, LARGE]) {
      sender.trySend(new Uint8Array(length).fill(3), 17);
      const message = receiver.receiveSync();
      expect(message).toMatchObject({ hints: 17 });
      expect(message.bytes.buffer.byteLength).toBe(length);
      expect(message.bytes.every((byte) => byte === 3)).toBe(true);
      expect(usedBytes() - before >= length).toBe(length >= ZERO_COPY_BYTES);
      const { bytes } = message;
      message.release();
      expect(message.bytes.length).toBe(0);
      if (length >= ZERO_COPY_BYTES) expect(bytes.length).toBe(0);
      message.release();
      expect(usedBytes()).toBe(before);
    }
    channel.close();
  });

  it('has parts, each a buffer of exactly its bytes, which end with it [COR-065]', () => {
    const { channel, sender, receiver } = pair();
    const before = usedBytes();
    const payload = Uint8Array.from({ length: LARGE }, (_, i) => i);
    sender.trySend(payload);
    const message = receiver.receiveSync();
    const parts = [message.part(0, LARGE), message.part(8, 800), message.part(LARGE - 3, 3)];
    for (const [i, [from, to]] of [
      [0, LARGE],
      [8, 808],
      [LARGE - 3, LARGE],
    ].entries()) {
      expect(new Uint8Array(parts[i] as ArrayBuffer)).toEqual(payload.subarray(from, to));
    }
    message.bytes[9] = 77;
    expect(new Uint8Array(parts[1] as ArrayBuffer)[1]).toBe(77);
    expect(message.part(LARGE - 3, 4)).toBe(undefined);
    expect(message.part(-1, 4)).toBe(undefined);
    expect(structuredClone(parts[1]) as ArrayBuffer).toEqual(parts[1]);
    message.release();
    expect(parts.map((part) => part?.byteLength)).toEqual([0, 0, 0]);
    expect(usedBytes()).toBe(before);
    sender.trySend(new Uint8Array(100));
    expect(receiver.receiveSync().part(0, 10)).toBe(undefined);
    channel.close();
  });

  it('leaves its memory to its parts when it is told to [COR-066]', () => {
    const { channel, sender, receiver } = pair();
    const before = usedBytes();
    for (const count of [0, 1, 2]) {
      sender.trySend(new Uint8Array(LARGE).fill(4));
      const message = receiver.receiveSync();
      const { bytes } = message;
      const parts = Array.from({ length: count }, () => message.part(8, 800) as ArrayBuffer);
      message.leaveToParts();
      expect([bytes.length, message.bytes.length]).toEqual([0, 0]);
      expect(message.part(8, 800)).toBe(undefined);
      message.release();
      for (const part of parts) {
        expect(usedBytes()).toBeGreaterThanOrEqual(before + LARGE);
        expect(new Uint8Array(part)[799]).toBe(4);
        expect(fixture.node.native.releaseBuffer(part)).toBe(0);
        expect(part.byteLength).toBe(0);
      }
      expect(usedBytes()).toBe(before);
    }
    channel.close();
  });

  it('whose part was moved to another ArrayBuffer is not given back under it [COR-065]', () => {
    const { channel, sender, receiver } = pair();
    const before = usedBytes();
    sender.trySend(new Uint8Array(LARGE).fill(4));
    const message = receiver.receiveSync();
    const part = message.part(8, 800) as ArrayBuffer & { transfer?: () => ArrayBuffer };
    const { bytes } = message;
    const moved = part.transfer?.();
    message.release();
    expect(bytes.length).toBe(0);
    if (moved !== undefined) {
      expect(new Uint8Array(moved)[799]).toBe(4);
      expect(usedBytes()).toBeGreaterThanOrEqual(before + LARGE);
    }
    channel.close();
  });

  it('is a copy once a quarter of the pool is held [COR-014]', () => {
    const pool = Pool.create(fixture.node, { limitBytes: 1 << 20 });
    const channel = Channel.create(pool);
    const [sender, receiver] = [channel.openSender(), channel.openReceiver()];
    const held = [];
    for (let i = 0; i < 50; i++) {
      sender.sendSync(new Uint8Array(LARGE).fill(i), { timeout: 1000 });
      held.push(receiver.receiveSync().bytes);
    }
    expect(pool.stats().usedBytes).toBeLessThan(1 << 18);
    expect(held.every((bytes, i) => bytes.length === LARGE && bytes[LARGE - 1] === i)).toBe(true);
    channel.close();
    pool.close();
  });

  it('outlives its channel and pool, but not the node [COR-016]', () => {
    const dir = mkdtempSync(join(tmpdir(), 'core-'));
    const node = Node.create({ dir });
    const pool = Pool.create(node);
    const channel = Channel.create(pool);
    channel.openSender().trySend(new Uint8Array(LARGE).fill(4));
    const { bytes } = channel.openReceiver().receiveSync();
    const memory = pool.allocateSync(LARGE);
    const view = memory.bytes;
    channel.close();
    pool.close();
    expect([bytes[LARGE - 1], view.length]).toEqual([4, LARGE]);
    node.close();
    expect([bytes.length, view.length]).toEqual([0, 0]);
    rmSync(dir, { recursive: true });
  });
});

describe('a sent allocation', () => {
  it('is the same memory at the receiver, and none of the sender any more [COR-015]', async () => {
    const { channel, sender, receiver } = pair({ capacity: 3 });
    const before = usedBytes();
    const sends = [
      (memory: Allocation) => expect(sender.trySend(memory)).toBe(true),
      (memory: Allocation) => sender.sendSync(memory, { hints: 0 }),
      (memory: Allocation) => sender.send(memory),
    ];
    for (const send of sends) {
      const memory = fixture.pool.allocateSync(LARGE);
      const { bytes } = memory;
      bytes.fill(8);
      const used = usedBytes();
      await send(memory);
      expect([bytes.length, memory.owned]).toEqual([0, false]);
      expect(() => sender.trySend(memory)).toThrow(codeOf('ERR_OBJECT_DESTROYED'));
      using message = receiver.receiveSync();
      expect(message.bytes[LARGE - 1]).toBe(8);
      expect(usedBytes()).toBe(used);
    }
    expect(usedBytes()).toBe(before);
    channel.close();
  });

  it('stays the caller’s when the send fails [COR-015]', async () => {
    const { channel, sender, receiver } = pair({ capacity: 1 });
    const memory = fixture.pool.allocateSync(LARGE);
    memory.bytes.fill(2);
    sender.trySend(Uint8Array.of(1));
    expect(sender.trySend(memory)).toBe(false);
    expect(() => sender.sendSync(memory, { timeout: 1 })).toThrow(codeOf('ERR_TIMEOUT'));
    const stop = new AbortController();
    const sending = sender.send(memory, { signal: stop.signal });
    stop.abort();
    await expect(sending).rejects.toMatchObject({ name: 'AbortError' });
    expect(memory.bytes[LARGE - 1]).toBe(2);

    const waiting = sender.send(memory);
    memory.release();
    receiver.receiveSync();
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_OBJECT_DESTROYED' });
    expect(receiver.tryReceive()).toBeUndefined();
    channel.close();
  });

  it('has to be one of this process and of the channel’s pool [COR-015]', () => {
    const { channel, sender } = pair();
    const memory = fixture.pool.allocateSync(LARGE);
    const other = Allocation.attach(fixture.node, memory.serialize());
    expect(() => sender.trySend(other)).toThrow(codeOf('ERR_NOT_OWNER'));
    const pool = Pool.create(fixture.node, { limitBytes: 1 << 20 });
    using elsewhere = pool.allocateSync(1000);
    expect(() => sender.trySend(elsewhere)).toThrow(codeOf('ERR_INVALID_ARGUMENT'));
    expect([memory.owned, elsewhere.owned]).toEqual([true, true]);
    memory.release();
    elsewhere.release();
    pool.close();
    channel.close();
  });
});

it('a send that waits has its bytes already [COR-017]', async () => {
  const { channel, sender, receiver } = pair({ capacity: 1 });
  sender.trySend(Uint8Array.of(1));
  const memory = fixture.pool.allocateSync(LARGE);
  const small = Uint8Array.of(1, 2, 3);
  memory.bytes.fill(6);
  const first = sender.send(memory.bytes);
  const second = sender.send([small, memory.bytes.subarray(0, 2)]);
  memory.release();
  small.fill(0);
  receiver.receiveSync();
  await first;
  expect(receiver.receiveSync().bytes).toEqual(new Uint8Array(LARGE).fill(6));
  await second;
  expect([...receiver.receiveSync().bytes]).toEqual([1, 2, 3, 6, 6]);
  channel.close();
});
