/**
 * Many processes of many fuzz targets, a few at a time.
 *
 * Goals: a long campaign is cut into rounds, each with a seed of its own, so that it can say how
 * far it is; a target that failed once is not run again.
 */
import { mapLimited } from '../process.mjs';

/** Some ten seconds. */
const roundRunsMax = 4_000_000;

/**
 * @typedef {import('./targets.mjs').Target} Target
 * @typedef {import('./campaign.mjs').Limit} Limit
 * @typedef {{ target: Target, executions: number, cpuSeconds: number, failures: number }} Result
 *
 * @typedef {object} Plan
 * @property {readonly Target[]} targets
 * @property {Limit} limit of each target
 * @property {number} jobs processes at a time
 * @property {number} shards into which each target's work is divided at least
 * @property {number} seed
 * @property {(target: Target, limit: Limit, seed: number) =>
 *   Promise<{ isClean: boolean, executions: number, cpuSeconds: number }>} campaign
 * @property {(results: readonly Result[]) => void} onProgress
 *
 * @param {Plan} plan
 * @returns {Promise<Result[]>} one for each target
 */
export async function runRounds({ targets, limit, jobs, shards, seed, campaign, onProgress }) {
  const results = targets.map((target) => ({ target, executions: 0, cpuSeconds: 0, failures: 0 }));
  const { runs, seconds } = limit;
  const count = runs === undefined ? shards : Math.max(shards, Math.ceil(runs / roundRunsMax));
  const each = {
    ...(runs === undefined ? {} : { runs: Math.ceil(runs / count) }),
    ...(seconds === undefined ? {} : { seconds: seconds / count }),
  };
  const rounds = Array.from({ length: count }, () => results).flat();
  await mapLimited([...rounds.entries()], jobs, async ([index, result]) => {
    if (result.failures > 0) return;
    const outcome = await campaign(result.target, each, seed + index);
    result.executions += outcome.executions;
    result.cpuSeconds += outcome.cpuSeconds;
    if (!outcome.isClean) result.failures += 1;
    onProgress(results);
  });
  return results;
}
