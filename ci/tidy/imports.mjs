/**
 * House rule: imports go one way.
 *
 * The table is the architecture's. A room is the longest path in it that a file lies below; it
 * may import from itself and from the rooms in its row, and from nothing else.
 */
import { posix } from 'node:path';

/** @typedef {Record<string, readonly string[]>} Table */

/** Below the services stands what every process of a run has. */
const runtime = [
  'src/runtime/errors',
  'src/runtime/bootstrap/environment.ts',
  'src/core',
  'src/codec',
  'src/runtime/loader',
];

/** @type {Table} */
export const layers = {
  'src/runtime/errors': [],
  'src/runtime/bootstrap/environment.ts': ['src/runtime/errors'],
  'src/core': ['src/runtime/errors'],
  'src/runtime/loader': ['src/runtime/errors', 'src/core'],
  'src/codec': ['src/runtime/errors', 'src/core', 'src/runtime/loader'],
  'src/services/messages': ['src/runtime/errors'],
  'src/runtime/client': [...runtime, 'src/services/messages'],
  'src/runtime/bootstrap': [...runtime, 'src/services/messages', 'src/runtime/client'],
  'src/multiprocessing': [...runtime, 'src/runtime/client'],
  'src/services': [...runtime, 'src/services/messages'],
  'src/launcher': [...runtime, 'src/services/messages', 'src/services'],
  'src/tools': [...runtime, 'src/runtime/client', 'src/services', 'src/launcher'],
  src: [...runtime, 'src/runtime/bootstrap', 'src/runtime/client', 'src/multiprocessing'],
  'native/include': [],
  'native/sync': ['native/include'],
  'native/memory': ['native/include', 'native/sync'],
  'native/channel': ['native/include', 'native/sync', 'native/memory'],
  'native/event': ['native/include', 'native/sync', 'native/memory', 'native/channel'],
  'native/agent': [
    'native/include',
    'native/sync',
    'native/memory',
    'native/channel',
    'native/event',
    'native/fabric',
  ],
  'native/process': ['native/include', 'native/sync'],
  'native/fabric': ['native/include', 'native/sync', 'native/memory'],
  'native/binding': [
    'native/include',
    'native/sync',
    'native/memory',
    'native/channel',
    'native/event',
    'native/process',
  ],
  'native/c': ['native/include', 'native/sync', 'native/memory', 'native/channel', 'native/event'],
  'native/proof': [
    'native/include',
    'native/sync',
    'native/memory',
    'native/channel',
    'native/event',
    'native/process',
  ],
  'native/bench': [
    'native/include',
    'native/sync',
    'native/memory',
    'native/channel',
    'native/fabric',
    'native/agent',
  ],
};

/** What sources that are shipped may import besides Node's own modules. */
const shippedPackages = new Set(['esbuild', 'es-module-lexer', 'yaml']);

/** @param {string} path */
function roomOf(path) {
  const rooms = Object.keys(layers).filter((room) => `${path}/`.startsWith(`${room}/`));
  return rooms.sort((a, b) => b.length - a.length)[0];
}

const scriptImport = /(?:^|[^\w.])(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/;
const cppInclude = /^\s*#include "([^"]+)"/;

/** @param {import('../tree.mjs').SourceFile} file */
export function forbiddenImports({ path, text }) {
  const isCpp = path.startsWith('native/');
  if (/^(src|native)\/.*(\.(test|fixture)\.ts|_(test|fixture)\.(cpp|h))$/.test(path)) return [];
  return text.split('\n').flatMap((line, index) => {
    if (/^\s*(\*|\/\/|\/\*)/.test(line)) return [];
    const target = (isCpp ? cppInclude : scriptImport).exec(line)?.[1];
    const fault = target === undefined ? undefined : faultOf(path, target, isCpp);
    return fault === undefined ? [] : [`${path}:${index + 1}: ${fault}`];
  });
}

/**
 * @param {string} path
 * @param {string} target
 * @param {boolean} isCpp
 * @returns {string | undefined}
 */
function faultOf(path, target, isCpp) {
  const resolved = resolveTarget(path, target, isCpp);
  if (path.startsWith('conformance/')) {
    const isBlackBox = !/white-box/.test(path) && !path.startsWith('conformance/harness/');
    return isBlackBox && resolved.startsWith('src/')
      ? `a black-box suite imports ${resolved}; a white-box one says so in its path`
      : undefined;
  }
  const from = roomOf(path);
  if (from === undefined) return undefined;
  const to = roomOf(resolved);
  if (to !== undefined) {
    const isAllowed = from === to || layers[from]?.includes(to);
    return isAllowed ? undefined : `${from} may not import ${to}`;
  }
  const isForeign = !isCpp && !resolved.startsWith('node:') && !shippedPackages.has(resolved);
  return isForeign ? `${from} may not import ${resolved}` : undefined;
}

/**
 * @param {string} path
 * @param {string} target
 * @param {boolean} isCpp
 */
function resolveTarget(path, target, isCpp) {
  if (target.startsWith('.')) return posix.join(posix.dirname(path), target);
  if (!isCpp) return target;
  if (target.startsWith('dragon/')) return `native/include/${target}`;
  return target.includes('/') ? `native/${target}` : posix.join(posix.dirname(path), target);
}
