/**
 * Runs vitest and counts from its report.
 *
 * Goals: a file that failed as a whole (it did not load, or left something behind) counts as
 * a failure; in CI so does a test that skipped for want of something.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root, run } from '../process.mjs';
import { isStrict } from '../system-packages.mjs';

/**
 * @typedef {object} Report
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {FileReport[]} testResults
 *
 * @typedef {object} FileReport
 * @property {string} name
 * @property {string} [message] why the file failed as a whole
 * @property {TestReport[]} assertionResults
 *
 * @typedef {object} TestReport
 * @property {string} status
 * @property {string} fullName
 * @property {string[]} [failureMessages]
 *
 * `coverage` is the folder for NODE_V8_COVERAGE.
 * @param {{ node?: string, files?: readonly string[], coverage?: string }} [options]
 * @returns {Promise<import('./stages.mjs').Counts>}
 */
export async function runVitest(options = {}) {
  const resultsFile = join(root, 'build/test-results/vitest.json');
  mkdirSync(dirname(resultsFile), { recursive: true });
  rmSync(resultsFile, { force: true });
  const coverage = options.coverage;
  const env = {
    ...process.env,
    DRAGON_TEST_RESULTS: resultsFile,
    ...(coverage === undefined ? {} : { NODE_V8_COVERAGE: coverage }),
  };
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...(options.files ?? [])];
  const { code } = await run(options.node ?? process.execPath, args, { env });
  const report = readReport(resultsFile);
  if (report === undefined) return { passed: 0, failed: 1 };
  const skipped = report.testResults
    .flatMap((file) => file.assertionResults)
    .filter(({ status }) => status !== 'passed' && status !== 'failed');
  for (const { fullName } of skipped) console.log(`skipped: ${fullName}`);
  const failed = report.numFailedTests + (isStrict ? skipped.length : 0);
  return { passed: report.numPassedTests, failed: code === 0 ? failed : Math.max(failed, 1) };
}

/**
 * @param {string} path
 * @returns {Report | undefined}
 */
function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
