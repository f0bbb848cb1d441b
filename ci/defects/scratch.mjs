/**
 * A scratch copy of the tree to break.
 *
 * Goals: cheap to make and to build: time stamps and build results come along, so that make
 * compiles what the patch touches; the installed packages are linked. What the tests of the
 * defect don't read stays out, which is most of it where all of them are native.
 */
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../process.mjs';

const leftOut = new Set(['.git', 'node_modules', 'coverage']);

/** All that the native tests of the plain variant are built from, but their executables. */
const nativeParts =
  /^(package\.json|(native|ci|spec)(\/.*)?|build|build\/native-tests(\/(main\.o|plain(\/.*)?))?)$/;
const objects =
  /^build\/native-tests\/plain\/(obj(\/.*)?|libcore\.a|flags|(core|test)\.h(\.gch|\.d)?)$/;

/** Results of runs, which are large and of no use in the copy. */
const results = /^build\/(coverage|test-results|bench|fuzz|native-tests)(\/|$)/;

/** What only a build of the addon and the library uses. */
const addonObjects = /^build\/Release\/(obj\.target|\.deps|dragon_core\.a)(\/|$)/;

/**
 * @param {import('./patch.mjs').Defect} defect
 * @returns {{ folder: string, remove: () => void }}
 */
export function makeScratch(defect) {
  const folder = mkdtempSync(join(tmpdir(), 'dd'));
  const isCopied = defect.isNative ? isNativePart : isScriptPart(defect.rebuild === 'native');
  for (const name of readdirSync(root)) {
    if (leftOut.has(name)) continue;
    cpSync(join(root, name), join(folder, name), {
      recursive: true,
      preserveTimestamps: true,
      verbatimSymlinks: true,
      filter: (path) => isCopied(path.slice(root.length + 1)),
    });
  }
  if (existsSync(join(root, 'node_modules'))) {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** @param {string} path relative to the root */
function isNativePart(path) {
  if (path.endsWith('.lock') || /\.gc(no|da)$/.test(path)) return false;
  if (!path.startsWith('build/native-tests/plain/')) return nativeParts.test(path);
  return objects.test(path);
}

/**
 * @param {boolean} isAddonBuilt
 * @returns {(path: string) => boolean}
 */
function isScriptPart(isAddonBuilt) {
  return (path) => {
    if (path.includes('node_modules') || path.endsWith('.lock')) return false;
    return !results.test(path) && (isAddonBuilt || !addonObjects.test(path));
  };
}
