/** What is run of each model, and how a search is judged. */
import { expect, it } from 'vitest';
import { run } from '../process.mjs';
import { readSource, repositoryPaths } from '../tree.mjs';
import { runsOf, verdict } from './runs.mjs';

const models = repositoryPaths().filter((path) =>
  /^spec\/models\/(?!tso|ring_steps)\w+\.pml$/.test(path),
);

/** As spin prints it. */
const searched = (errors: number, more = '') =>
  `${more}\nState-vector 28 byte, depth reached 7, errors: ${errors}\n   12 states, stored\n`;

it.each(models)('%s has two planted faults at least, each with its reason [MOD-002]', (path) => {
  const runs = runsOf(readSource(path));
  const faults = runs.filter(({ kind }) => kind === 'FAULT');
  expect(faults.length).toBeGreaterThanOrEqual(2);
  expect(faults.every(({ fault }) => fault.length > 10)).toBe(true);
  expect(runs.some(({ kind }) => kind === 'CHECK')).toBe(true);
  expect(new Set(runs.map(({ name }) => name)).size).toBe(runs.length);
});

it('a search is judged by what it had to find [MOD-003]', () => {
  expect(verdict('CHECK', searched(0)).passed).toBe(true);
  expect(verdict('FAULT', searched(0)).passed).toBe(false);
  const broken = searched(1, 'pan:1: assertion violated x (at depth 9)');
  expect(verdict('CHECK', broken)).toEqual({
    passed: false,
    text: 'found assertion violated x, 12 states',
  });
  expect(verdict('FAULT', broken).passed).toBe(true);
});

it('a search that was cut short or did not end has failed [MOD-003]', () => {
  expect(verdict('CHECK', searched(0, 'error: max search depth too small')).passed).toBe(false);
  expect(verdict('CHECK', searched(0, 'pan: reached -DMEMLIM bound')).passed).toBe(false);
  expect(verdict('FAULT', '').passed).toBe(false);
});

it('the mutex model is clean and its faults are found [MOD-001, MOD-002]', async (context) => {
  const { code } = await run('spin', ['-V'], { quiet: true });
  if (code !== 0) context.skip('spin is not installed');
  const checked = await run(process.execPath, ['ci/models.mjs', 'robust_mutex'], { quiet: true });
  expect(checked.output).toMatch(/models: \d+ passed, 0 failed/);
}, 120_000);
