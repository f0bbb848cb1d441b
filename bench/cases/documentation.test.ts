/** That the documentation says what is judged. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseGoals } from '../runner/goals.ts';
import { boundText } from '../runner/table.ts';
import { paramsKey } from '../runner/types.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

it('the page about the core has a row for each of its goals, and no other [BEN-054]', () => {
  const goals = parseGoals(read('bench/goals.yaml'), 'goals.yaml');
  const wanted = goals
    .filter(({ suite }) => suite === 'core')
    .map((goal) => {
      const name = goal.case.replace(/^core\//, '');
      return `| \`${name}\` | ${paramsKey(goal.params)} | ${boundText(goal)} |`;
    });
  const rows = read('docs/core-benchmarks.md').match(/^\| `.*$/gm) ?? [];
  expect([...rows].sort()).toEqual(wanted.sort());
});
