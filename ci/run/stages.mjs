/**
 * The stages of a run, in their order.
 *
 * A stage that is a foundation ends the run when it fails: without a build every later stage
 * would only repeat its message.
 */
import { clearRaw, rawFolder } from '../coverage/raw.mjs';
import { run } from '../process.mjs';
import { runOnNode24 } from './node24.mjs';
import { runVitest } from './vitest.mjs';

/**
 * `text` is what a stage that ran beside others had to say.
 * @typedef {{ passed: number, failed: number, text?: string }} Counts
 * @typedef {object} Stage
 * @property {string} name
 * @property {boolean} [isFoundation]
 * @property {string} [beside] the stage with which this one begins
 * @property {(how: { isBeside: boolean }) => Promise<Counts>} run
 */

const node = process.execPath;

/**
 * A command whose success counts as one check.
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {() => Promise<Counts>}
 */
function check(command, args) {
  return async () => {
    const { code } = await run(command, args);
    return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  };
}

/**
 * A command that counts its own tests in a line `... N passed, M failed`.
 * @param {readonly string[]} args
 * @param {readonly string[]} [before] words before the command
 * @returns {Stage['run']}
 */
function counted(args, before = []) {
  return async ({ isBeside }) => {
    const [command = node, ...words] = [...before, node, ...args];
    const { code, output } = await run(command, words, { quiet: isBeside });
    const line = [...output.matchAll(/: (\d+) passed, (\d+) failed/g)].at(-1);
    const passed = Number(line?.[1] ?? 0);
    const failed = Number(line?.[2] ?? 0);
    const counts = { passed, failed: code === 0 ? failed : Math.max(failed, 1) };
    return isBeside ? { ...counts, text: output.trimEnd() } : counts;
  };
}

/** Gets what the other stages leave of the processor: most of them wait a lot. */
const withWhatIsLeft = ['chrt', '--idle', '0'];

async function runCoveredVitest() {
  clearRaw();
  return runVitest({ coverage: rawFolder });
}

const isFull = process.env['DRAGON_TEST_SIZE'] === 'full';
const tsc = 'node_modules/typescript/bin/tsc';

/** @type {readonly Stage[]} */
export const stages = [
  { name: 'install', isFoundation: true, run: check('npm', ['ci']) },
  { name: 'system-deps', run: check('ci/system-deps', []) },
  { name: 'build', isFoundation: true, run: check(node, ['ci/build.mjs', 'all']) },
  { name: 'generated', run: check(node, ['ci/generate.mjs', '--check']) },
  { name: 'lint', run: check(node, ['ci/lint.mjs']) },
  { name: 'types', run: check(node, [tsc, '--noEmit', '-p', 'tsconfig.json']) },
  { name: 'tidy', run: check(node, ['ci/tidy.mjs']) },
  { name: 'spec', run: check(node, ['ci/spec-coverage.mjs', '--holes']) },
  { name: 'models', run: counted(['ci/models.mjs']) },
  { name: 'native', run: counted(['ci/native-tests.mjs']) },
  { name: 'proof', run: counted(['ci/proof.mjs']) },
  { name: 'vitest', run: runCoveredVitest },
  { name: 'coverage', run: check(node, ['ci/coverage.mjs', '--report']) },
  { name: 'node24', run: runOnNode24 },
  // Before the benchmarks, beside which nothing runs.
  { name: 'fuzz', beside: 'native', run: counted(['ci/fuzz.mjs'], withWhatIsLeft) },
  {
    name: 'bench',
    run: check(node, ['bench/main.mjs', 'bench', '--profile', 'smoke', '--alarm']),
  },
  { name: 'defects', run: counted(['ci/defects.mjs', ...(isFull ? [] : ['--quick'])]) },
];
