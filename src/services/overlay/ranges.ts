/** Sets of nodes as ranges of ids: short in a message, and readable in a line of text. */
import type { NodeRange } from '../messages/index.ts';

/** The ids in ranges, ascending. */
export function rangesOf(ids: Iterable<number>): NodeRange[] {
  const ranges: { first: number; last: number }[] = [];
  for (const id of [...ids].sort((a, b) => a - b)) {
    const open = ranges.at(-1);
    if (open !== undefined && id <= open.last + 1) open.last = id;
    else ranges.push({ first: id, last: id });
  }
  return ranges;
}

/** The ids of ranges. What is not below `count` is no node and is left out. */
export function membersOf(ranges: readonly NodeRange[], count: number): number[] {
  return ranges.flatMap(({ first, last }) => {
    const end = Math.min(last, count - 1);
    return first > end ? [] : Array.from({ length: end - first + 1 }, (_, at) => first + at);
  });
}

/** `nodes 7, 12-15`, or `node 7`. */
export function nodesText(ids: Iterable<number>): string {
  const ranges = rangesOf(ids);
  const words = ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
  const [only] = ranges;
  const isOne = ranges.length === 1 && only !== undefined && only.first === only.last;
  return `${isOne ? 'node' : 'nodes'} ${words.join(', ')}`;
}

/** What people read when nodes are missing: which, for how long, and what for. */
export function missingText(ids: Iterable<number>, patienceMs: number, what: string): string {
  return `${nodesText(ids)} did not answer in ${patienceMs / 1000} s (${what})`;
}
