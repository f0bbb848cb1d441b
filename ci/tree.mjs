/**
 * The files of the repository, as the checks see them.
 *
 * Goals: works in a scratch copy without git too, so it walks the folders and leaves out what
 * .gitignore leaves out.
 * Non-goals: speed tricks. The tree has a few hundred files.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './process.mjs';

const ignoredAtTop = new Set(['dist', 'build', 'coverage', '.git']);

/**
 * @typedef {object} SourceFile
 * @property {string} path relative to the root, with slashes
 * @property {string} text
 */

/**
 * Paths of all files, sorted.
 * @param {string} [top]
 * @returns {string[]}
 */
export function repositoryPaths(top = root) {
  /** @param {string} folder @returns {string[]} */
  const walk = (folder) =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      const isIgnored = entry.name === 'node_modules' || ignoredAtTop.has(relative(top, path));
      if (entry.isDirectory()) return isIgnored ? [] : walk(path);
      return entry.isFile() && !/\.(log|tgz)$/.test(entry.name) ? [relative(top, path)] : [];
    });
  return walk(top).sort();
}

/**
 * @param {string} path
 * @param {string} [top]
 * @returns {SourceFile}
 */
export function readSource(path, top = root) {
  return { path, text: readFileSync(join(top, path), 'utf8') };
}
