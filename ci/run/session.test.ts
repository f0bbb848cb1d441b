/** How a run counts. */
import { expect, it } from 'vitest';
import { runStages } from './session.mjs';
import type { Stage } from './stages.mjs';

const stage = (name: string, passed: number, failed: number, isFoundation = false): Stage => ({
  name,
  isFoundation,
  run: async () => ({ passed, failed }),
});

async function outcome(stages: readonly Stage[]) {
  const lines: string[] = [];
  const isGreen = await runStages(stages, (line) => lines.push(line));
  return { isGreen, last: lines.at(-1)?.trim(), text: lines.join('\n') };
}

it('the last line adds up all stages, and each stage says its seconds [CNF-040]', async () => {
  const { isGreen, last, text } = await outcome([stage('a', 1, 0), stage('b', 40, 0)]);
  expect({ isGreen, last }).toEqual({ isGreen: true, last: '41 passed, 0 failed' });
  expect(text).toMatch(/== a: ok, 1 passed, \d+\.\d s/);
});

it('a red stage does not hide the next one [CNF-040]', async () => {
  const { isGreen, last } = await outcome([stage('a', 0, 2), stage('b', 1, 1)]);
  expect({ isGreen, last }).toEqual({ isGreen: false, last: '1 passed, 3 failed' });
});

it('nothing is run on a build that failed [CNF-040]', async () => {
  const { last } = await outcome([stage('build', 0, 1, true), stage('b', 1, 0)]);
  expect(last).toBe('0 passed, 1 failed');
});
