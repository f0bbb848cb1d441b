/**
 * One process of a fuzz target.
 *
 * Goals: a crash, a sanitizer's report, a leak, an input that takes seconds: each is a failure,
 * whose input is kept.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from '../process.mjs';
import { buildFolder } from './targets.mjs';

/** Longer ones only say the same again. */
const inputBytesMax = 4200;
const slowInputSeconds = 10;
const memoryMiBMax = 2048;

/**
 * @typedef {object} Limit
 * @property {number} [seconds]
 * @property {number} [runs]
 *
 * @param {import('./targets.mjs').Target} target
 * @param {Limit} limit
 * @param {number} seed
 * @returns {Promise<{ isClean: boolean, executions: number }>}
 */
export async function runCampaign(target, limit, seed) {
  const artifacts = join(buildFolder, 'artifacts');
  for (const folder of [artifacts, target.found, target.corpus])
    mkdirSync(join(root, folder), { recursive: true });
  const args = [
    `-seed=${seed}`,
    `-max_len=${inputBytesMax}`,
    `-timeout=${slowInputSeconds}`,
    `-rss_limit_mb=${memoryMiBMax}`,
    `-artifact_prefix=${artifacts}/${target.name}-`,
    // A look for leaks after every input would be most of the work; one at the end is made anyway.
    '-detect_leaks=0',
    '-print_final_stats=1',
    ...(limit.seconds === undefined ? [] : [`-max_total_time=${limit.seconds}`]),
    ...(limit.runs === undefined ? [] : [`-runs=${limit.runs}`]),
    target.found,
    target.corpus,
  ];
  const env = { ...process.env, LLVM_PROFILE_FILE: '/dev/null' };
  const { code, output } = await run(join(root, target.executable), args, { env, quiet: true });
  const executions = Number(/number_of_executed_units:\s+(\d+)/.exec(output)?.[1] ?? 0);
  if (code !== 0) console.log(output.slice(-6000));
  return { isClean: code === 0, executions };
}

/**
 * Adds what was found, and says something new, to the committed corpus.
 * @param {import('./targets.mjs').Target} target
 */
export async function minimizeCorpus(target) {
  mkdirSync(join(root, target.corpus), { recursive: true });
  const env = { ...process.env, LLVM_PROFILE_FILE: '/dev/null' };
  const args = ['-merge=1', `-max_len=${inputBytesMax}`, target.corpus, target.found];
  return (await run(join(root, target.executable), args, { env, quiet: true })).code === 0;
}
