/**
 * Reads `bench/goals.yaml`: what the figures of this repository have to reach, and why.
 *
 * Goals: an entry that names a case, a set of parameters or a peer that does not exist is an
 * error with its place in the file, never a goal that is silently not judged.
 */
import { parse, YAMLParseError } from 'yaml';
import type { BenchCase, Params, ParamValue, Places } from './types.ts';
import { paramsKey } from './types.ts';

/** `reported`: the figure is told and not judged. */
export type Relation = 'at most' | 'at least' | 'reported';

/**
 * What a figure is compared with. `floor`: our p50 over the floor's. Names: our p50 over the
 * best of these peers or references. `value`: our p50, scaled to where the floor is what the
 * entry says, if it says so. `total`: the sum of our p50 over all runs.
 */
export type Comparison =
  | { readonly kind: 'floor' }
  | { readonly kind: 'peers'; readonly names: readonly string[] }
  | { readonly kind: 'value'; readonly atFloor?: number }
  | { readonly kind: 'total' };

export interface Goal {
  /** The set of goals that the entry belongs to. */
  readonly suite: string;
  /** `suite/case` of the benchmark. */
  readonly case: string;
  readonly params: Params;
  readonly of: Comparison;
  readonly relation: Relation;
  /** Absent where the figure is only reported. */
  readonly bound?: number;
  /** Where the alarm watches a goal that is known to be short; else at twice the bound. */
  readonly alarm?: number;
  readonly why: string;
}

/** Wrong input of a user: one line, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const FIELDS = ['suite', 'case', 'params', 'of', 'at_floor', 'relation', 'bound', 'alarm', 'why'];

/** Parses the file's text; `file` is how messages call it. */
export function parseGoals(text: string, file: string): Goal[] {
  let entries: unknown;
  try {
    entries = parse(text);
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    throw new UsageError(`${file}: ${error.message.split('\n')[0]}`);
  }
  if (!Array.isArray(entries)) throw new UsageError(`${file}: the file is no list of goals`);
  return entries.map((entry, index) => goalOf(entry, `${file}: entry ${index + 1}`));
}

function goalOf(entry: unknown, where: string): Goal {
  if (!isRecord(entry)) throw new UsageError(`${where} is no mapping`);
  const unknown = Object.keys(entry).find((key) => !FIELDS.includes(key));
  if (unknown !== undefined) throw new UsageError(`${where}: no field is called '${unknown}'`);
  const suite = textField(entry, 'suite', where);
  const short = textField(entry, 'case', where);
  const place = `${where} (${short})`;
  const of = comparisonField(entry, place);
  const limit = limitFields(entry, place);
  if (of.kind === 'total' && limit.relation !== 'at least') {
    // A run without a figure lowers the total: only this relation is on the safe side.
    throw new UsageError(`${place}: 'of: total' goes with 'at least'`);
  }
  return {
    suite,
    case: short.includes('/') ? short : `${suite}/${short}`,
    params: paramsField(entry['params'] ?? {}, place),
    of,
    ...limit,
    why: textField(entry, 'why', place),
  };
}

function limitFields(
  entry: Record<string, unknown>,
  where: string,
): Pick<Goal, 'relation' | 'bound' | 'alarm'> {
  const { relation, bound, alarm } = entry;
  if (relation === 'reported') {
    if (bound === undefined && alarm === undefined) return { relation };
    throw new UsageError(`${where}: what is 'reported' has no 'bound' and no 'alarm'`);
  }
  if (relation !== 'at most' && relation !== 'at least') {
    throw new UsageError(`${where}: 'relation' is 'at most', 'at least' or 'reported'`);
  }
  const watch = alarm === undefined ? {} : { alarm: positive(alarm, 'alarm', where) };
  return { relation, bound: positive(bound, 'bound', where), ...watch };
}

function comparisonField(entry: Record<string, unknown>, where: string): Comparison {
  const of = entry['of'] ?? 'floor';
  const atFloor = entry['at_floor'];
  if (of === 'value') {
    if (atFloor === undefined) return { kind: 'value' };
    return { kind: 'value', atFloor: positive(atFloor, 'at_floor', where) };
  }
  if (atFloor !== undefined) {
    throw new UsageError(`${where}: 'at_floor' belongs to 'of: value'`);
  }
  if (of === 'floor' || of === 'total') return { kind: of };
  const names = Array.isArray(of) ? of : [of];
  if (names.length === 0 || !names.every((name) => typeof name === 'string')) {
    throw new UsageError(`${where}: 'of' is 'floor', 'value', 'total', or names of peers`);
  }
  return { kind: 'peers', names };
}

function paramsField(value: unknown, where: string): Params {
  const isValue = (item: unknown): item is ParamValue =>
    ['string', 'number', 'boolean'].includes(typeof item);
  if (!isRecord(value) || !Object.values(value).every(isValue)) {
    throw new UsageError(`${where}: 'params' maps names to plain values`);
  }
  return value as Params;
}

function textField(entry: Record<string, unknown>, name: string, where: string): string {
  const value = entry[name];
  if (typeof value !== 'string' || value.trim() === '') {
    throw new UsageError(`${where}: '${name}' is missing`);
  }
  return value.trim();
}

function positive(value: unknown, name: string, where: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
    throw new UsageError(`${where}: '${name}' is a number above 0`);
  }
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Throws for the first goal that no case can answer. */
export function checkGoals(
  goals: readonly Goal[],
  cases: readonly BenchCase[],
  places: Places,
  file: string,
): void {
  for (const goal of goals) {
    const bench = cases.find(({ suite, name }) => `${suite}/${name}` === goal.case);
    if (bench === undefined) throw new UsageError(`${file}: there is no case ${goal.case}`);
    const key = paramsKey(goal.params);
    if (!bench.variants.some((variant) => paramsKey(variant) === key)) {
      throw new UsageError(`${file}: ${goal.case} has no variant with params {${key}}`);
    }
    const at = { params: goal.params, profile: 'full', places } as const;
    if (goal.of.kind === 'peers') {
      const beside = [...(bench.references?.(at) ?? []), ...(bench.peers?.(at) ?? [])];
      const known = new Set(beside.map(({ name }) => name));
      const stranger = goal.of.names.find((name) => !known.has(name));
      if (stranger !== undefined) {
        throw new UsageError(`${file}: ${goal.case} has no peer called ${stranger}`);
      }
    } else if (needsFloor(goal.of) && bench.floor === undefined) {
      throw new UsageError(`${file}: ${goal.case} has no floor to be compared with`);
    }
  }
}

function needsFloor(of: Comparison): boolean {
  return of.kind === 'floor' || (of.kind === 'value' && of.atFloor !== undefined);
}
