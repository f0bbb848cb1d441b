import { describe, expect, it } from 'vitest';
import { Allocation } from './allocation.ts';
import { useNode } from './node.fixture.ts';
import { Pool } from './pool.ts';

const fixture = useNode({ limitBytes: 8 << 20 });
const codeOf = (code: string) => expect.objectContaining({ code });

function filled(length: number, fill: number): Allocation {
  const memory = fixture.pool.allocateSync(length);
  memory.bytes.fill(fill);
  return memory;
}

describe('the contents of an allocation', () => {
  it('are hashed and compared, whoever holds them [COR-032]', () => {
    using a = filled(1000, 5);
    using b = filled(1000, 5);
    using c = filled(999, 5);
    const same = Allocation.attach(fixture.node, a.serialize());
    expect([a.equals(b), a.equals(c), a.isSame(b), a.isSame(same)]).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect(a.hash()).toBe(b.hash());
    expect(a.hash()).not.toBe(c.hash());
    b.bytes[999] = 6;
    expect([a.equals(b), a.hash() === b.hash()]).toEqual([false, false]);
    b.free();
    expect(() => a.equals(b)).toThrow(codeOf('ERR_OBJECT_DESTROYED'));
    expect(() => b.hash()).toThrow(codeOf('ERR_OBJECT_DESTROYED'));
  });

  it('are copied and cleared [COR-032]', async () => {
    using a = filled(1000, 5);
    using b = filled(1200, 6);
    a.copyTo(b);
    expect([b.bytes[999], b.bytes[1000]]).toEqual([5, 6]);
    expect(() => b.copyTo(a)).toThrow(codeOf('ERR_BUFFER_TOO_SHORT'));
    b.clear(10, 20);
    expect([b.bytes[9], b.bytes[10], b.bytes[19], b.bytes[20]]).toEqual([5, 0, 0, 5]);
    b.clear(1100);
    expect([b.bytes[1099], b.bytes[1199]]).toEqual([6, 0]);
    expect(() => b.clear(1201)).toThrow(codeOf('ERR_INVALID_ARGUMENT'));
    const pool = Pool.create(fixture.node, { limitBytes: 1 << 16 });
    const copies = [a.tryCopy(pool), a.copySync(pool), await a.copy(pool)];
    for (const copy of copies) {
      expect([copy?.owned, copy?.equals(a), copy?.isSame(a)]).toEqual([true, true, false]);
    }
    using most = filled(65_000, 1);
    expect(most.tryCopy(pool)).toBeUndefined();
    expect(() => most.copySync(pool, { timeout: 2 })).toThrow();
    const waiting = most.copy(pool, { timeout: 5000 });
    for (const copy of copies) copy?.free();
    (await waiting).free();
    pool.close();
  });

  it('are named in part by a handle [COR-033]', () => {
    using a = filled(1000, 5);
    const part = Allocation.attach(fixture.node, a.serialize(100, 50));
    expect(part.byteLength).toBe(50);
    part.write(Uint8Array.of(7), 49);
    expect([a.bytes[148], a.bytes[149], a.bytes[150]]).toEqual([5, 7, 5]);
    expect(part.read(48)).toEqual(Uint8Array.of(5, 7));
    const inner = Allocation.attach(fixture.node, part.serialize(49));
    expect(inner.read()).toEqual(Uint8Array.of(7));
    for (const use of [() => part.write(Uint8Array.of(1), 50), () => part.read(40, 11)]) {
      expect(use).toThrow(codeOf('ERR_INVALID_ARGUMENT'));
    }
    expect(() => a.serialize(900, 101)).toThrow(codeOf('ERR_INVALID_ARGUMENT'));
    a.free();
    expect(() => part.read()).toThrow(codeOf('ERR_OBJECT_DESTROYED'));
  });
});

describe('a pool', () => {
  it('takes options, and tells what became of them [COR-034]', () => {
    const options = { limitBytes: 8 << 20, growthBytes: 1 << 20, populate: true, hugePages: true };
    const pool = Pool.create(fixture.node, { ...options, initialBytes: 1 << 20 });
    expect(['small', 'transparent', 'huge']).toContain(pool.placement.pages);
    expect(pool.placement.numaNode).toBeUndefined();
    expect(pool.stats().committedBytes).toBeLessThanOrEqual(2 << 20);
    pool.close();
    expect(() => Pool.create(fixture.node, { numaNode: 100_000 })).toThrow(
      codeOf('ERR_INVALID_ARGUMENT'),
    );
  });

  it('that is attached to read only is not changed [COR-034]', () => {
    using a = filled(1000, 5);
    const pool = Pool.attach(fixture.node, fixture.pool.serialize(), { readOnly: true });
    const seen = pool.find(a.id);
    expect(seen?.read(999)).toEqual(Uint8Array.of(5));
    expect(() => seen?.write(Uint8Array.of(1))).toThrow(codeOf('ERR_NOT_SUPPORTED'));
    expect(() => pool.tryAllocate(10)).toThrow(codeOf('ERR_NOT_SUPPORTED'));
    pool.close();
  });
});
