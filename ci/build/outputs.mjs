/**
 * Puts what esbuild made into place.
 *
 * A file whose content has not changed is not written again, and one that has changed is put
 * in place whole, so that a program that runs meanwhile never reads half of one.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../process.mjs';
import { filesBelow } from '../sources.mjs';

/**
 * Makes `folder` hold these scripts and no others; files of other kinds stay.
 * @param {string} folder relative to the root
 * @param {readonly { path: string, contents: Uint8Array }[]} files
 */
export function putOutputs(folder, files) {
  for (const { path, contents } of files) {
    if (existsSync(path) && readFileSync(path).equals(contents)) continue;
    mkdirSync(dirname(path), { recursive: true });
    const draft = `${path}.${process.pid}`;
    writeFileSync(draft, contents);
    renameSync(draft, path);
  }
  const current = new Set(files.map(({ path }) => path));
  for (const file of filesBelow(folder, ['.js', '.js.map'])) {
    const path = join(root, file);
    if (!current.has(path)) rmSync(path, { force: true });
  }
}
