/**
 * Lists the C++ sources of each native product, for binding.gyp, the native tests and lint.
 *
 *     node ci/sources.mjs rooms|core|addon|library|warden|agent
 *
 * Goals: a source file is picked up because of where it lies, never by being listed.
 * Non-goals: headers; compilers report those themselves.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './process.mjs';

const wardenMain = 'native/process/warden_main.cpp';
const agentMain = 'native/agent/shell/agent_main.cpp';

/** @param {string} path */
const isTest = (path) => path.endsWith('_test.cpp');

/** @param {string} path */
const isFuzz = (path) => path.endsWith('_fuzz.cpp');

/** @param {string} path */
const isMain = (path) => path.endsWith('_main.cpp');

/**
 * Every file below `folder` with one of the endings, sorted, relative to the root.
 * @param {string} folder
 * @param {readonly string[]} endings
 * @returns {string[]}
 */
export function filesBelow(folder, endings) {
  /** @type {import('node:fs').Dirent[]} */
  let entries;
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch {
    return [];
  }
  return entries
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return filesBelow(path, endings);
      return endings.some((ending) => path.endsWith(ending)) ? [path] : [];
    })
    .sort();
}

/** What only the agent is linked with. @param {string} path */
const isBetweenNodes = (path) => /^native\/(fabric|agent\/shell)\//.test(path);

/** Everything that runs below Node-API: what addon, native tests and native benches share. */
export function coreSources() {
  return filesBelow('native', ['.cpp']).filter(
    (path) =>
      !isTest(path) &&
      !isFuzz(path) &&
      !isMain(path) &&
      !/^native\/(binding|bench|c|fuzz|proof)\//.test(path),
  );
}

/** The addon's own, besides the core. */
export function addonSources() {
  return filesBelow('native/binding', ['.cpp']).filter((path) => !isTest(path));
}

/** The C interface, besides the core. */
export function librarySources() {
  return filesBelow('native/c', ['.cpp']).filter((path) => !isTest(path));
}

/** The warden's own room and the one that it may import. */
function wardenRooms() {
  return coreSources().filter((path) => /^native\/(sync|process)\//.test(path));
}

/** What the warden is linked from. */
export function wardenSources() {
  return [...wardenRooms(), wardenMain];
}

export function nativeTestSources() {
  return filesBelow('native', ['.cpp']).filter(isTest);
}

/** What the proof's programs and tests share. */
export function proofSources() {
  const all = filesBelow('native/proof', ['.cpp']);
  return all.filter((path) => !isTest(path) && !isFuzz(path) && !isMain(path));
}

/** The proof's programs, each of them a main function. */
export function proofPrograms() {
  return filesBelow('native/proof', ['.cpp']).filter(isMain);
}

/** Targets of the fuzzer. */
export function fuzzSources() {
  return filesBelow('native', ['.cpp']).filter(isFuzz);
}

/** What the fuzzer's targets share. */
export function fuzzParts() {
  return filesBelow('native/fuzz', ['.cpp']);
}

/** All inputs of the native build. */
export function nativeInputs() {
  const all = filesBelow('native', ['.cpp', '.h', '.hpp', '.map']);
  return all.filter(
    (path) => !isTest(path) && !isFuzz(path) && !/^native\/(fuzz|proof)\//.test(path),
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const lists = {
    rooms: wardenRooms,
    // What speaks to other nodes is no part of the processes of users.
    core: () =>
      coreSources().filter((path) => !wardenRooms().includes(path) && !isBetweenNodes(path)),
    addon: addonSources,
    library: librarySources,
    warden: () => [wardenMain],
    agent: () => [...coreSources().filter(isBetweenNodes), agentMain],
  };
  const list = lists[/** @type {keyof typeof lists} */ (process.argv[2] ?? '')];
  console.log(list().join('\n'));
}
