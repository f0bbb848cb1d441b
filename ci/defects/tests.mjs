/**
 * Runs test files in a scratch copy and names the red ones.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../process.mjs';

/** A defect may well be a hang. */
const timeoutMs = 60_000;

/**
 * @typedef {{ titles: string[], output: string }} Red
 * @param {string} folder the scratch copy
 * @param {readonly string[]} tests
 * @returns {Promise<Red>}
 */
export async function findRedTests(folder, tests) {
  const native = tests.filter((path) => path.endsWith('.cpp'));
  const scripts = tests.filter((path) => path.endsWith('.ts'));
  const results = [
    native.length > 0 ? await redNative(folder, native) : undefined,
    scripts.length > 0 ? await redScripts(folder, scripts) : undefined,
  ].filter((result) => result !== undefined);
  return {
    titles: results.flatMap((result) => result.titles),
    output: results.map((result) => result.output).join('\n'),
  };
}

/**
 * doctest prints a test case's title above its first failure.
 * @param {string} folder
 * @param {readonly string[]} tests
 * @returns {Promise<Red>}
 */
async function redNative(folder, tests) {
  const args = ['ci/native-tests.mjs', '--variant', 'plain', ...tests];
  const { output } = await run(process.execPath, args, optionsIn(folder, {}));
  const titles = [...output.matchAll(/^TEST CASE: {2}(.*)$/gm)].map((match) => match[1] ?? '');
  return { titles, output };
}

/**
 * @param {string} folder
 * @param {readonly string[]} tests
 * @returns {Promise<Red>}
 */
async function redScripts(folder, tests) {
  const resultsFile = join(folder, 'build/defect.json');
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...tests];
  const options = optionsIn(folder, { DRAGON_TEST_RESULTS: resultsFile });
  const { output } = await run(process.execPath, args, options);
  return { titles: failedTitles(resultsFile), output };
}

/**
 * Temporary files lie in the copy, so that they go with it even after a time limit.
 * @param {string} folder
 * @param {NodeJS.ProcessEnv} extra
 * @returns {import('../process.mjs').RunOptions}
 */
function optionsIn(folder, extra) {
  const temporary = join(folder, 't');
  mkdirSync(temporary, { recursive: true });
  const env = { ...process.env, NODE_V8_COVERAGE: undefined, TMPDIR: temporary, ...extra };
  return { cwd: folder, env, quiet: true, timeoutMs };
}

/** @param {string} resultsFile */
function failedTitles(resultsFile) {
  try {
    /** @type {import('../run/vitest.mjs').Report} */
    const report = JSON.parse(readFileSync(resultsFile, 'utf8'));
    return report.testResults
      .flatMap((file) => file.assertionResults)
      .filter(({ status }) => status === 'failed')
      .map(({ fullName }) => fullName);
  } catch {
    return [];
  }
}
