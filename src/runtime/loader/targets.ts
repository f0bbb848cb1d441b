// How a function is named so that another process finds it: an export of a module, or its own text.
// Non-goals: calling it; and tasks that are not functions of JavaScript.
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DragonError, TaskNotFoundError } from '../errors/index.ts';
import { processModules } from './modules.ts';

/** What travels. Plain data that JSON carries. */
export type TargetReference =
  | {
      readonly v: 1;
      readonly kind: 'esm';
      /** The address of a file, a module of Node's own, or the name of a package's. */
      readonly module: string;
      /** The address from which a package's name is resolved. */
      readonly base?: string;
      readonly export: string;
    }
  | {
      readonly v: 1;
      readonly kind: 'inline';
      /** For messages. */
      readonly export: string;
      readonly source: string;
      readonly captured: Readonly<Record<string, unknown>>;
    };

export type ExportName = { readonly module: string; readonly export: string };

// biome-ignore lint/suspicious/noExplicitAny: only `any` parameters accept every function
export type AnyFunction = (...args: any[]) => unknown;

/** A function that knows where it is exported. */
export type Task<F extends AnyFunction> = F & ExportName;

const TASK = Symbol.for('dragon-runtime.task');

/** A class with this method is a target, too: the method is called as the function would be. */
export const RUN_AS_PROCESS: unique symbol = Symbol.for('dragon-runtime.run-as-process');

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

function mark<F extends AnyFunction>(fn: F, reference: TargetReference): F {
  Object.defineProperty(fn, TASK, { value: reference, configurable: true });
  return fn;
}

function markOf(fn: unknown): TargetReference | undefined {
  return (fn as Record<symbol, TargetReference | undefined>)[TASK];
}

/**
 * Declares an exported function as a task: `export const work = defineTask(import.meta.url, 'work',
 * (n: number) => 2 * n)`. It can be called as before, and it names itself to other processes.
 */
export function defineTask<F extends AnyFunction>(moduleUrl: string, name: string, fn: F): Task<F> {
  if (typeof fn !== 'function' || typeof name !== 'string') {
    throw new TypeError('defineTask(import.meta.url, name, function): an argument is missing');
  }
  const reference = namedBy(moduleUrl, name);
  const { module } = reference;
  mark(fn, reference);
  const fields = { module, export: name };
  for (const [key, value] of Object.entries(fields)) {
    Object.defineProperty(fn, key, { value, configurable: true });
  }
  return fn as Task<F>;
}

/**
 * Sends a function as its text. It can use its parameters, globals and what is given in `captured`
 * (plain data); imports and other variables around it are not there where it runs.
 */
export function inline<F extends AnyFunction>(
  fn: F,
  captured: Readonly<Record<string, unknown>> = {},
): F {
  const source = Function.prototype.toString.call(fn);
  const name = fn.name || 'an inline function';
  if (/^class\b/.test(source)) throw refused(name, 'it is a class');
  if (/\{\s*\[native code\]\s*\}$/.test(source)) throw refused(name, 'its text is not known');
  const unfit = Object.keys(captured).find((key) => !IDENTIFIER.test(key));
  if (unfit !== undefined) throw refused(name, `${unfit} is not the name of a variable`);
  try {
    compile(source, Object.keys(captured));
  } catch {
    throw refused(name, 'it is a method; wrap it in an arrow function');
  }
  const data = plainCopy(name, captured);
  const call = (...args: unknown[]) => fn(...args);
  return mark(call as F, { v: 1, kind: 'inline', export: name, source, captured: data });
}

function refused(name: string, why: string): DragonError {
  return new DragonError(`inline: ${name} can't be sent as text: ${why}`, {
    code: 'ERR_INVALID_ARGUMENT',
  });
}

function plainCopy(name: string, captured: object): Record<string, unknown> {
  // As a function, since only `this` has a value before its `toJSON` is called.
  const text = JSON.stringify(captured, function (this: Record<string, unknown>, key) {
    const value = this[key];
    if (isPlain(value)) return value;
    throw refused(name, `${key} is not plain data; pass it as an argument`);
  });
  return JSON.parse(text) as Record<string, unknown>;
}

/** What JSON carries without a change. */
function isPlain(value: unknown): boolean {
  if (value === null || Array.isArray(value)) return true;
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value === 'object') return Object.getPrototypeOf(value) === Object.prototype;
  return typeof value === 'string' || typeof value === 'boolean';
}

/** The function of an `inline` target. Only text that the same program sent ever gets here. */
export function compile(
  source: string,
  names: readonly string[],
): (...values: unknown[]) => unknown {
  return processModules().compile(names, `"use strict"; return (${source}\n);`);
}

/** Where a function is exported, if a loaded module of the program exports it. */
export function registeredName(fn: unknown): ExportName | undefined {
  if (typeof fn !== 'function') return undefined;
  const known = found.get(fn);
  if (known !== undefined && currentValue(known) === fn) return known;
  const name = search(fn, true) ?? search(fn, false);
  if (name !== undefined) found.set(fn, name);
  return name;
}

const found = new WeakMap<object, ExportName>();

function currentValue({ module, export: name }: ExportName): unknown {
  return readExport(processModules().entered.get(module)?.namespace, name);
}

/** A binding that is not set yet can't be read, and is no function yet. */
function readExport(
  namespace: Readonly<Record<string, unknown>> | undefined,
  name: string,
): unknown {
  try {
    return namespace?.[name];
  } catch {
    return undefined;
  }
}

/** `own` asks the modules that make the function first, then those that pass it on. */
function search(fn: unknown, own: boolean): ExportName | undefined {
  for (const module of processModules().entered.values()) {
    const names = own ? module.own : Object.getOwnPropertyNames(module.namespace);
    const name = names.find((key) => readExport(module.namespace, key) === fn);
    if (name !== undefined) return { module: module.source, export: name };
  }
  return undefined;
}

/** The reference of a task, of `{ module, export }`, or of a function that a module exports. */
export function referenceOf(target: unknown): TargetReference {
  if (typeof target === 'function') {
    const name = markOf(target) ?? registeredName(target);
    if (name === undefined) throw notExported(target);
    return 'v' in name ? name : { v: 1, kind: 'esm', ...name };
  }
  const { module, export: name } = (target ?? {}) as { module?: unknown; export?: unknown };
  const isNamed = typeof module === 'string' || module instanceof URL;
  if (!isNamed || typeof name !== 'string') {
    throw new TypeError('a target is a function that a module exports, or { module, export }');
  }
  return namedBy(String(module), name);
}

function notExported(fn: { readonly name: string }): TaskNotFoundError {
  const name = fn.name || 'this function';
  const shown = fn.name || 'work';
  return new TaskNotFoundError(
    `${name} can't be found by another process: no module of the program exports it; write ` +
      `"export function ${shown}" at the top of a module, or send its text with inline(...)`,
  );
}

type NamedReference = Extract<TargetReference, { kind: 'esm' }>;

function namedBy(module: string, name: string): NamedReference {
  const common = { v: 1, kind: 'esm', export: name } as const;
  if (isAbsolute(module)) return { ...common, module: pathToFileURL(module).href };
  if (module.startsWith('file:')) return { ...common, module: new URL(module).href };
  if (/^[a-z][a-z0-9+.-]+:/i.test(module)) return { ...common, module };
  if (!module.startsWith('.')) {
    const { program } = processModules();
    return { ...common, module, base: program ?? pathToFileURL(`${process.cwd()}/`).href };
  }
  throw new DragonError(
    `the module of a target is an address, not ${JSON.stringify(module)}; ` +
      "write: new URL('./tasks.ts', import.meta.url)",
    { code: 'ERR_INVALID_ARGUMENT' },
  );
}
