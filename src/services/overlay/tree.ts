/**
 * The tree of the nodes: pure functions of the number of nodes, the fan-out and who is lost.
 *
 * A lost node's children belong to their nearest living ancestor. So who descends from whom
 * never changes, a loss concerns nobody but the neighbours of the lost node, and what is under
 * way between others stays where it is. Non-goals: who is lost, which watch.ts decides.
 */

export const DEFAULT_FAN_OUT = 32;
export const PRIMARY = 0;

export interface TreeShape {
  /** How many nodes there are, lost ones included. */
  readonly count: number;
  /** How many children a node has at most while nobody is lost. */
  readonly fanOut: number;
}

/** The parent in the tree of all nodes; undefined for the primary. */
export function firstParent({ fanOut }: TreeShape, nodeId: number): number | undefined {
  return nodeId === PRIMARY ? undefined : Math.floor((nodeId - 1) / fanOut);
}

/** The nearest living ancestor; undefined for the primary, and when no ancestor lives. */
export function parentOf(
  shape: TreeShape,
  dead: ReadonlySet<number>,
  nodeId: number,
): number | undefined {
  let parent = firstParent(shape, nodeId);
  while (parent !== undefined && dead.has(parent)) parent = firstParent(shape, parent);
  return parent;
}

/** The living nodes whose parent this node is, in order of their ids. */
export function childrenOf(shape: TreeShape, dead: ReadonlySet<number>, nodeId: number): number[] {
  const { count, fanOut } = shape;
  const children: number[] = [];
  const visit = (id: number): void => {
    const first = fanOut * id + 1;
    for (let child = first; child < Math.min(first + fanOut, count); ++child) {
      if (dead.has(child)) visit(child);
      else children.push(child);
    }
  };
  visit(nodeId);
  return children.sort((a, b) => a - b);
}

/** How many steps a node is from the primary when nobody is lost. */
export function depthOf(shape: TreeShape, nodeId: number): number {
  let depth = 0;
  for (let id = firstParent(shape, nodeId); id !== undefined; id = firstParent(shape, id)) {
    depth += 1;
  }
  return depth;
}

/** The longest way from the primary. */
export function heightOf(shape: TreeShape): number {
  return depthOf(shape, shape.count - 1);
}

/** Whether a node is another's descendant, or that node itself. */
export function isBelow(shape: TreeShape, nodeId: number, ancestor: number): boolean {
  let id: number | undefined = nodeId;
  while (id !== undefined && id > ancestor) id = firstParent(shape, id);
  return id === ancestor;
}

/** How many nodes a subtree has, its root and lost nodes included. */
export function subtreeSize({ count, fanOut }: TreeShape, nodeId: number): number {
  let size = 0;
  let [first, last] = [nodeId, nodeId];
  while (first < count) {
    size += Math.min(last, count - 1) - first + 1;
    [first, last] = [fanOut * first + 1, fanOut * last + fanOut];
  }
  return size;
}
