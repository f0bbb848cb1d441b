/**
 * Runs the tests that cite what a defect breaks, in a scratch copy, and names the red ones.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { executableOf } from '../native-tests/targets.mjs';
import { run } from '../process.mjs';

/** A defect may well be a hang. */
const timeoutMs = 60_000;

/**
 * @typedef {{ titles: string[], output: string }} Red
 * @param {string} folder the scratch copy
 * @param {Pick<import('./patch.mjs').Defect, 'tests' | 'requirement'>} defect
 * @returns {Promise<Red>}
 */
export async function findRedTests(folder, { tests, requirement }) {
  const scripts = tests.filter((path) => path.endsWith('.ts'));
  /** @type {Red[]} */
  const results = [];
  for (const path of tests) {
    if (path.endsWith('.cpp')) results.push(await redNative(folder, path, requirement));
  }
  if (scripts.length > 0) results.push(await redScripts(folder, scripts, requirement));
  return {
    titles: results.flatMap((result) => result.titles),
    output: results.map((result) => result.output).join('\n'),
  };
}

/**
 * doctest prints a test case's title above its first failure. What hangs prints nothing: then it
 * is one of those that were asked for.
 * @param {string} folder
 * @param {string} test
 * @param {string} requirement
 * @returns {Promise<Red>}
 */
async function redNative(folder, test, requirement) {
  const executable = join(folder, executableOf(test, 'plain'));
  const chosen = `--test-case=*${requirement}*`;
  const options = optionsIn(folder, {});
  const { code, output } = await run(executable, [chosen], options);
  const isHang = code === 124;
  const titles = isHang
    ? (await run(executable, [chosen, '--list-test-cases'], options)).output.split('\n')
    : [...output.matchAll(/^TEST CASE: {2}(.*)$/gm)].map((match) => match[1] ?? '');
  return { titles, output };
}

/**
 * @param {string} folder
 * @param {readonly string[]} tests
 * @param {string} requirement
 * @returns {Promise<Red>}
 */
async function redScripts(folder, tests, requirement) {
  const resultsFile = join(folder, 'build/defect.json');
  const args = ['node_modules/vitest/vitest.mjs', 'run', '-t', requirement, ...tests];
  const options = optionsIn(folder, { DRAGON_TEST_RESULTS: resultsFile });
  const { output } = await run(process.execPath, args, options);
  return { titles: failedTitles(resultsFile), output };
}

/**
 * Temporary files lie in the copy, so that they go with it even after a time limit. So do the
 * counters of objects that were compiled elsewhere.
 * @param {string} folder
 * @param {NodeJS.ProcessEnv} extra
 * @returns {import('../process.mjs').RunOptions}
 */
function optionsIn(folder, extra) {
  const temporary = join(folder, 't');
  mkdirSync(temporary, { recursive: true });
  const env = {
    ...process.env,
    NODE_V8_COVERAGE: undefined,
    TMPDIR: temporary,
    GCOV_PREFIX: join(folder, 'counters'),
    ...extra,
  };
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
