/**
 * Runs one native test executable and counts its test cases.
 *
 * Goals: a crash, a sanitizer's report and a hang each count as a failure with the output
 * shown; a passing test prints one line.
 * Non-goals: retries. A test that fails now and then is a finding.
 */
import { join } from 'node:path';
import { root, run } from '../process.mjs';
import { variantOf } from './variants.mjs';

/** The limit is generous: TSan is ten times slower, and CI machines have neighbours. */
const generousMs = 120_000;

/**
 * @param {import('./makefile.mjs').NativeTest} test
 * @param {number} [timeoutMs]
 * @returns {Promise<{ passed: number, failed: number }>}
 */
export async function runTest(test, timeoutMs = generousMs) {
  const env = { ...process.env, ...variantOf(test.variant).env };
  const result = await run(join(root, test.executable), [], { env, timeoutMs, quiet: true });
  const cases = /test cases:\s+\d+ \|\s+(\d+) passed \|\s+(\d+) failed/.exec(result.output);
  const passed = Number(cases?.[1] ?? 0);
  const failed = Number(cases?.[2] ?? 0);
  const seconds = (result.elapsedMs / 1000).toFixed(1);
  const label = `${test.variant.padEnd(5)} ${test.name}`;
  if (result.code === 0 && cases !== null && failed === 0) {
    console.log(`  ok    ${label} (${passed} cases, ${seconds} s)`);
    return { passed, failed };
  }
  const cause = result.code === 124 ? `no end after ${timeoutMs} ms` : `exit ${result.code}`;
  console.log(`  FAIL  ${label} (${cause}, ${seconds} s)\n${result.output}`);
  return { passed, failed: Math.max(failed, 1) };
}
