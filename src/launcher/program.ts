/**
 * What PROG is: a script for the interpreter, or an executable that is run as it is.
 *
 * Goals: whatever can't be run is refused before anything is started, in words that tell the
 * fix. Non-goals: transpiling (`runtime/loader`).
 */
import { accessSync, constants, readFileSync, type Stats, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { Failure } from './failure.ts';

export interface Program {
  readonly kind: 'script' | 'executable';
  /** Absolute. */
  readonly path: string;
}

const scriptEnding = /\.(ts|mts|js|mjs|cjs)$/;

export function findProgram(name: string, cwd: string, searchPath: string | undefined): Program {
  const here = resolve(cwd, name);
  if (scriptEnding.test(name) || name.includes('/')) return programAt(name, here);
  for (const directory of (searchPath ?? '/usr/bin:/bin').split(delimiter)) {
    const path = join(resolve(cwd, directory), name);
    if (inspect(path)?.isFile() && may(path, constants.X_OK)) return { kind: 'executable', path };
  }
  return programAt(name, here);
}

function programAt(name: string, path: string): Program {
  if (inspect(path)?.isDirectory()) return entryOf(name, path);
  if (scriptEnding.test(path)) return { kind: 'script', path: script(name, path) };
  return { kind: 'executable', path: executable(name, path) };
}

/** The script that a directory stands for: what its package.json names, or its index. */
function entryOf(name: string, directory: string): Program {
  const main = mainOf(directory);
  const named = main === undefined ? indices : [main, ...endings.map((ending) => main + ending)];
  const path = named
    .map((file) => resolve(directory, file))
    .find((file) => scriptEnding.test(file) && inspect(file)?.isFile());
  if (path !== undefined) return { kind: 'script', path: script(path, path) };
  const why =
    main === undefined
      ? 'without an index or a package.json that names its main'
      : `whose main, ${main}, is no script`;
  throw new Failure(`${name} is a directory ${why}; name a program in it`);
}

const endings = ['.js', '.cjs', '/index.js'];
const indices = ['index.ts', 'index.mts', 'index.js', 'index.mjs', 'index.cjs'];

/** What package.json says: `exports` goes before `main`, as it does for Node. */
function mainOf(directory: string): string | undefined {
  let manifest: { readonly main?: unknown; readonly exports?: unknown };
  try {
    manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) ?? {};
  } catch {
    return undefined;
  }
  const main = exported(manifest.exports) ?? manifest.main;
  return typeof main === 'string' && main !== '' ? main : undefined;
}

/** What `exports` has for the package itself, under the conditions of a program. */
function exported(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return undefined;
  const chosen = Object.entries(value).find(([key]) => /^(\.|node|import|default)$/.test(key));
  return exported(chosen?.[1]);
}

/** The interpreter of scripts: a path, or a name in PATH. */
export function findInterpreter(
  name: string | undefined,
  cwd: string,
  searchPath: string | undefined,
): string {
  if (name === undefined) return process.execPath;
  try {
    return findProgram(name, cwd, searchPath).path;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(`the interpreter of scripts: ${error.message} (--node or DRAGON_NODE)`);
  }
}

function script(name: string, path: string): string {
  present(name, path);
  if (!may(path, constants.R_OK)) {
    throw new Failure(`${name} may not be read; allow it with: chmod u+r ${name}`);
  }
  return path;
}

function executable(name: string, path: string): string {
  present(name, path);
  if (!may(path, constants.X_OK)) {
    throw new Failure(
      `${name} is no script (.ts .mts .js .mjs .cjs) and may not be executed; ` +
        `rename it, or: chmod u+x ${name}`,
    );
  }
  return path;
}

function present(name: string, path: string): void {
  const info = inspect(path);
  if (info === undefined) {
    throw new Failure(`${name} does not exist; give the path of a script or an executable`);
  }
}

/** Undefined for what does not exist and for what can't be looked at. */
function inspect(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
