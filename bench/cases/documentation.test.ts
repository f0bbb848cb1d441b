/** That the documentation says what is judged. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseGoals } from '../runner/goals.ts';
import { boundText } from '../runner/table.ts';
import { paramsKey } from '../runner/types.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

it.each(['core', 'multiprocessing'])(
  'the page about %s has a row for each of its goals, and no other [BEN-054]',
  (suite) => {
    const goals = parseGoals(read('bench/goals.yaml'), 'goals.yaml');
    const wanted = goals
      .filter((goal) => goal.suite === suite)
      .map((goal) => {
        const name = goal.case.replace(`${suite}/`, '');
        return `| \`${name}\` | ${paramsKey(goal.params)} | ${boundText(goal)} |`;
      });
    expect(wanted.length).toBeGreaterThan(0);
    const rows = read(`docs/${suite}-benchmarks.md`).match(/^\| `.*$/gm) ?? [];
    expect([...rows].sort()).toEqual(wanted.sort());
  },
);
