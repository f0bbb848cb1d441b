/** How the branches of parsers are counted. */
import { expect, it } from 'vitest';
import { fuzzSources } from '../sources.mjs';
import { parserBranches } from './coverage.mjs';
import { targets } from './targets.mjs';

const branch = (line: number, whenTrue: number, whenFalse: number) => [
  line,
  3,
  line,
  9,
  whenTrue,
  whenFalse,
  0,
  0,
  4,
];

const instance = (name: string, branches: number[][]) => ({
  name,
  filenames: ['parser.cpp'],
  branches,
});

it('both sides of each branch count, once for all instances of a template [PRF-022]', () => {
  const functions = [
    instance('_ZN6dragon6decodeIiEE', [branch(1, 5, 0), branch(2, 0, 3)]),
    instance('_ZN6dragon6decodeIcEE', [branch(1, 0, 1), branch(2, 0, 0)]),
  ];
  expect(parserBranches(functions, ['6decode'])).toEqual({
    total: 4,
    missing: ['parser.cpp:2:3 is never true'],
  });
});

it('functions that are no parsers do not count [PRF-022]', () => {
  const functions = [instance('_ZN6dragon6encodeEv', [branch(1, 0, 0)])];
  expect(parserBranches(functions, ['6decode'])).toEqual({ total: 0, missing: [] });
});

it('everything that parses bytes has a target with its parsers [PRF-020]', () => {
  const names = targets().map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining([
      'memory.broker',
      'memory.handle',
      'memory.segment',
      'process.frame',
      'sync.node_segment',
    ]),
  );
  expect(names).toHaveLength(fuzzSources().length);
  for (const { parsers } of targets()) expect(parsers.length).toBeGreaterThan(0);
});
