/**
 * Builds the programs of `native/bench` into `build/bench`.
 *
 *     node bench/build-native.mjs
 *
 * Goals: one compiler call a program, with one set of flags that the results name; a program
 * whose inputs are unchanged is left alone.
 * Non-goals: nothing here is part of the package, and none of it is built by `npm ci`.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { digest, isCurrent, markCurrent } from '../ci/build/stamp.mjs';
import { root, run } from '../ci/process.mjs';
import { coreSources, filesBelow } from '../ci/sources.mjs';
import { compilerFlags } from './compiler-flags.mjs';

const warnings = ['-Wall', '-Wextra', '-Werror'];

/**
 * @typedef {object} Program
 * @property {string} name
 * @property {readonly string[]} sources
 * @property {readonly string[]} [flags]
 */

/** @returns {Program[]} */
function programs() {
  const floors = filesBelow('native/bench', ['.cpp']).filter((path) => /\/floors/.test(path));
  const channels = 'native/bench/channels.cpp';
  /** @type {Program[]} */
  const list = [
    { name: 'floors', sources: ['native/bench/measure.cpp', ...floors] },
    { name: 'pin', sources: ['native/bench/pin.cpp'] },
    { name: 'tiny', sources: ['native/bench/tiny.cpp'], flags: ['-static'] },
    { name: 'channels', sources: ['native/bench/measure.cpp', channels, ...coreSources()] },
  ];
  return list;
}

/**
 * @param {Program} program
 * @returns {Promise<boolean>} whether the program is there
 */
async function build({ name, sources, flags = [] }) {
  const output = `build/bench/${name}`;
  const args = [...compilerFlags, ...warnings, ...flags, '-Inative/include', '-Inative'];
  const headers = filesBelow('native', ['.h']);
  const inputs = digest([...sources, ...headers], args);
  if (isCurrent(`bench-${name}`, inputs, [output])) return true;
  const { code } = await run('g++', [...args, ...sources, '-o', output, '-pthread']);
  if (code === 0) markCurrent(`bench-${name}`, inputs);
  return code === 0;
}

/**
 * Builds the named programs, or all of them.
 * @param {readonly string[]} [names]
 * @returns {Promise<boolean>} whether all of them are there
 */
export async function buildBenchPrograms(names) {
  mkdirSync(join(root, 'build/bench'), { recursive: true });
  const wanted = programs().filter(({ name }) => names === undefined || names.includes(name));
  const results = await Promise.all(wanted.map(build));
  return results.every(Boolean);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (!(await buildBenchPrograms())) process.exitCode = 1;
}
