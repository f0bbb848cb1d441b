/**
 * Content stamps and the build lock.
 *
 * Goals: a build step whose inputs have not changed costs nothing, judged by content, since a
 * checkout changes every time stamp; two builds of one tree wait for each other.
 * Non-goals: finer steps than "native", "ts" and "types": make and esbuild look inside those.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../process.mjs';

/**
 * The digest of a step's inputs: the files' names and contents and what else decides.
 * @param {readonly string[]} files relative to the root
 * @param {readonly string[]} facts
 */
export function digest(files, facts) {
  const hash = createHash('sha256');
  for (const fact of facts) hash.update(`fact ${fact}\n`);
  for (const file of [...files].sort()) {
    const bytes = readFileSync(join(root, file));
    hash.update(`file ${file} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

/** @param {string} step */
const stampPath = (step) => join(root, 'build/stamps', step);

/**
 * Whether the step was made from these inputs and its outputs are still there.
 * @param {string} step
 * @param {string} inputDigest
 * @param {readonly string[]} outputs relative to the root
 */
export function isCurrent(step, inputDigest, outputs) {
  if (!outputs.every((output) => existsSync(join(root, output)))) return false;
  try {
    return readFileSync(stampPath(step), 'utf8') === inputDigest;
  } catch {
    return false;
  }
}

/**
 * @param {string} step
 * @param {string} inputDigest
 */
export function markCurrent(step, inputDigest) {
  mkdirSync(dirname(stampPath(step)), { recursive: true });
  writeFileSync(stampPath(step), inputDigest);
}

/**
 * Holds `build/NAME.lock` while `work` runs. A lock whose process has died is taken over.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withBuildLock(name, work) {
  const path = join(root, 'build', `${name}.lock`);
  mkdirSync(dirname(path), { recursive: true });
  while (!tryLock(path)) await sleep(50);
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** @param {string} path */
function tryLock(path) {
  try {
    const descriptor = openSync(path, 'wx');
    writeFileSync(descriptor, String(process.pid));
    closeSync(descriptor);
    return true;
  } catch {
    if (!holderLives(path)) rmSync(path, { force: true });
    return false;
  }
}

/** @param {string} path */
function holderLives(path) {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    // An empty file belongs to a process between its open and its write.
    if (pid === 0) return true;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
