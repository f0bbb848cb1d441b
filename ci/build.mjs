/**
 * Builds the package.
 *
 *     node ci/build.mjs all|generate|native|ts|types|prepare
 *
 * Goals: `npm ci` in a fresh clone leaves a package that works; a step whose inputs are
 * unchanged is skipped. `prepare` is what npm calls: everything but the native part, which
 * the install script has tried before.
 * Non-goals: tests and checks.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, outputs } from './build/bundle.mjs';
import { buildNative } from './build/native.mjs';
import { digest, isCurrent, markCurrent, withBuildLock } from './build/stamp.mjs';
import { hasCompiler, writeTypes } from './build/types.mjs';
import { root, run } from './process.mjs';
import { filesBelow } from './sources.mjs';

/** @typedef {() => Promise<boolean>} Step answers whether it succeeded */

const ownInputs = [
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  ...filesBelow('ci/build', ['.mjs']),
];

/**
 * Runs a step unless it was made from the same inputs.
 * @param {string} name
 * @param {readonly string[]} files
 * @param {readonly string[]} outputs
 * @param {Step} work
 */
async function unlessCurrent(name, files, outputs, work) {
  const inputs = digest([...files, ...ownInputs], []);
  if (isCurrent(name, inputs, outputs)) return true;
  const succeeded = await work();
  if (succeeded) markCurrent(name, inputs);
  return succeeded;
}

/** @type {Step} */
async function generate() {
  const data = [...filesBelow('spec', ['.yaml']), ...filesBelow('conformance', ['.yaml'])];
  const files = [...data, ...filesBelow('ci/generate', ['.mjs']), 'ci/generate.mjs'];
  return unlessCurrent('generate', files, [], async () => {
    return (await run(process.execPath, ['ci/generate.mjs'])).code === 0;
  });
}

/** @type {Step} */
async function native() {
  return (await buildNative()) === undefined;
}

function sources() {
  return filesBelow('src', ['.ts']).filter((path) => !/\.(test|fixture)\.ts$/.test(path));
}

/** @type {Step} */
async function ts() {
  return unlessCurrent('ts', sources(), outputs(), async () => {
    return bundle().then(
      () => true,
      () => false,
    );
  });
}

/** @type {Step} */
async function types() {
  return unlessCurrent('types', sources(), ['dist/types'], writeTypes);
}

/** @type {Record<string, readonly Step[]>} */
const targets = {
  all: [generate, native, ts, types],
  generate: [generate],
  native: [native],
  ts: [ts],
  types: [types],
  prepare: hasCompiler ? [ts, types] : [ts],
};

const target = process.argv[2] ?? 'all';
const steps = targets[target];
if (steps === undefined) {
  console.error(`ci/build.mjs: no target ${target}; there are ${Object.keys(targets).join(', ')}`);
  process.exitCode = 2;
} else if (!existsSync(join(root, 'src'))) {
  // An installed package has no sources and is built already.
} else {
  await withBuildLock('package', async () => {
    for (const step of steps) {
      if (!(await step())) process.exitCode = 1;
    }
  });
}
