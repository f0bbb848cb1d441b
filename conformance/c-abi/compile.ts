// Compiles C and C++ against the headers and the library of the package under test.
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { TestContext } from 'vitest';
import { packageRoot, repository, run } from '../harness/dragon.ts';
import { need } from '../harness/needs.ts';

export const library = join(packageRoot, 'build/Release/libdragon.so.1');
export const headers = join(packageRoot, 'native/include');
export const fixtures = resolve(repository, 'conformance/c-abi/fixtures');
export const vectors = resolve(repository, 'spec/vectors/c-abi');

const strict = ['-Wall', '-Wextra', '-Werror', '-pedantic'];

/** Skips the test where there is no compiler; nothing else is promised to users without one. */
export async function needCompiler(context: TestContext): Promise<void> {
  const found = await run('sh', ['-c', 'command -v cc && command -v c++']);
  need(context, 'a C and C++ compiler', found.code === 0 && existsSync(library));
}

/** Returns what the compiler said: nothing when all is well. */
export async function compile(source: string, options: readonly string[]): Promise<string> {
  const isCpp = source.endsWith('.cpp');
  const language = isCpp ? ['-std=c++17'] : ['-std=c99', '-D_POSIX_C_SOURCE=200809L'];
  const args = [...language, ...strict, '-I', headers, source, ...options];
  const { stderr } = await run(isCpp ? 'c++' : 'cc', args, { timeoutMs: 60_000 });
  return stderr;
}

/** Makes a program that finds the library where it lies. */
export async function program(source: string, folder: string, name: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  const said = await compile(source, ['-o', path, library, `-Wl,-rpath,${resolve(library, '..')}`]);
  if (said !== '') throw new Error(said);
  return path;
}
