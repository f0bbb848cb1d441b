import { describe, expect, it } from 'vitest';
import { Allocation } from './allocation.ts';
import { Channel } from './channel.ts';
import { useNode } from './node.fixture.ts';
import { Pool } from './pool.ts';

const fixture = useNode({ limitBytes: 1 << 20, initialBytes: 1 << 20 });
const codeOf = (code: string) => expect.objectContaining({ code });

describe('a resized allocation', () => {
  it('keeps what it had, shorter or longer, in a new buffer [COR-030]', () => {
    const memory = fixture.pool.allocateSync(100_000);
    const used = fixture.pool.stats().usedBytes;
    const old = memory.bytes;
    old.set([1, 2, 3]);
    memory.resize(50_000);
    expect([old.length, memory.byteLength, memory.bytes.length]).toEqual([0, 50_000, 50_000]);
    expect(fixture.pool.stats().usedBytes).toBeLessThanOrEqual(used - 45_000);
    memory.resize(90_000);
    expect(memory.bytes.length).toBe(90_000);
    expect([...memory.read(0, 3)]).toEqual([1, 2, 3]);
    memory.free();
    expect(() => memory.resize(10)).toThrow(codeOf('ERR_OBJECT_DESTROYED'));
    expect(fixture.pool.audit()).toBe('');
  });

  it('is as it was when that is not possible [COR-030]', () => {
    const memory = fixture.pool.allocateSync(600_000);
    const { bytes } = memory;
    bytes.fill(4);
    expect(() => memory.resize((1 << 20) + 1)).toThrow(codeOf('ERR_TOO_LARGE'));
    const rest = fixture.pool.tryAllocate(fixture.pool.stats().largestFreeBytes);
    expect(() => memory.resize(700_000)).toThrow(codeOf('ERR_OUT_OF_MEMORY'));
    for (const size of [0, -1, Number.NaN]) {
      expect(() => memory.resize(size)).toThrow(codeOf('ERR_INVALID_ARGUMENT'));
    }
    expect(memory.bytes).toBe(bytes);
    expect([bytes.length, bytes[599_999]]).toEqual([600_000, 4]);
    const other = Allocation.attach(fixture.node, memory.serialize());
    expect(() => other.resize(10)).toThrow(codeOf('ERR_NOT_OWNER'));
    memory.free();
    rest?.free();
  });
});

describe('a pool', () => {
  it('lists what lives in it, and finds it by its id [COR-031]', () => {
    const pool = Pool.create(fixture.node, { limitBytes: 1 << 20 });
    const channel = Channel.create(pool);
    const memory = pool.allocateSync(1234);
    const own = { id: memory.id, byteLength: 1234, type: 'data', owner: fixture.node.actorId };
    const all = pool.allocations();
    expect(all).toContainEqual(own);
    expect(all.find(({ type }) => type === 'channel')?.owner).toBeUndefined();
    expect(pool.find(memory.id)?.byteLength).toBe(1234);
    expect(pool.stats()).toMatchObject({ allocations: all.length, waiters: 0 });
    expect(pool.stats().requestedBytes).toBe(all.reduce((sum, one) => sum + one.byteLength, 0));
    memory.free();
    expect(pool.find(memory.id)).toBeUndefined();
    expect(pool.find(2n ** 64n)).toBeUndefined();
    channel.close();
    expect(pool.allocations()).toEqual([]);
    pool.close();
  });

  it('gives free memory at its end back to the system [COR-031]', () => {
    const pool = Pool.create(fixture.node, { limitBytes: 64 << 20 });
    pool.allocateSync(40 << 20).free();
    const { committedBytes } = pool.stats();
    const trimmed = pool.trim();
    expect(trimmed).toBeGreaterThan(0);
    expect(pool.stats().committedBytes).toBe(committedBytes - trimmed);
    pool.close();
  });
});
