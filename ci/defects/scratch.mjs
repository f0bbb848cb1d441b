/**
 * A scratch copy of the tree to break.
 *
 * Goals: cheap to make and to build: time stamps and build results come along, so that make
 * compiles what the patch touches; the installed packages are linked.
 */
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../process.mjs';

const leftOut = new Set(['.git', 'node_modules', 'coverage']);

/** Results of runs, which are large and of no use in the copy. */
const leftOutOfBuild = ['coverage', 'test-results', 'bench'];

/**
 * @param {import('./patch.mjs').Defect['rebuild']} rebuild
 * @returns {{ folder: string, remove: () => void }}
 */
export function makeScratch(rebuild) {
  const folder = mkdtempSync(join(tmpdir(), 'dd'));
  for (const name of readdirSync(root)) {
    if (leftOut.has(name)) continue;
    cpSync(join(root, name), join(folder, name), {
      recursive: true,
      preserveTimestamps: true,
      verbatimSymlinks: true,
      filter: (path) => isCopied(path.slice(root.length + 1), rebuild),
    });
  }
  if (existsSync(join(root, 'node_modules'))) {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/**
 * @param {string} path relative to the root
 * @param {import('./patch.mjs').Defect['rebuild']} rebuild
 */
function isCopied(path, rebuild) {
  if (path.includes('node_modules') || path.endsWith('.lock')) return false;
  if (leftOutOfBuild.some((folder) => path === `build/${folder}`)) return false;
  // Objects are of use to the compiler only.
  return rebuild === 'native' || !/^build\/(native-tests|Release\/(obj\.target|\.deps))/.test(path);
}
