/** Command lines, what is shown on a terminal, and facts of the machine. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sample } from './fixture.ts';
import { allowedCpus, packageVersions, parseCpuList } from './machine.ts';
import { main } from './main.ts';
import { parseBenchOptions, parseGoalsOptions } from './options.ts';
import { digits, formatFigure, samplesTable, versionsText } from './table.ts';
import { outputOf } from './terminal.ts';

/** A stream that keeps what is written to it. */
function screen(isTTY: boolean) {
  const texts: string[] = [];
  return { isTTY, columns: 20, texts, write: (text: string) => texts.push(text) };
}

it('without --runs there are 5 rounds, 1 of smoke and 7 of goals [BEN-019]', () => {
  expect(parseBenchOptions([])).toMatchObject({ profile: 'full', runs: 5 });
  expect(parseBenchOptions(['--profile', 'smoke'])?.runs).toBe(1);
  expect(parseBenchOptions(['--profile', 'smoke', '--runs', '3'])?.runs).toBe(3);
  expect(parseGoalsOptions(['spine'])).toMatchObject({ suite: 'spine', runs: 7 });
});

it.each([
  [['--profile', 'big'], '--profile is smoke or full, not big'],
  [['--runs', '0'], '--runs is a whole number from 1 on, not 0'],
  [['--seed', 'x'], '--seed is a whole number from 1 on, not x'],
  [['--colour'], '--colour'],
  [['core'], 'core'],
])('wrong options of bench are one line: %j [BEN-037]', (args, message) => {
  expect(() => parseBenchOptions(args)).toThrow(message);
});

it.each([
  [[], 'which suite of goals?'],
  [['a', 'b'], 'one suite of goals at a time, not also b'],
  [['a', '--runs', '-1'], '--runs'],
])('wrong options of goals are one line: %j [BEN-037]', (args, message) => {
  expect(() => parseGoalsOptions(args)).toThrow(message);
});

it.each([
  [['bench', '--profile', 'big'], 'bench: --profile is smoke or full, not big\n'],
  [['goals'], 'goals: which suite of goals? try: spine\n'],
  [['toString'], "toString: no command is called 'toString'\n"],
])(
  'wrong usage is one line and exit code 2: %j [BEN-035, BEN-036, BEN-037]',
  async (args, line) => {
    const [stdout, stderr] = [screen(false), screen(false)];
    const build = async (): Promise<boolean> => {
      throw new Error('nothing is built for wrong usage');
    };
    expect(await main('/nonexistent', args, build, { stdout, stderr })).toBe(2);
    expect(stderr.texts).toEqual([line]);
    expect(stdout.texts).toEqual([]);
  },
);

it('progress is shown on a terminal, in place of the last and within its width [BEN-038]', () => {
  const [stdout, stderr] = [screen(true), screen(true)];
  const out = outputOf({ stdout, stderr });
  out.progress?.('[1/9] a case with a long name');
  out.progress?.('');
  expect(stderr.texts).toEqual(['\r\u001b[K[1/9] a case with a', '\r\u001b[K']);
  expect(stdout.texts).toEqual([]);
});

it('where standard error is no terminal there is no progress [BEN-038]', () => {
  const [stdout, stderr] = [screen(true), screen(false)];
  const out = outputOf({ stdout, stderr });
  expect(out.progress).toBeUndefined();
  out.write('figures');
  out.warn('trouble');
  expect([stdout.texts, stderr.texts]).toEqual([['figures'], ['trouble']]);
});

it('figures have three digits and a unit in reach [BEN-039]', () => {
  expect(formatFigure(1254, 'ns')).toBe('1.25 µs');
  expect(formatFigure(43_712_000, '1/s')).toBe('43.7 M/s');
  expect(formatFigure(12.1e9, 'B/s')).toBe('12.1 GB/s');
  expect(formatFigure(0.5, 'ns')).toBe('0.500 ns');
  expect(formatFigure(3, 'calls')).toBe('3.00 calls');
  expect(digits(999.9)).toBe('1000');
});

it('a row has the medians of its runs, and peers that some runs lack [BEN-028, BEN-039]', () => {
  const rows = samplesTable([
    sample({ run: 1, p50: 1, missing: { x: 'it failed', y: 'it failed' } }),
    sample({ run: 2, p50: 3, peers: { x: 0.5 }, missing: { y: 'it failed' } }),
    sample({ run: 3, p50: 100, peers: { x: 0.7 }, missing: { y: 'it failed' } }),
  ]);
  const [, row = ''] = rows.split('\n');
  expect(row).toMatch(/^s\/a +size=1 +3 +3\.00 ns .* x 0\.600, y missing$/);
});

it('the versions of peers are those installed [BEN-006, BEN-041]', () => {
  const folder = mkdtempSync(join(tmpdir(), 'packages-'));
  expect(packageVersions(folder)).toEqual({});
  const dependencies = { here: '1.0.0', gone: '2.0.0' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ dependencies }));
  mkdirSync(join(folder, 'node_modules/here'), { recursive: true });
  writeFileSync(join(folder, 'node_modules/here/package.json'), '{ "version": "1.0.3" }');
  const peers = packageVersions(folder);
  expect(peers).toEqual({ here: '1.0.3', gone: 'missing' });
  const text = versionsText({ node: 'v1', python: 'Python 3', peers });
  expect(text).toBe('Node v1, Python 3, here 1.0.3, gone missing\n');
  rmSync(folder, { recursive: true });
});

it('the processors are read from lists of the kernel [BEN-006]', () => {
  expect(parseCpuList('0-3,8')).toEqual([0, 1, 2, 3, 8]);
  expect(parseCpuList('5')).toEqual([5]);
  expect(allowedCpus().length).toBeGreaterThan(0);
});
