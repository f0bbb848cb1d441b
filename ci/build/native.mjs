/**
 * Builds the addon and the warden with node-gyp.
 *
 * Goals: needs nothing from the network when the interpreter's headers lie beside it, and
 * works in a clone (own node-gyp) as well as in an installation (the one inside npm).
 * Non-goals: cleaning. `node-gyp rebuild` would remove everything below `build`.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parallelism, root, run } from '../process.mjs';
import { nativeInputs } from '../sources.mjs';
import { digest, isCurrent, markCurrent } from './stamp.mjs';

export const nativeOutputs = [
  'build/Release/dragon_native.node',
  'build/Release/dragon-warden',
  'build/Release/dragon-agent',
  'build/Release/libdragon.so.1',
];

/** A clone has the sources of the tests; a package has not. */
export const isClone = existsSync(join(root, 'tsconfig.json'));

function nativeDigest() {
  const scripts = ['binding.gyp', 'ci/sources.mjs'];
  return digest([...nativeInputs(), ...scripts], [process.platform, process.arch]);
}

export function isNativeCurrent() {
  return isCurrent('native', nativeDigest(), nativeOutputs);
}

/**
 * Returns undefined when the addon is there, else the output of what failed.
 * @param {{ quiet?: boolean }} [options]
 * @returns {Promise<string | undefined>}
 */
export async function buildNative(options = {}) {
  const inputs = nativeDigest();
  if (isNativeCurrent()) return undefined;
  const gyp = findNodeGyp();
  if (gyp === undefined) return 'node-gyp was not found\n';
  const jobs = String(parallelism);
  const args = [gyp, 'configure', 'build', '--loglevel=error', '--jobs', jobs];
  const gypArgs = isClone ? [] : ['--', '-Ddragon_werror=0'];
  const { code, output } = await run(process.execPath, [...args, ...headers(), ...gypArgs], {
    quiet: options.quiet ?? false,
    env: gypEnvironment(),
  });
  if (code !== 0) return output;
  markCurrent('native', inputs);
  return undefined;
}

/**
 * gyp runs `node ci/sources.mjs`; it has to be the interpreter that we are. With -k make goes
 * on after an error, so that one run shows all of them.
 */
function gypEnvironment() {
  const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
  return { ...process.env, PATH: path, MAKEFLAGS: 'k' };
}

/** @returns {string | undefined} */
function findNodeGyp() {
  try {
    return createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
  } catch {
    return process.env['npm_config_node_gyp'];
  }
}

/** Without this node-gyp downloads the headers. */
function headers() {
  const prefix = dirname(dirname(process.execPath));
  const found = existsSync(join(prefix, 'include/node/node_api.h'));
  return found ? [`--nodedir=${prefix}`] : [];
}
