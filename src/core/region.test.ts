import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useNode } from './node.fixture.ts';
import { Node } from './node.ts';
import { Pool } from './pool.ts';
import { Region } from './region.ts';

const fixture = useNode();

const codeOf = (code: string) => expect.objectContaining({ code });

describe('regions from TypeScript', () => {
  it('show the same bytes in every attachment [COR-070]', () => {
    using region = Region.create(fixture.pool, 100_000);
    using other = Region.attach(fixture.node, region.serialize());
    const bytes = new Uint8Array(region.buffer);
    expect([region.byteLength, other.byteLength, bytes.length]).toEqual([1e5, 1e5, 1e5]);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    bytes[99_999] = 5;
    expect(new Uint8Array(other.buffer)[99_999]).toBe(5);
    expect(region.buffer).toBe(region.buffer);
    for (const wrong of [0, -1, Number.NaN]) {
      expect(() => Region.create(fixture.pool, wrong)).toThrow(codeOf('ERR_INVALID_ARGUMENT'));
    }
    for (const huge of [2 ** 40, Number.POSITIVE_INFINITY]) {
      expect(() => Region.create(fixture.pool, huge)).toThrow(codeOf('ERR_TOO_LARGE'));
    }
    const types = fixture.pool.allocations().map(({ type }) => type);
    expect(types).toContain('region');
  });

  it('are given back by close, which detaches their bytes [COR-071]', () => {
    const before = fixture.pool.stats().usedBytes;
    const region = Region.create(fixture.pool, 5000);
    const lent = region.lend();
    const view = new Float64Array(region.buffer, 8, 2);
    view[0] = 1.5;
    region.close();
    region.close();
    expect([view.length, region.byteLength]).toEqual([0, 0]);
    expect(() => region.buffer).toThrow(codeOf('ERR_CLOSED'));
    const heir = Region.attach(fixture.node, lent.descriptor, { adopt: true });
    const kept = new Float64Array(heir.buffer);
    expect(kept[1]).toBe(1.5);
    heir.destroy();
    expect(() => Region.attach(fixture.node, heir.serialize())).toThrow(
      codeOf('ERR_OBJECT_DESTROYED'),
    );
    expect(kept[1]).toBe(1.5);
    heir.close();
    expect(fixture.pool.stats().usedBytes).toBe(before);
  });

  it('are detached with the node [COR-071]', () => {
    const dir = mkdtempSync(join(tmpdir(), 'core-'));
    const node = Node.create({ dir });
    const pool = Pool.create(node);
    const bytes = new Uint8Array(Region.create(pool, 100).buffer);
    bytes[9] = 3;
    pool.close();
    node.close();
    rmSync(dir, { recursive: true });
    expect(bytes.length).toBe(0);
  });
});
