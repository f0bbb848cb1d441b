/** The tree for any number of nodes, any fan-out and any set of lost nodes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { membersOf, missingText, nodesText, rangesOf } from './ranges.ts';
import {
  childrenOf,
  depthOf,
  firstParent,
  heightOf,
  isBelow,
  parentOf,
  subtreeSize,
  type TreeShape,
} from './tree.ts';

const shapes = fc.record({
  count: fc.integer({ min: 1, max: 150 }),
  fanOut: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(32)),
});

/** A shape and some of its nodes; the primary is never lost. */
const losses = shapes.chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    dead: fc
      .uniqueArray(fc.integer({ min: 1, max: Math.max(1, shape.count - 1) }))
      .map((ids) => new Set(ids.filter((id) => id < shape.count))),
  }),
);

function all({ count }: TreeShape): number[] {
  return Array.from({ length: count }, (_, id) => id);
}

describe('the tree of the nodes', () => {
  it('gives node i the children f*i+1 to f*i+f [OVL-001]', () => {
    const shape = { count: 1100, fanOut: 32 };
    const none = new Set<number>();
    expect(childrenOf(shape, none, 0)).toEqual(Array.from({ length: 32 }, (_, i) => i + 1));
    expect(childrenOf(shape, none, 1)).toEqual(Array.from({ length: 32 }, (_, i) => i + 33));
    expect(childrenOf(shape, none, 34)).toEqual([
      1089, 1090, 1091, 1092, 1093, 1094, 1095, 1096, 1097, 1098, 1099,
    ]);
    expect(childrenOf(shape, none, 35)).toEqual([]);
    expect(heightOf({ count: 1057, fanOut: 32 })).toBe(2);
    expect(heightOf(shape)).toBe(3);
    expect(heightOf({ count: 1, fanOut: 32 })).toBe(0);
    fc.assert(
      fc.property(shapes, (one) => {
        for (const id of all(one)) {
          for (const child of childrenOf(one, none, id)) expect(firstParent(one, child)).toBe(id);
          const below = all(one).filter((other) => isBelow(one, other, id));
          expect(below.length).toBe(subtreeSize(one, id));
        }
      }),
      { numRuns: 20 },
    );
  });

  it('repairs itself: each living node has one living parent, no farther away [OVL-002]', () => {
    fc.assert(
      fc.property(losses, ({ shape, dead }) => {
        const living = all(shape).filter((id) => !dead.has(id));
        const seen = living.flatMap((id) => childrenOf(shape, dead, id));
        expect(seen.sort((a, b) => a - b)).toEqual(living.slice(1));
        for (const id of living) {
          for (const child of childrenOf(shape, dead, id)) {
            expect(parentOf(shape, dead, child)).toBe(id);
            expect(isBelow(shape, child, id)).toBe(true);
          }
          let steps = 0;
          for (let at = parentOf(shape, dead, id); at !== undefined; steps += 1) {
            at = parentOf(shape, dead, at);
          }
          expect(steps).toBeLessThanOrEqual(depthOf(shape, id));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('names nodes in ranges, and the ranges are the nodes [OVL-003]', () => {
    expect(nodesText([13, 7, 12, 15, 14])).toBe('nodes 7, 12-15');
    expect(nodesText([7])).toBe('node 7');
    expect(nodesText([7, 8])).toBe('nodes 7-8');
    const ids = fc.uniqueArray(fc.integer({ min: 0, max: 99 }));
    fc.assert(
      fc.property(ids, (set) => {
        expect(membersOf(rangesOf(set), 100)).toEqual([...set].sort((a, b) => a - b));
      }),
    );
    expect(
      membersOf(
        [
          { first: 98, last: 2 ** 32 - 1 },
          { first: 5, last: 4 },
        ],
        100,
      ),
    ).toEqual([98, 99]);
  });

  it('tells who is missing in one line [OVL-012]', () => {
    const text = 'nodes 7, 12-15 did not answer in 30 s (bring-up phase "services")';
    expect(missingText([7, 12, 13, 14, 15], 30_000, 'bring-up phase "services"')).toBe(text);
  });
});
