/**
 * One process of a fuzz target.
 *
 * Goals: a crash, a sanitizer's report, a leak, an input that takes seconds: each is a failure,
 * whose input is kept.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { variantOf } from '../native-tests/variants.mjs';
import { cpuSecondsOf, root, run } from '../process.mjs';
import { buildFolder } from './targets.mjs';

const slowInputSeconds = 10;
const memoryMiBMax = 2048;
const lookMs = 100;

function environment() {
  return { ...process.env, ...variantOf('fuzz').env, LLVM_PROFILE_FILE: '/dev/null' };
}

/**
 * Counts the processor time of a process until what it returns is called.
 * @param {number} pid
 */
function meter(pid) {
  let cpuSeconds = 0;
  const timer = setInterval(() => {
    cpuSeconds = Math.max(cpuSeconds, cpuSecondsOf(pid));
  }, lookMs);
  return () => {
    clearInterval(timer);
    return cpuSeconds;
  };
}

/**
 * @typedef {object} Limit
 * @property {number} [seconds]
 * @property {number} [runs]
 *
 * @param {import('./targets.mjs').Target} target
 * @param {Limit} limit
 * @param {number} seed
 * @returns {Promise<{ isClean: boolean, executions: number, cpuSeconds: number }>}
 */
export async function runCampaign(target, limit, seed) {
  const artifacts = join(buildFolder, 'artifacts');
  for (const folder of [artifacts, target.found, target.corpus])
    mkdirSync(join(root, folder), { recursive: true });
  const args = [
    `-seed=${seed}`,
    `-max_len=${target.inputBytesMax}`,
    `-timeout=${slowInputSeconds}`,
    `-rss_limit_mb=${memoryMiBMax}`,
    `-artifact_prefix=${artifacts}/${target.name}-`,
    // A look for leaks after every input would be most of the work; one at the end is made anyway.
    '-detect_leaks=0',
    // Preferring inputs by how rare they are takes a fifth of the time, and these are all short.
    '-entropic=0',
    '-reload=0',
    '-print_final_stats=1',
    ...(limit.seconds === undefined ? [] : [`-max_total_time=${Math.ceil(limit.seconds)}`]),
    ...(limit.runs === undefined ? [] : [`-runs=${limit.runs}`]),
    target.found,
    target.corpus,
  ];
  let usedSeconds = () => 0;
  const { code, output } = await run(join(root, target.executable), args, {
    env: environment(),
    quiet: true,
    onStart: (pid) => {
      usedSeconds = meter(pid);
    },
  });
  const cpuSeconds = usedSeconds();
  const executions = Number(/number_of_executed_units:\s+(\d+)/.exec(output)?.[1] ?? 0);
  if (code !== 0) console.log(output.slice(-6000));
  return { isClean: code === 0, executions, cpuSeconds };
}

/**
 * Adds what was found, and says something new, to the committed corpus.
 * @param {import('./targets.mjs').Target} target
 */
export async function minimizeCorpus(target) {
  mkdirSync(join(root, target.corpus), { recursive: true });
  const env = environment();
  const args = ['-merge=1', `-max_len=${target.inputBytesMax}`, target.corpus, target.found];
  return (await run(join(root, target.executable), args, { env, quiet: true })).code === 0;
}
