/** A node in a directory of its own, for the white-box tests of this folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { Node } from './node.ts';
import { Pool, type PoolOptions } from './pool.ts';

export interface NodeFixture {
  readonly node: Node;
  readonly pool: Pool;
}

/** Makes a node with a pool before the tests of a file and leaves nothing after them. */
export function useNode(options: PoolOptions = {}): NodeFixture {
  let dir = '';
  const fixture: { node: Node; pool: Pool } = {} as never;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'core-'));
    fixture.node = Node.create({ dir });
    fixture.pool = Pool.create(fixture.node, options);
  });
  afterAll(() => {
    fixture.pool.close();
    fixture.node.close();
    rmSync(dir, { recursive: true });
  });
  return fixture;
}
