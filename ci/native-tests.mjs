/**
 * Builds and runs the native tests.
 *
 *     node ci/native-tests.mjs [--variant NAME]... [--build-only] [NAME_PART]...
 *
 * Goals: every `native/**` file named `x_test.cpp` becomes one executable per variant, linked
 * with the core's objects, which all tests of a variant share; a rebuild compiles what
 * changed. A test file's line `// variants: plain asan` narrows where it runs. The programs of
 * `native/proof` are built beside them, in the plain variant, and run by `ci/proof.mjs`.
 * Non-goals: the addon, whose binding has no logic of its own.
 *
 * The last line is `native: N passed, M failed`, counted in doctest's test cases.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { withBuildLock } from './build/stamp.mjs';
import { clearCounters } from './coverage/gcov.mjs';
import { runTest } from './native-tests/execute.mjs';
import { makefile } from './native-tests/makefile.mjs';
import { isCompilerCached } from './native-tests/precompiled.mjs';
import { buildFolder, target, variantsOf } from './native-tests/targets.mjs';
import { variantNames } from './native-tests/variants.mjs';
import { mapLimited, parallelism, root, run } from './process.mjs';
import { coreSources, nativeTestSources, proofPrograms } from './sources.mjs';
import { missingPackage } from './system-packages.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    variant: { type: 'string', multiple: true, default: [...variantNames] },
    'build-only': { type: 'boolean', default: false },
  },
});

/** Tests and programs. */
function findTargets() {
  return values.variant.flatMap((variant) => [
    ...nativeTestSources()
      .filter((source) => variantsOf(source).includes(variant))
      .map((source) => target(source, variant)),
    ...(variant === 'plain' ? proofPrograms().map((source) => target(source, variant)) : []),
  ]);
}

/** @param {string} source */
function isSelected(source) {
  return positionals.length === 0 || positionals.some((part) => source.includes(part));
}

/**
 * @typedef {import('./native-tests/makefile.mjs').NativeTest} NativeTest
 * @param {readonly NativeTest[]} all
 * @param {readonly NativeTest[]} wanted
 */
async function build(all, wanted) {
  const path = join(root, buildFolder, 'Makefile');
  mkdirSync(dirname(path), { recursive: true });
  const isPrecompiled = !isCompilerCached();
  const text = makefile({ buildFolder, cores: coreSources(), tests: all, isPrecompiled });
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text);
  const executables = wanted.map(({ executable }) => executable);
  const makeArgs = ['--silent', '-j', String(parallelism), '-k', '-f', path];
  const { code } = await run('make', [...makeArgs, ...executables]);
  return code === 0;
}

async function main() {
  if (!existsSync('/usr/include/doctest/doctest.h')) {
    const isAllowed = missingPackage('doctest-dev', 'native tests do not run');
    console.log(`native: 0 passed, ${isAllowed ? 0 : 1} failed`);
    return isAllowed;
  }
  const all = findTargets();
  const wanted = all.filter(({ source }) => isSelected(source));
  /** @type {Promise<{ passed: number, failed: number }[]>[]} */
  const runs = [];
  let isBuilt = true;
  // While the tests of one variant run, which mostly wait, the next one is compiled.
  for (const variant of new Set(wanted.map((target) => target.variant))) {
    const targets = wanted.filter((target) => target.variant === variant);
    isBuilt = (await withBuildLock('native-tests', () => build(all, targets))) && isBuilt;
    if (!isBuilt || values['build-only']) continue;
    // The counters of a run of all tests are those of this run alone.
    if (positionals.length === 0 && runs.length === 0) clearCounters();
    await runs.at(-1);
    runs.push(
      mapLimited(
        targets.filter(({ isProgram }) => !isProgram),
        parallelism,
        (test) => runTest(test),
      ),
    );
  }
  const results = (await Promise.all(runs)).flat();
  if (!isBuilt) {
    console.log('native: 0 passed, 1 failed (the tests did not build)');
    return false;
  }
  if (values['build-only']) return true;
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  console.log(`native: ${passed} passed, ${failed} failed`);
  return failed === 0;
}

process.exitCode = (await main()) ? 0 : 1;
