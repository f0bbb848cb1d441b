/**
 * Makes samples out of what the programs of one round printed, and writes result files.
 *
 * Goals: the lines are those of `spec/bench.md`, and one place knows in which direction a
 * ratio is taken.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Better, Failure, Measurement, Meta, Sample, Unit, UnitOutcome } from './types.ts';

/** How far a figure is from its floor: 1 is at the floor, larger is further away. */
export function ratioToFloor(p50: number, floorP50: number, better: Better): number {
  return better === 'lower' ? p50 / floorP50 : floorP50 / p50;
}

/** The sample of one round, or why there is none. */
export function sampleOf(
  unit: Unit,
  run: number,
  outcomes: readonly UnitOutcome[],
): Sample | Failure {
  const own = outcomes.find(({ step }) => step.role === 'product');
  if (own === undefined) throw new Error('a round without its product');
  const floor = outcomes.find(({ step }) => step.role === 'floor');
  for (const { step, outcome } of outcomes) {
    if (step.role === 'peer') continue;
    const what = step.contender.name;
    if ('failed' in outcome) {
      return { unit, run, what, reason: outcome.failed, skipped: outcome.skipped ?? false };
    }
    if (outcome.unit !== unit.unit) {
      const reason = `it reports ${outcome.unit}, the case wants ${unit.unit}`;
      return { unit, run, what, reason, skipped: false };
    }
  }
  const figure = own.outcome as Measurement;
  return {
    kind: 'sample',
    suite: unit.suite,
    case: unit.case,
    params: unit.params,
    unit: unit.unit,
    better: unit.better,
    run,
    n: figure.n,
    p50: figure.p50,
    p99: figure.p99,
    min: figure.min,
    ...floorFields(floor, figure, unit.better),
    ...peerFields(outcomes, figure, unit.unit),
    ...(figure.detail === undefined ? {} : { detail: figure.detail }),
  };
}

function floorFields(
  floor: UnitOutcome | undefined,
  figure: Measurement,
  better: Better,
): Pick<Sample, 'floor' | 'ratio'> {
  if (floor === undefined || 'failed' in floor.outcome) return {};
  const { p50 } = floor.outcome;
  return {
    floor: { case: floor.step.contender.name, p50 },
    ratio: ratioToFloor(figure.p50, p50, better),
  };
}

function peerFields(
  outcomes: readonly UnitOutcome[],
  figure: Measurement,
  unit: string,
): Pick<Sample, 'peers' | 'missing'> {
  const peers: Record<string, number> = {};
  const missing: Record<string, string> = {};
  for (const { step, outcome } of outcomes) {
    if (step.role !== 'peer' && step.role !== 'reference') continue;
    const { name } = step.contender;
    if ('failed' in outcome) missing[name] = outcome.failed;
    else if (outcome.unit !== unit) missing[name] = `it reports ${outcome.unit}, not ${unit}`;
    else peers[name] = figure.p50 / outcome.p50;
  }
  return Object.keys(missing).length === 0 ? { peers } : { peers, missing };
}

/** Reads the result line out of what a program printed; undefined when there is none. */
export function parseMeasurement(output: string): Measurement | undefined {
  const line = output.trimEnd().split('\n').at(-1) ?? '';
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isMeasurement(value) ? value : undefined;
}

function isMeasurement(value: unknown): value is Measurement {
  if (typeof value !== 'object' || value === null) return false;
  const { unit, n, p50, p99, min } = value as Record<string, unknown>;
  return typeof unit === 'string' && [n, p50, p99, min].every(isPositive);
}

function isPositive(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

export function toLines(records: readonly object[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}

/** Writes a result file in one piece: a reader sees all of it or none. */
export function writeResults(path: string, meta: Meta, records: readonly object[]): void {
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, toLines([meta, ...records]));
  renameSync(unfinished, path);
}
