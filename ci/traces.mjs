/**
 * What a test run may leave behind, as lists of lines that a person can act on.
 *
 * Goals: processes are known by an inherited environment variable, so that one that changed
 * its parent, its group or its name is found too; everything is compared before and after.
 * Non-goals: cleaning up. A leak is a failure of the product or of the test, and is shown.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @typedef {object} Traces
 * @property {string[]} processes processes that inherited the mark or name the folder
 * @property {string[]} descriptors open descriptors of this process that are no sockets
 * @property {string[]} sockets sockets of this process
 * @property {string[]} sharedMemory entries of /dev/shm
 * @property {string[]} files what lies in the watched folders
 */

/**
 * @typedef {object} Watch
 * @property {string} mark text in the environment of every process to look for, `NAME=value`
 * @property {readonly string[]} folders whose contents are compared
 * @property {string} [sharedMemory] default /dev/shm
 * @property {(pid: number) => boolean} [isOwn] processes that are part of the test runner
 */

/** @param {string} path */
function namesIn(path) {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** @param {string} path */
function textOf(path) {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** @param {Watch} watch */
function processes(watch) {
  const isOwn = watch.isOwn ?? (() => false);
  return namesIn('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && !isOwn(pid))
    .flatMap((pid) => {
      const command = textOf(`/proc/${pid}/cmdline`).split('\0').join(' ').trim();
      const environment = textOf(`/proc/${pid}/environ`).split('\0');
      const isMarked =
        environment.includes(watch.mark) || watch.folders.some((path) => command.includes(path));
      return isMarked ? [`process ${pid}: ${command.slice(0, 200)}`] : [];
    });
}

function openDescriptors() {
  return namesIn('/proc/self/fd').flatMap((name) => {
    try {
      return [readlinkSync(`/proc/self/fd/${name}`)];
    } catch {
      // The descriptor of this very listing.
      return [];
    }
  });
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function filesIn(folder) {
  return namesIn(folder).map((name) => join(folder, name));
}

/**
 * @param {Watch} watch
 * @returns {Traces}
 */
export function lookAround(watch) {
  const open = openDescriptors();
  return {
    processes: processes(watch),
    descriptors: open.filter((target) => !target.startsWith('socket:')),
    sockets: open.filter((target) => target.startsWith('socket:')),
    sharedMemory: filesIn(watch.sharedMemory ?? '/dev/shm'),
    files: watch.folders.flatMap(filesIn),
  };
}

/**
 * What is there now and was not before, one line each. Equal names are counted, so that a
 * second descriptor of an open file is found.
 * @param {Traces} before
 * @param {Traces} after
 */
export function difference(before, after) {
  /** @type {Record<keyof Traces, string>} */
  const labels = {
    processes: 'left running',
    descriptors: 'left open',
    sockets: 'left open',
    sharedMemory: 'left in shared memory',
    files: 'left on disk',
  };
  return /** @type {(keyof Traces)[]} */ (Object.keys(labels)).flatMap((kind) => {
    const known = [...before[kind]];
    return after[kind].flatMap((name) => {
      const index = known.indexOf(name);
      if (index < 0) return [`${labels[kind]}: ${name}`];
      known.splice(index, 1);
      return [];
    });
  });
}

/**
 * Compares until nothing is left or the time has passed, for what is just ending.
 * @param {Traces} before
 * @param {Watch} watch
 * @param {number} patienceMs
 */
export async function leftBehind(before, watch, patienceMs) {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const left = difference(before, lookAround(watch));
    if (left.length === 0 || performance.now() >= deadline) return left;
    await sleep(20);
  }
}
