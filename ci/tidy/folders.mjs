/**
 * House rule: every folder says in a README.md what its room is for.
 */
import { dirname } from 'node:path';

/** Folders of data, whose parent explains them, and tools' own folders. */
const exempt = /(^|\/)(fixtures|vectors|results|\.[^/]+)(\/|$)|^\.$/;

/**
 * @param {readonly string[]} paths all files of the tree
 * @returns {string[]}
 */
export function missingReadmes(paths) {
  const known = new Set(paths);
  const folders = new Set(paths.map((path) => dirname(path)));
  return [...folders]
    .filter((folder) => !exempt.test(folder) && !known.has(`${folder}/README.md`))
    .map((folder) => `${folder}: no README.md`);
}
