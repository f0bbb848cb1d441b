import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Allocation } from './allocation.ts';
import { Channel } from './channel.ts';
import { RobustLock } from './lock.ts';
import { useNode } from './node.fixture.ts';
import { Node } from './node.ts';
import { Pool } from './pool.ts';

const fixture = useNode();

describe('channels from TypeScript', () => {
  it('keep parts, hints and order for payloads inline and by descriptor [COR-001]', () => {
    const channel = Channel.create(fixture.pool, { capacity: 10 });
    const sender = channel.openSender();
    const receiver = channel.openReceiver();
    const sizes = [0, 1, 191, 192, 193, 4096, 70_000, 2_000_000];
    for (const [i, size] of sizes.entries()) {
      const half = new Uint8Array(Math.floor(size / 2)).fill(i);
      const rest = new Uint8Array(size - half.length).fill(i + 100);
      expect(sender.trySend([half, rest], i * 1000)).toBe(true);
    }
    for (const [i, size] of sizes.entries()) {
      const message = receiver.receiveSync();
      expect(message.hints).toBe(i * 1000);
      expect(message.bytes.length).toBe(size);
      const half = Math.floor(size / 2);
      expect(message.bytes.subarray(0, half).every((byte) => byte === i)).toBe(true);
      expect(message.bytes.subarray(half).every((byte) => byte === i + 100)).toBe(true);
      message.release();
    }
    channel.close();
    expect(fixture.pool.stats().usedBytes).toBe(0);
    expect(fixture.pool.audit()).toBe('');
  });

  it('attach by handle, and an adopted reference counts as a sender [COR-002] [COR-003]', () => {
    const channel = Channel.create(fixture.pool, { endOfStream: true });
    const receiver = channel.openReceiver();
    const lent = channel.lend('sender');
    expect(channel.senders).toBe(1);
    const other = Channel.attach(fixture.node, lent.descriptor, { adopt: true });
    const sender = other.adoptedSender();
    sender.sendSync(Uint8Array.of(7));
    expect(receiver.receiveSync().bytes[0]).toBe(7);
    expect(() => Channel.attach(fixture.node, lent.descriptor, { adopt: true })).toThrow();
    sender.close();
    expect(() => receiver.tryReceive()).toThrow(expect.objectContaining({ code: 'ERR_EOF' }));
    other.close();
    channel.close();
  });

  it('refuse damaged handles with ERR_BAD_HANDLE [COR-002]', () => {
    const channel = Channel.create(fixture.pool);
    const handle = channel.serialize();
    for (let i = 0; i < handle.length; ++i) {
      const damaged = handle.slice();
      damaged[i] = (damaged[i] as number) ^ 0x40;
      expect(() => Channel.attach(fixture.node, damaged)).toThrow(
        expect.objectContaining({ code: 'ERR_BAD_HANDLE' }),
      );
    }
    channel.close();
  });
});

describe('pools from TypeScript', () => {
  it('tell "never fits" from "not now", and name their numbers [COR-004]', async () => {
    const pool = Pool.create(fixture.node, { limitBytes: 1 << 20, initialBytes: 1 << 16 });
    expect(() => pool.allocateSync(2 << 20)).toThrow(
      expect.objectContaining({ code: 'ERR_TOO_LARGE' }),
    );
    const most = pool.allocateSync(900_000);
    expect(pool.tryAllocate(900_000)).toBeUndefined();
    await expect(pool.allocate(900_000, { timeout: 5 })).rejects.toMatchObject({
      code: 'ERR_OUT_OF_MEMORY',
      message: expect.stringMatching(/limit 1048576.*used/),
    });
    const waiting = pool.allocate(900_000, { timeout: 5000 });
    most.free();
    const second = await waiting;
    second.write(Uint8Array.of(1, 2, 3), 10);
    const again = Allocation.attach(fixture.node, second.serialize());
    expect([...again.read(10, 3)]).toEqual([1, 2, 3]);
    second.free();
    expect(() => again.read(0, 1)).toThrow(
      expect.objectContaining({ code: 'ERR_OBJECT_DESTROYED' }),
    );
    pool.destroy();
    pool.close();
  });
});

describe('two nodes in one process', () => {
  it('have actors, pools and channels of their own and refuse each other [COR-006]', () => {
    const dir = mkdtempSync(join(tmpdir(), 'core-'));
    const other = Node.create({ dir });
    const pool = Pool.create(other);
    const channel = Channel.create(pool);
    const sender = channel.openSender();
    const receiver = channel.openReceiver();
    sender.sendSync(Uint8Array.of(3));
    expect(receiver.receiveSync().bytes[0]).toBe(3);
    expect(other.actors()).toHaveLength(1);
    expect(() => Channel.attach(fixture.node, channel.serialize())).toThrow(
      expect.objectContaining({ code: 'ERR_WRONG_NODE' }),
    );
    channel.close();
    pool.close();
    other.close();
    rmSync(dir, { recursive: true });
  });
});

describe('locks from TypeScript', () => {
  it('are taken, refused and released by anyone; a free one may not be released [COR-005]', () => {
    const lock = RobustLock.create(fixture.pool);
    const other = RobustLock.attach(fixture.node, lock.serialize());
    expect(lock.tryAcquire()).toBe(true);
    expect(other.tryAcquire()).toBe(false);
    expect(other.acquireSync({ timeout: 3 })).toBe(false);
    other.release();
    expect(() => lock.release()).toThrow(expect.objectContaining({ code: 'ERR_NOT_OWNER' }));
    lock.close();
    other.close();
  });
});

it('messages stay what they are, however many come after them [COR-001]', () => {
  const channel = Channel.create(fixture.pool);
  const [sender, receiver] = [channel.openSender(), channel.openReceiver()];
  const sizes = [1, 63, 64, 65, 100, 192, 193, 511, 512, 513, 1023, 1024, 1025];
  const kept = Array.from({ length: 1000 }, (_, i) => {
    sender.trySend(new Uint8Array(sizes[i % sizes.length] as number).fill(i & 0xff));
    return receiver.receiveSync().bytes;
  });
  for (const [i, bytes] of kept.entries()) {
    expect(bytes.length).toBe(sizes[i % sizes.length]);
    expect(bytes.every((byte) => byte === (i & 0xff))).toBe(true);
  }
  channel.close();
});
