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
  expect(text).toMatch(/== a: ok, 1 passed, \d+\.\d s, \d+ s of processor/);
});

it('a red stage does not hide the next one [CNF-040]', async () => {
  const { isGreen, last } = await outcome([stage('a', 0, 2), stage('b', 1, 1)]);
  expect({ isGreen, last }).toEqual({ isGreen: false, last: '1 passed, 3 failed' });
});

it('nothing is run on a build that failed [CNF-040]', async () => {
  const { last } = await outcome([stage('build', 0, 1, true), stage('b', 1, 0)]);
  expect(last).toBe('0 passed, 1 failed');
});

it('a stage can begin beside another one, and is judged in its own place [CNF-060]', async () => {
  const order: string[] = [];
  const record = (name: string, text?: string): Stage['run'] => {
    return async ({ isBeside }) => {
      order.push(isBeside ? `${name} beside` : name);
      await new Promise((resume) => setTimeout(resume, 5));
      order.push(`${name} ends`);
      return { passed: 1, failed: 0, ...(text === undefined ? {} : { text }) };
    };
  };
  const { text, last } = await outcome([
    { name: 'a', run: record('a') },
    { name: 'b', run: record('b') },
    { name: 'c', beside: 'a', run: record('c', 'what c says') },
  ]);
  expect(order[0]).toBe('c beside');
  expect(order).toHaveLength(6);
  expect(last).toBe('3 passed, 0 failed');
  expect(text).toMatch(/== c\nwhat c says\n== c: ok/);
});

it('a stage begins by itself when the one beside it is left out [CNF-060]', async () => {
  let isBesideThen: boolean | undefined;
  const run: Stage['run'] = async ({ isBeside }) => {
    isBesideThen = isBeside;
    return { passed: 1, failed: 0 };
  };
  await outcome([{ name: 'c', beside: 'a', run }]);
  expect(isBesideThen).toBe(false);
});
