/**
 * npm's install script: makes the native part, or says in one line that it could not.
 *
 * Goals: `npm ci` and `npm install` end well on a machine without a compiler, since
 * `dragon` itself says what to run; a binary that came with the package is used when it loads.
 * Non-goals: a report of what the compiler said. That is kept in `build/native.log`.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildNative, isClone, isNativeCurrent, nativeOutputs } from './build/native.mjs';
import { withBuildLock } from './build/stamp.mjs';
import { root, run } from './process.mjs';

/** A binary of another C library or processor is found out by loading it. */
async function hasWorkingBinaries() {
  if (!nativeOutputs.every((output) => existsSync(join(root, output)))) return false;
  const addon = JSON.stringify(join(root, /** @type {string} */ (nativeOutputs[0])));
  const loaded = await run(process.execPath, ['-e', `require(${addon})`], { quiet: true });
  const warden = join(root, /** @type {string} */ (nativeOutputs[1]));
  // Without its arguments the warden ends with a usage error: it has started.
  const started = await run(warden, [], { quiet: true, timeoutMs: 5000 });
  return loaded.code === 0 && started.code < 124;
}

/** The first command that node-gyp needs and this machine lacks. */
async function missingTool() {
  for (const tool of ['python3', 'make', process.env['CXX'] ?? 'g++']) {
    if ((await run(tool, ['--version'], { quiet: true })).code === 127) return tool;
  }
  return undefined;
}

async function install() {
  if (isClone ? isNativeCurrent() : await hasWorkingBinaries()) return;
  const tool = await missingTool();
  const failure = tool === undefined ? await build() : `${tool} was not found`;
  if (failure === undefined) return;
  const command = isClone ? 'npm run build' : 'npm rebuild dragon-runtime';
  console.error(`dragon: the native part was not built: ${failure}; mend that and run: ${command}`);
}

async function build() {
  const output = await withBuildLock('package', () => buildNative({ quiet: true }));
  if (output === undefined) return undefined;
  writeFileSync(join(root, 'build/native.log'), output);
  return 'the compiler failed, see build/native.log';
}

await install();
