/**
 * What PROG is: a script for the interpreter, or an executable that is run as it is.
 *
 * Goals: whatever can't be run is refused before anything is started, in words that tell the
 * fix. Non-goals: transpiling (`runtime/loader`).
 */
import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { Failure } from './failure.ts';

export interface Program {
  readonly kind: 'script' | 'executable';
  /** Absolute. */
  readonly path: string;
}

const scriptEnding = /\.(ts|mts|js|mjs|cjs)$/;

export function findProgram(name: string, cwd: string, searchPath: string | undefined): Program {
  if (scriptEnding.test(name)) return { kind: 'script', path: script(name, resolve(cwd, name)) };
  if (name.includes('/')) return { kind: 'executable', path: executable(name, resolve(cwd, name)) };
  for (const directory of (searchPath ?? '/usr/bin:/bin').split(delimiter)) {
    const path = join(resolve(cwd, directory), name);
    if (inspect(path)?.isFile() && may(path, constants.X_OK)) return { kind: 'executable', path };
  }
  return { kind: 'executable', path: executable(name, join(cwd, name)) };
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
  if (info.isDirectory()) throw new Failure(`${name} is a directory; name a program in it`);
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
