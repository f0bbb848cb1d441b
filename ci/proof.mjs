/**
 * Builds and runs the proof of crash safety.
 *
 *     node ci/proof.mjs [kills|steps]... [--runs N] [--seed S] [--jobs J] [--repeat R] [--full]
 *
 * `kills` is the kill-point driver: 2,000 random runs from a seed that it prints, unless told
 * otherwise. `steps` is the exhaustive mode: every write of every call, and of every tenth
 * recovery; with `--full`, or DRAGON_TEST_SIZE=full, every instruction and every recovery.
 *
 * Goals: one command that needs g++ and node; without arguments, what a test run does.
 * Non-goals: judging. The programs do that, and print the seed and the script of a failure.
 *
 * The last line is `proof: N passed, M failed`, in runs and cases.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { recordCampaign } from './campaign-record.mjs';
import { parallelism, root, run } from './process.mjs';

const folder = join(root, 'build/native-tests/plain');
const isFull = process.env['DRAGON_TEST_SIZE'] === 'full';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: isFull ? '20000' : '2000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    jobs: { type: 'string', default: String(parallelism) },
    repeat: { type: 'string', default: '1' },
    full: { type: 'boolean', default: isFull },
  },
});

const { runs, seed, jobs, repeat } = values;

/** @type {Record<string, readonly string[]>} */
const programs = {
  kills: ['--runs', runs, '--seed', seed, '--jobs', jobs, '--repeat', repeat],
  steps: values.full ? ['--recoveries', '1'] : ['--by', 'writes', '--recoveries', '10'],
};

async function build() {
  const args = ['ci/native-tests.mjs', '--build-only', '--variant', 'plain', 'native/proof/'];
  return (await run(process.execPath, args)).code === 0;
}

/** From so many runs on they are a campaign, which leaves a record. */
const recordedRuns = 50_000;

/**
 * @param {string} name
 * @param {{ passed: number, failed: number }} counts
 * @param {Date} startedAt
 */
async function record(name, { passed, failed }, startedAt) {
  if (isFull) return; // a run of all tests is none
  const counts = { runs: passed + failed, failures: failed, startedAt };
  if (name === 'kills' && Number(runs) >= recordedRuns) {
    await recordCampaign({ what: 'kill-points', ...counts });
  }
  if (name === 'steps' && values.full) await recordCampaign({ what: 'exhaustive', ...counts });
}

/** @param {string} name */
async function execute(name) {
  const startedAt = new Date();
  const { code, output } = await run(join(folder, `proof.${name}_main`), programs[name] ?? []);
  const line = [...output.matchAll(/: (\d+) passed, (\d+) failed/g)].at(-1);
  const failed = Number(line?.[2] ?? 0);
  const counts = {
    passed: Number(line?.[1] ?? 0),
    failed: code === 0 ? failed : Math.max(failed, 1),
  };
  await record(name, counts, startedAt);
  return counts;
}

async function main() {
  const names = positionals.length === 0 ? Object.keys(programs) : positionals;
  const unknown = names.find((name) => programs[name] === undefined);
  if (unknown !== undefined) throw new Error(`there is no proof ${unknown}`);
  if (!(await build())) {
    console.log('proof: 0 passed, 1 failed (the programs did not build)');
    return false;
  }
  let passed = 0;
  let failed = 0;
  for (const name of names) {
    const counts = await execute(name);
    passed += counts.passed;
    failed += counts.failed;
  }
  console.log(`proof: ${passed} passed, ${failed} failed`);
  return failed === 0;
}

process.exitCode = (await main()) ? 0 : 1;
