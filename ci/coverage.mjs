/**
 * Line coverage of both languages in one table; fails below the bound.
 *
 *     node ci/coverage.mjs [--report]
 *
 * `--report` judges the counters that an earlier test run left, as `npm test` does.
 *
 * Goals: every process that a test started counts, C++ and TypeScript alike.
 * Non-goals: branches and functions. One bound that everybody understands is enough.
 */
import { nativeLines } from './coverage/gcov.mjs';
import { clearRaw, rawFolder } from './coverage/raw.mjs';
import { coverageTable } from './coverage/table.mjs';
import { scriptLines } from './coverage/v8.mjs';
import { run } from './process.mjs';

/** Runs the tests that count. A red test is no reason to hide the table. */
async function measure() {
  clearRaw();
  const node = process.execPath;
  const native = await run(node, ['ci/native-tests.mjs', '--variant', 'plain']);
  const env = { ...process.env, NODE_V8_COVERAGE: rawFolder };
  const scripts = await run(node, ['node_modules/vitest/vitest.mjs', 'run'], { env });
  return native.code === 0 && scripts.code === 0;
}

const isGreen = process.argv.includes('--report') || (await measure());
const { text, isEnough } = coverageTable({
  'C++': await nativeLines(),
  TypeScript: await scriptLines(),
});
console.log(text);
process.exitCode = isGreen && isEnough ? 0 : 1;
