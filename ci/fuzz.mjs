/**
 * Builds and runs the fuzz targets of everything that parses bytes.
 *
 *     node ci/fuzz.mjs [TARGET]... [--seconds N | --runs N] [--jobs J] [--shards S] [--minimize]
 *
 * Each target runs for N seconds (60, or 600 with DRAGON_TEST_SIZE=full) or N
 * executions, J processes at a time, a target's executions in S processes or more. A campaign of a
 * million executions or more is kept in `bench/results/proof.jsonl`. `--minimize` adds what was
 * found to the committed corpora. Needs clang with its runtimes, llvm and node.
 *
 * Goals: a report of the sanitizers is a failure, and so is a corpus that leaves more than a
 * twentieth of the parsers' branches out.
 *
 * The last line is `fuzz: N passed, M failed`: campaigns, and the corpora's coverage.
 */
import { parseArgs } from 'node:util';
import { recordCampaign } from './campaign-record.mjs';
import { buildTargets } from './fuzz/build.mjs';
import { minimizeCorpus, runCampaign } from './fuzz/campaign.mjs';
import { coveredBranches } from './fuzz/coverage.mjs';
import { runRounds } from './fuzz/rounds.mjs';
import { targets } from './fuzz/targets.mjs';
import { mapLimited, parallelism, run } from './process.mjs';
import { missingPackage } from './system-packages.mjs';

const branchesMin = 0.95;
const usualSeconds = process.env['DRAGON_TEST_SIZE'] === 'full' ? 600 : 60;
const recordedRuns = 1_000_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string' },
    runs: { type: 'string' },
    jobs: { type: 'string', default: String(parallelism) },
    shards: { type: 'string', default: '1' },
    minimize: { type: 'boolean', default: false },
  },
});

const runs = values.runs === undefined ? undefined : Number(values.runs);
const limit = runs === undefined ? { seconds: Number(values.seconds ?? usualSeconds) } : { runs };

async function hasClang() {
  const tools = ['clang++', 'llvm-cov'];
  const versions = await Promise.all(
    tools.map((tool) => run(tool, ['--version'], { quiet: true })),
  );
  return versions.every(({ code }) => code === 0);
}

/**
 * Prints what each corpus leaves out; whether all of them together take enough.
 * @param {readonly import('./fuzz/targets.mjs').Target[]} selected
 */
async function judgeCorpora(selected) {
  const results = await mapLimited(selected, parallelism, async (target) => {
    const { total, missing } = await coveredBranches(target);
    console.log(`  ${target.name}: ${total - missing.length} of ${total} branches`);
    return { total, missing };
  });
  const total = results.reduce((sum, result) => sum + result.total, 0);
  const missing = results.flatMap((result) => result.missing);
  const share = 1 - missing.length / total;
  const isEnough = share >= branchesMin;
  console.log(`  ${isEnough ? 'ok  ' : 'FAIL'}  ${(share * 100).toFixed(1)} % of the branches`);
  if (!isEnough) console.log(missing.map((place) => `        ${place}`).join('\n'));
  return isEnough;
}

/** @param {readonly import('./fuzz/rounds.mjs').Result[]} results */
function showProgress(results) {
  if (!process.stderr.isTTY) return;
  const parts = results.map(({ target, executions, failures }) => {
    const count = `${(executions / 1e6).toFixed(1)} M`;
    return `${target.name} ${failures === 0 ? count : 'FAIL'}`;
  });
  process.stderr.write(`\r${parts.join(', ')} `);
}

async function main() {
  const all = targets();
  const selected = all.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  if (!(await hasClang())) {
    const isAllowed = missingPackage('clang, llvm, libclang-rt-14-dev', 'nothing is fuzzed');
    return { passed: 0, failed: isAllowed ? 0 : 1 };
  }
  if (!(await buildTargets(selected))) return { passed: 0, failed: 1 };
  const startedAt = new Date();
  const campaigns = await runRounds({
    targets: selected,
    limit,
    jobs: Number(values.jobs),
    shards: Number(values.shards),
    seed: (startedAt.getTime() % 1_000_000) * 1000,
    campaign: runCampaign,
    onProgress: showProgress,
  });
  for (const { target, executions, cpuSeconds, failures } of campaigns) {
    const rate = Math.round(executions / Math.max(cpuSeconds, 0.1));
    const text = `${target.name}: ${executions} executions, ${rate} a second`;
    console.log(`  ${failures === 0 ? 'ok  ' : 'FAIL'}  ${text}`);
    if (runs === undefined || runs < recordedRuns) continue;
    await recordCampaign({ what: `fuzz.${target.name}`, runs: executions, failures, startedAt });
  }
  if (values.minimize) await mapLimited(selected, parallelism, minimizeCorpus);
  const results = [
    ...campaigns.map(({ failures }) => failures === 0),
    await judgeCorpora(selected),
  ];
  const passed = results.filter(Boolean).length;
  return { passed, failed: results.length - passed };
}

const { passed, failed } = await main();
console.log(`fuzz: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
