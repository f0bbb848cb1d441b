/** What Queues and Locks that nobody uses cost: bytes of the node's pool and of this process. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isRoot } from 'dragon-runtime';
import { Node, Pool } from 'dragon-runtime/core';
import { Lock, Queue } from 'dragon-runtime/multiprocessing';
import { count, report } from './measure.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function bytesNow(pool: Pool): { readonly shared: number; readonly own: number } {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return { shared: pool.stats().usedBytes, own: heapUsed + external };
}

async function main(): Promise<void> {
  const objects = count('objects', 100);
  const pool = Pool.default(Node.current());
  // The first of each kind brings what all of them share.
  const first = [new Queue<number>(), new Lock()];
  const before = bytesNow(pool);
  const all = Array.from({ length: objects }, () => [new Queue<number>(), new Lock()]);
  const after = bytesNow(pool);
  const shared = after.shared - before.shared;
  const own = Math.max(0, after.own - before.own);
  for (const object of [...first, ...all.flat()]) object.close();
  report('B', [shared + own], objects * 2, { shared, own });
}

if (isRoot()) await main();
