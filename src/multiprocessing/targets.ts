/**
 * What a process or a pool is asked to run: a task, an explicit `{ module, export }`, a
 * function that a loaded module exports, or `inline` source.
 *
 * Goals: every form reduces to a reference that can travel; what can't be referred to is
 * refused here, with the way out, and not in the child.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../core/native.ts';
import { referenceOf, type TargetReference } from '../runtime/loader/index.ts';

export type { AnyFunction, TargetReference } from '../runtime/loader/index.ts';

/** An export named by its module: a file URL or a bare specifier. */
export interface ExplicitTarget {
  readonly module: string | URL;
  readonly export: string;
}

/** Anything that can be run elsewhere with arguments `A` and result `R`. */
export type Target<A extends readonly unknown[] = never[], R = unknown> =
  | ((...args: [...A]) => R)
  | ExplicitTarget;

/** The reference of a target. Throws ERR_TARGET_NOT_FOUND when nothing exports it. */
export function resolveTarget(target: Target): TargetReference {
  return referenceOf(target);
}

/** Equal for equal references. */
export function targetKey(reference: TargetReference): string {
  return JSON.stringify(reference);
}

function builtModule(name: string): string {
  return pathToFileURL(join(packageRoot(), 'dist', 'multiprocessing', name)).href;
}

/** The main function of a pool's worker processes. */
export function poolWorkerTarget(): ExplicitTarget {
  return { module: builtModule('worker.js'), export: 'runPoolWorker' };
}
