/** What counts as a failed campaign. The targets are scripts that talk like libFuzzer. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { root } from '../process.mjs';
import { runCampaign } from './campaign.mjs';

let folder: string;
const printed: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fuzz'));
  printed.length = 0;
  vi.spyOn(console, 'log').mockImplementation((line: string) => {
    printed.push(line);
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

function campaign(script: string, limit: { runs?: number; seconds?: number }) {
  writeFileSync(join(folder, 'target'), `#!/bin/sh\n${script}\n`, { mode: 0o700 });
  const within = (name: string) => relative(root, join(folder, name));
  return runCampaign(
    {
      name: 'a',
      source: '',
      executable: within('target'),
      corpus: within('corpus'),
      found: within('found'),
      parsers: [],
      inputBytesMax: 80,
    },
    limit,
    7,
  );
}

it('a campaign that ends well says how many inputs it tried [PRF-021]', async () => {
  const script = `echo "$@" > ${folder}/args; echo "stat::number_of_executed_units: 123"`;
  expect(await campaign(script, { runs: 5 })).toMatchObject({ isClean: true, executions: 123 });
  expect(readFileSync(join(folder, 'args'), 'utf8')).toContain('-runs=5 ');
});

it('a report is a failure, and is shown [PRF-021]', async () => {
  const script = 'echo "ERROR: AddressSanitizer: heap-buffer-overflow" >&2; exit 77';
  expect(await campaign(script, { seconds: 1 })).toMatchObject({ isClean: false });
  expect(printed.join('\n')).toContain('heap-buffer-overflow');
});

it('a campaign gets seconds, and counts those of the processor [PRF-040]', async () => {
  const work = `echo "$@" > ${folder}/args; i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done`;
  const script = `${work}; sleep 0.3; echo "stat::number_of_executed_units: 9"`;
  const outcome = await campaign(script, { seconds: 20 });
  expect(outcome).toMatchObject({ isClean: true, executions: 9 });
  expect(outcome.cpuSeconds).toBeGreaterThan(0);
  expect(readFileSync(join(folder, 'args'), 'utf8')).toContain('-max_total_time=20 ');
});
