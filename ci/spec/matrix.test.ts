/** Holes between requirements and tests. */
import { expect, it } from 'vitest';
import { judge, matrix } from './matrix.mjs';

const requirement = (id: string) => ({ id, text: 'Something holds.', place: `spec/a.md:${id}` });
const test = (...cites: string[]) => ({ title: 'it holds', place: 'a.test.ts:1', cites });

it('a requirement without a test is a hole [CNF-021]', () => {
  expect(judge([requirement('CH-001'), requirement('CH-002')], [test('CH-001')])).toEqual([
    'spec/a.md:CH-002: CH-002 has no test',
  ]);
});

it('a test that cites nothing or something unknown is a hole [CNF-022]', () => {
  const known = [requirement('CH-001')];
  const holes = judge(known, [test('CH-001'), test(), test('CH-009')]);
  expect(holes).toEqual([
    'a.test.ts:1: cites no requirement: it holds',
    'a.test.ts:1: cites CH-009, which no text in spec/ has',
  ]);
});

it('three citations are the limit [CNF-023]', () => {
  const ids = ['CH-001', 'CH-002', 'CH-003', 'CH-004'];
  const known = ids.map(requirement);
  expect(judge(known, [test(...ids.slice(0, 3)), test('CH-004')])).toEqual([]);
  expect(judge(known, [test(...ids)])).toEqual([
    'a.test.ts:1: cites 4 requirements, the limit is 3',
  ]);
});

it('an id that stands twice, or that belongs to no component, is found [CNF-020]', () => {
  const twice = judge([requirement('CH-001'), requirement('CH-001')], [test('CH-001')]);
  expect(twice).toEqual(['spec/a.md:CH-001: CH-001 stands at spec/a.md:CH-001 too']);
  const foreign = judge([requirement('QQQ-001')], [test('QQQ-001')]);
  expect(foreign).toEqual(['spec/a.md:QQQ-001: unknown prefix of QQQ-001']);
});

it('the table has a line for each requirement and one for each of its tests [CNF-021]', () => {
  expect(matrix([requirement('CH-001')], [test('CH-001'), test('CH-001')])).toHaveLength(3);
});
