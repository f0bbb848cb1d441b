/**
 * Keeps what a long campaign has found: a line in `bench/results/proof.jsonl`, which the goals
 * `proof.campaign` read.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './process.mjs';

/**
 * @param {{ what: string, runs: number, failures: number, startedAt: Date }} campaign
 * @param {string} [path]
 */
export async function recordCampaign(campaign, path = join(root, 'bench/results/proof.jsonl')) {
  const { stdout } = await run('git', ['rev-parse', 'HEAD'], { quiet: true });
  const { what, runs, failures, startedAt } = campaign;
  const line = {
    kind: 'campaign',
    what,
    runs,
    failures,
    commit: stdout.trim(),
    startedAt: startedAt.toISOString(),
  };
  appendFileSync(path, `${JSON.stringify(line)}\n`);
}
