/** How a campaign's work is divided, and what is kept of a long one. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { recordCampaign } from '../campaign-record.mjs';
import type { Limit } from './campaign.mjs';
import { runRounds } from './rounds.mjs';
import { targets } from './targets.mjs';

const [first, second] = targets();
if (first === undefined || second === undefined) throw new Error('there are no targets');
const both = [first, second];

async function rounds(limit: Limit, shards: number, failing = '') {
  const seeds: number[] = [];
  const results = await runRounds({
    targets: both,
    limit,
    jobs: 2,
    shards,
    seed: 1,
    campaign: async (target, { runs, seconds }, seed) => {
      seeds.push(seed);
      const executions = runs ?? 0;
      return { isClean: target.name !== failing, executions, cpuSeconds: seconds ?? 1 };
    },
    onProgress: () => undefined,
  });
  return { results, seeds };
}

it('a long campaign is done in rounds, each with its own seed [PRF-041]', async () => {
  const { results, seeds } = await rounds({ runs: 100_000_000 }, 2);
  for (const { executions } of results) expect(executions).toBeGreaterThanOrEqual(100_000_000);
  expect(seeds.length).toBeGreaterThan(20);
  expect(new Set(seeds).size).toBe(seeds.length);
});

it('the seconds of a campaign are divided among its shards [PRF-041]', async () => {
  const { results, seeds } = await rounds({ seconds: 6 }, 3);
  expect(seeds).toHaveLength(6);
  expect(results.map(({ cpuSeconds }) => cpuSeconds)).toEqual([6, 6]);
});

it('a target that failed is not run again [PRF-041]', async () => {
  const { results } = await rounds({ runs: 40_000_000 }, 1, first.name);
  expect(results[0]).toMatchObject({ failures: 1 });
  expect(results[0]?.executions).toBeLessThan(40_000_000);
  expect(results[1]).toMatchObject({ failures: 0, executions: 40_000_000 });
});

it('a long campaign leaves a line that says what was run, how often [PRF-042]', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'record'));
  const path = join(folder, 'proof.jsonl');
  const startedAt = new Date(0);
  await recordCampaign({ what: 'fuzz.memory.handle', runs: 7, failures: 0, startedAt }, path);
  await recordCampaign({ what: 'fuzz.memory.handle', runs: 8, failures: 1, startedAt }, path);
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  rmSync(folder, { recursive: true });
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ kind: 'campaign', runs: 7, failures: 0 }),
    {
      kind: 'campaign',
      what: 'fuzz.memory.handle',
      runs: 8,
      failures: 1,
      commit: expect.any(String),
      startedAt: '1970-01-01T00:00:00.000Z',
    },
  ]);
});
