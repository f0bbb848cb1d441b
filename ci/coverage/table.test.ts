/** The bound on coverage. */
import { expect, it } from 'vitest';
import { coverageTable } from './table.mjs';

const file = (path: string, lines: number, covered: number) => ({ path, lines, covered });

it('both languages need their share, each by itself [CNF-044]', () => {
  const good = [file('native/sync/a.cpp', 100, 100)];
  const weak = [file('src/core/a.ts', 100, 85), file('src/core/b.ts', 1, 0)];
  expect(coverageTable({ 'C++': good, TypeScript: good }).isEnough).toBe(true);
  expect(coverageTable({ 'C++': good, TypeScript: weak }).isEnough).toBe(false);
  expect(coverageTable({ 'C++': weak, TypeScript: good }).isEnough).toBe(false);
});

it('the table sums a folder, and counts what no test loads [CNF-044]', () => {
  const files = [file('src/core/a.ts', 100, 90), file('src/core/b.ts', 100, 0)];
  const { text } = coverageTable({ TypeScript: files });
  expect(text).toMatch(/45\.0 % +90 of +200 {2}src\/core\n/);
});
