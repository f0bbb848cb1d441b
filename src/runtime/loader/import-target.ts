// Finding, in this process, the function that another one named.
// Non-goals: calling it.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TaskNotFoundError } from '../errors/index.ts';
import { type Namespace, processModules } from './modules.ts';
import { addressOf } from './on-demand.ts';
import { compile, RUN_AS_PROCESS, type TargetReference } from './targets.ts';

/**
 * The function of a reference. Throws a TaskNotFoundError if the module or the export is missing;
 * an error that the module itself throws is thrown on.
 */
export async function importTarget(
  reference: TargetReference,
): Promise<(...args: unknown[]) => unknown> {
  if (reference.kind === 'inline') return compiled(reference);
  const { module, base, export: name } = reference;
  const namespace = await importModule(await resolved(module, base, name), name);
  const value = Object.hasOwn(namespace, name) ? namespace[name] : undefined;
  if (typeof value !== 'function') throw noFunction(module, name, namespace);
  return callable(value as Runnable);
}

type Runnable = ((...args: unknown[]) => unknown) & {
  readonly [RUN_AS_PROCESS]?: (...args: unknown[]) => unknown;
};

/** A function as it is, and what a class of processes has in place of one. */
function callable(value: Runnable): (...args: unknown[]) => unknown {
  return value[RUN_AS_PROCESS]?.bind(value) ?? value;
}

/**
 * The same without waiting: the function of text, or of a module that has been loaded here.
 * Undefined if the module has not, or does not export it.
 */
export function loadedTarget(
  reference: TargetReference,
): ((...args: unknown[]) => unknown) | undefined {
  if (reference.kind === 'inline') return compiled(reference);
  const { module, base, export: name } = reference;
  if (base !== undefined) return undefined;
  const value = processModules().entered.get(module)?.namespace[name];
  return typeof value === 'function' ? (value as () => unknown) : undefined;
}

function compiled({ captured, source }: Extract<TargetReference, { kind: 'inline' }>) {
  return compile(source, Object.keys(captured))(...Object.values(captured)) as () => unknown;
}

async function resolved(module: string, base: string | undefined, name: string): Promise<string> {
  if (base === undefined) return module;
  const { Resolver } = await import('./resolve.ts');
  try {
    return new Resolver().resolve(module, base).url;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw missing(module, name, why, cause);
  }
}

async function importModule(module: string, name: string): Promise<Namespace> {
  if (!module.startsWith('file:')) return (await processModules().load(module)) as Namespace;
  const path = fileURLToPath(module);
  if (!existsSync(path)) {
    throw missing(module, name, 'there is no such file; name a module that exists on this node');
  }
  return (await processModules().load(await addressOf(module))) as Namespace;
}

function noFunction(module: string, name: string, namespace: Namespace): TaskNotFoundError {
  const functions = Object.keys(namespace).filter((key) => typeof namespace[key] === 'function');
  const what = Object.hasOwn(namespace, name) ? 'is no function' : 'is not exported';
  const others = functions.length === 0 ? 'it exports none' : `it exports ${functions.join(', ')}`;
  return missing(module, name, `${name} ${what} there; ${others}`);
}

function missing(module: string, name: string, why: string, cause?: unknown): TaskNotFoundError {
  const shown = module.startsWith('file:') ? fileURLToPath(module) : module;
  return new TaskNotFoundError(`the target ${name} of ${shown} can't be found: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
    details: { module, export: name },
  });
}
