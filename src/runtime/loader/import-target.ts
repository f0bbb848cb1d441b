// Finding, in this process, the function that another one named.
// Non-goals: calling it.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TaskNotFoundError } from '../errors/index.ts';
import { addressOf, type Namespace } from './process-modules.ts';
import { Resolver } from './resolve.ts';
import { compile, type TargetReference } from './targets.ts';

/**
 * The function of a reference. Throws a TaskNotFoundError if the module or the export is missing; an
 * error that the module itself throws is thrown on.
 */
export async function importTarget(
  reference: TargetReference,
): Promise<(...args: unknown[]) => unknown> {
  if (reference.kind === 'inline') {
    const { captured, source } = reference;
    return compile(source, Object.keys(captured))(...Object.values(captured)) as () => unknown;
  }
  const { module, export: name } = reference;
  const namespace = await importModule(module, name);
  const value = Object.hasOwn(namespace, name) ? namespace[name] : undefined;
  if (typeof value !== 'function') throw noFunction(module, name, namespace);
  return value as () => unknown;
}

async function importModule(module: string, name: string): Promise<Namespace> {
  if (!module.startsWith('file:')) return (await import(module)) as Namespace;
  const path = fileURLToPath(module);
  if (!existsSync(path)) {
    throw new TaskNotFoundError(
      `the target ${name} of ${path} can't be found: there is no such file; name a module that ` +
        'exists on this node',
      { details: { module, export: name } },
    );
  }
  const { url, kind } = new Resolver().resolve(module, module);
  return (await import(kind === 'other' ? url : await addressOf(url))) as Namespace;
}

function noFunction(module: string, name: string, namespace: Namespace): TaskNotFoundError {
  const shown = module.startsWith('file:') ? fileURLToPath(module) : module;
  const functions = Object.keys(namespace).filter((key) => typeof namespace[key] === 'function');
  const what = Object.hasOwn(namespace, name) ? 'is no function' : 'is not exported';
  const others = functions.length === 0 ? 'it exports none' : `it exports ${functions.join(', ')}`;
  return new TaskNotFoundError(
    `the target ${name} of ${shown} can't be found: ${name} ${what} there; ${others}`,
    { details: { module, export: name } },
  );
}
