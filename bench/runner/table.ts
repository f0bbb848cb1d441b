/**
 * Tables for people: samples summed up over the runs, and verdicts on goals.
 *
 * Non-goals: anything a program should read; that is in the JSON lines.
 */
import type { Goal } from './goals.ts';
import type { Judgement } from './judge.ts';
import { median } from './statistics.ts';
import type { Failure, Meta, Sample } from './types.ts';
import { caseName, paramsKey } from './types.ts';

/** A figure with three digits and a unit in reach: `1.25 µs`, `43.7 M/s`, `12.1 GB/s`. */
export function formatFigure(value: number, unit: string): string {
  const scales: Record<string, readonly [number, string][]> = {
    ns: [
      [1e9, 's'],
      [1e6, 'ms'],
      [1e3, 'µs'],
      [1, 'ns'],
    ],
    '1/s': [
      [1e6, 'M/s'],
      [1e3, 'k/s'],
      [1, '/s'],
    ],
    'B/s': [
      [1e9, 'GB/s'],
      [1e6, 'MB/s'],
      [1, 'B/s'],
    ],
  };
  const scale = scales[unit]?.find(([factor]) => value >= factor) ?? [1, unit];
  return `${digits(value / scale[0])} ${scale[1]}`;
}

/** Three digits that count, without an exponent for all that is not tiny. */
export function digits(value: number): string {
  return value >= 999.5 ? value.toFixed(0) : value.toPrecision(3);
}

/** Columns padded to the widest cell; the first `left` columns are aligned left. */
export function align(rows: readonly (readonly string[])[], left: number): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  const padded = rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column < left ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
  return `${padded.join('\n')}\n`;
}

/** One row for each case and set of parameters: medians over the runs. */
export function samplesTable(samples: readonly Sample[]): string {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const key = `${caseName(sample)} ${paramsKey(sample.params)}`;
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  const head = ['case', 'parameters', 'runs', 'p50', 'p99', 'floor', 'x floor', 'ours / peer'];
  return align([head, ...[...groups.values()].map(sampleRow)], 2);
}

function sampleRow(group: readonly Sample[]): string[] {
  const [first] = group;
  if (first === undefined) throw new Error('a group without samples');
  const of = (pick: (sample: Sample) => number | undefined): number | undefined => {
    const values = group.map(pick).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : median(values);
  };
  const figure = (value: number | undefined): string =>
    value === undefined ? '-' : formatFigure(value, first.unit);
  const ratio = of((sample) => sample.ratio);
  // A peer may have failed in some of the runs only.
  const names = group.flatMap(({ peers, missing = {} }) => Object.keys({ ...peers, ...missing }));
  const peers = [...new Set(names)].map((name) => {
    const beside = of((sample) => sample.peers[name]);
    return `${name} ${beside === undefined ? 'missing' : digits(beside)}`;
  });
  return [
    caseName(first),
    paramsKey(first.params),
    String(group.length),
    figure(of((sample) => sample.p50)),
    figure(of((sample) => sample.p99)),
    figure(of((sample) => sample.floor?.p50)),
    ratio === undefined ? '-' : digits(ratio),
    peers.join(', ') || '-',
  ];
}

/** The versions of what was measured beside us. */
export function versionsText({
  node,
  python,
  peers,
}: Pick<Meta, 'node' | 'python' | 'peers'>): string {
  const packages = Object.entries(peers).map(([name, version]) => `${name} ${version}`);
  return `${[`Node ${node}`, python, ...packages].join(', ')}\n`;
}

/** One line each, the same failure of several runs only once. */
export function failuresText(failures: readonly Failure[]): string {
  const lines = failures.map(({ unit, what, reason, skipped }) => {
    const label = `${caseName(unit)} ${paramsKey(unit.params)}`.trimEnd();
    const of = what === caseName(unit) ? '' : ` (${what})`;
    return `${skipped ? 'skipped' : 'failed'} ${label}${of}: ${reason}\n`;
  });
  return [...new Set(lines)].join('');
}

/** What a goal asks for: `at most 2.5 x floor`. */
export function boundText(goal: Goal): string {
  const bound = goal.bound === undefined ? [] : [String(goal.bound)];
  return [goal.relation, ...bound, ...comparisonWords(goal)].join(' ');
}

function comparisonWords({ of }: Goal): readonly string[] {
  switch (of.kind) {
    case 'floor':
      return ['x floor'];
    case 'peers':
      return [`x ${of.names.join(', ')}`];
    case 'value':
      return of.atFloor === undefined ? [] : [`scaled to a floor of ${of.atFloor}`];
    case 'total':
      return ['in all runs'];
  }
}

export function goalsTable(rows: readonly { goal: Goal; judgement: Judgement }[]): string {
  const cells = rows.map(({ goal, judgement }) => [
    judgement.verdict,
    goal.case,
    paramsKey(goal.params),
    judgement.figure === undefined ? '-' : digits(judgement.figure),
    judgement.low === undefined || judgement.high === undefined
      ? '-'
      : `[${digits(judgement.low)}, ${digits(judgement.high)}]`,
    boundText(goal),
    judgement.reason ?? '',
  ]);
  const head = ['verdict', 'case', 'parameters', 'figure', '95 %', 'bound', ''];
  return align([head, ...cells], 7);
}
