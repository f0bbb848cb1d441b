import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deadlocks, type GraphWait } from './wait-graph.ts';

/** A wait in short: who waits for whom; `promise` unless a thread is blocked. */
function wait(actorId: number, wakers: number[], more: Partial<GraphWait> = {}): GraphWait {
  return { actorId, wakers, blocked: true, others: false, ...more };
}

/** The actors of each cycle, and those behind. */
function found(waits: readonly GraphWait[], awake: readonly number[] = []) {
  return deadlocks(waits, (actorId) => awake.includes(actorId)).map(
    ({ cycle, behind, certain }) => ({
      cycle: cycle.map(({ actorId }) => actorId),
      behind: behind.map(({ actorId }) => actorId),
      certain,
    }),
  );
}

describe('the wait-for graph', () => {
  it('has a deadlock where all that wait have their wakers among themselves [EVT-071]', () => {
    const ring = [wait(1, [2]), wait(2, [3]), wait(3, [1])];
    expect(found(ring)).toEqual([{ cycle: [1, 2, 3], behind: [], certain: true }]);
    // One way out is enough for all.
    expect(found([wait(1, [2, 4]), wait(2, [3]), wait(3, [1])])).toEqual([]);
    expect(found([wait(1, [2], { others: true }), wait(2, [3]), wait(3, [1])])).toEqual([]);
    // A way out that leads back in is none.
    expect(found([...ring.slice(1), wait(1, [2, 4]), wait(4, [2])])).toHaveLength(1);
    expect(found([wait(7, [7])])).toEqual([{ cycle: [7], behind: [], certain: true }]);
    expect(found([wait(7, [])])).toEqual([]);
  });

  it('tells who is stuck behind a deadlock from who is in it [EVT-071]', () => {
    const waits = [wait(5, [1]), wait(6, [5]), wait(1, [2]), wait(2, [1]), wait(8, [9])];
    expect(found(waits)).toEqual([{ cycle: [1, 2], behind: [5, 6], certain: true }]);
  });

  it('is careful about promises, which others may end [EVT-072]', () => {
    const promise = { blocked: false };
    const mixed = [wait(1, [2]), wait(2, [1], promise)];
    expect(found(mixed)).toEqual([{ cycle: [1, 2], behind: [], certain: false }]);
    expect(found([wait(3, [3], promise)])).toEqual([]);
    expect(found(mixed, [2])).toEqual([]);
    // A blocked thread runs no promises: what those wait for does not help.
    expect(found([...mixed.slice(0, 1), wait(1, [9], promise), wait(2, [1])])).toEqual([
      { cycle: [1, 2], behind: [], certain: true },
    ]);
    // Any of several promises may go on.
    expect(found([...mixed, wait(2, [9], promise)])).toEqual([]);
  });

  it('agrees with trying every set of actors [EVT-071]', () => {
    const actors = [0, 1, 2, 3, 4];
    const graph = fc.tuple(
      ...actors.map((actorId) =>
        fc
          .record({
            waits: fc.boolean(),
            wakers: fc.uniqueArray(fc.constantFrom(...actors), { minLength: 1, maxLength: 3 }),
            others: fc.nat({ max: 5 }).map((one) => one === 0),
          })
          .map((one) => ({ ...one, actorId })),
      ),
    );
    fc.assert(
      fc.property(graph, (nodes) => {
        const waits = nodes
          .filter((node) => node.waits)
          .map(({ actorId, wakers, others }) => wait(actorId, wakers, { others }));
        // The union of all sets that are stuck by definition.
        const stuck = new Set<number>();
        for (let set = 1; set < 1 << actors.length; set++) {
          const members = actors.filter((actorId) => set & (1 << actorId));
          const isStuck = members.every((actorId) => {
            const own = waits.find((one) => one.actorId === actorId);
            return own && !own.others && own.wakers.every((waker) => members.includes(waker));
          });
          if (isStuck) for (const member of members) stuck.add(member);
        }
        const told = found(waits);
        const all = told.flatMap(({ cycle, behind }) => [...cycle, ...behind]);
        expect([...new Set(all)].sort()).toEqual([...stuck].sort());
        for (const { cycle } of told) {
          for (const [index, actorId] of cycle.entries()) {
            const next = cycle[(index + 1) % cycle.length] as number;
            expect(waits.find((one) => one.actorId === actorId)?.wakers).toContain(next);
          }
        }
      }),
    );
  });
});
