/** What every program may need of the runtime: tasks, errors, and where it runs. */
import type { Node } from './core/index.ts';
import { getRuntime, type NodeInfo } from './runtime/client/index.ts';

export { registerClass, registerError } from './codec/index.ts';
export { type CurrentProcess, currentProcess } from './multiprocessing/current.ts';
export { isRoot, type NodeInfo } from './runtime/client/index.ts';
export * from './runtime/errors/index.ts';
export { defineTask, inline, type Task } from './runtime/loader/index.ts';

/** The nodes of the run. Rejects with ERR_NO_RUNTIME outside a runtime. */
export async function nodes(): Promise<readonly NodeInfo[]> {
  return await getRuntime().nodes();
}

/**
 * This process's attachment to its node, with which objects of `dragon-runtime/core` are made and
 * attached to. Throws ERR_NO_RUNTIME outside a runtime.
 */
export function currentNode(): Node {
  return getRuntime().node;
}
