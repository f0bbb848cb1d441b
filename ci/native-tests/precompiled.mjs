/**
 * Headers that are compiled once for all sources of a variant: reading them is a third of the work.
 * Only those of the libraries: the sources' own names may be the same as those of other headers.
 *
 * Non-goals: a compiler that remembers its results (ccache) does better without, since every
 * source would depend on every header. Who includes too little is told by the package's build.
 */
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { root } from '../process.mjs';

const coreHeaders = ['algorithm', 'atomic', 'deque', 'map', 'memory', 'set', 'string', 'vector'];
const testHeaders = ['doctest/doctest.h', 'chrono', 'functional', 'random', 'thread'];

/** Whether the compiler of native tests remembers its results. */
export function isCompilerCached() {
  const name = process.env['CXX'] ?? 'g++';
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const path = name.includes('/')
    ? name
    : folders.map((folder) => join(folder, name)).find((candidate) => existsSync(candidate));
  return path !== undefined && existsSync(path) && basename(realpathSync(path)) === 'ccache';
}

/**
 * Writes the header that includes what most sources need.
 * @param {string} path relative to the root
 * @param {{ forTests: boolean }} options
 */
export function writePrecompiled(path, { forTests }) {
  const headers = forTests ? [...coreHeaders, ...testHeaders] : coreHeaders;
  const file = join(root, path);
  const text = headers.map((header) => `#include <${header}>\n`).join('');
  mkdirSync(dirname(file), { recursive: true });
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
}
