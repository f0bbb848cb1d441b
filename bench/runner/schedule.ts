/**
 * Decides what runs when: rounds over all units, and in each unit floor, product and peers in
 * an order drawn anew from the seed.
 *
 * Goals: what is compared ran within seconds of each other, and no position in the order is
 * anybody's privilege. The executor is passed in, so that all of this is tested without
 * starting a process.
 */
import { type Random, seededRandom, shuffled } from './random.ts';
import { sampleOf } from './results.ts';
import type {
  BenchCase,
  Contender,
  Execute,
  Failure,
  Outcome,
  Params,
  Places,
  Profile,
  Sample,
  Step,
  Unit,
  UnitOutcome,
} from './types.ts';
import { caseName, isMissing, paramsKey } from './types.ts';

export interface Selection {
  readonly suite?: string;
  readonly case?: string;
}

/** The units of a profile, in the order of the cases. */
export function planUnits(
  cases: readonly BenchCase[],
  profile: Profile,
  places: Places,
  selection: Selection = {},
): Unit[] {
  return cases
    .filter(({ suite }) => selection.suite === undefined || suite === selection.suite)
    .filter(({ name }) => selection.case === undefined || name === selection.case)
    .flatMap((bench) => {
      const chosen = profile === 'smoke' ? bench.smoke : bench.variants;
      return chosen.map((params) => unitOf(bench, params, profile, places));
    });
}

export function unitOf(bench: BenchCase, params: Params, profile: Profile, places: Places): Unit {
  const at = { params, profile, places };
  return {
    suite: bench.suite,
    case: bench.name,
    params,
    unit: bench.unit,
    better: bench.better,
    product: bench.product(at),
    floor: bench.floor?.(at),
    references: bench.references?.(at) ?? [],
    peers: bench.peers?.(at) ?? [],
  };
}

/** One round of one unit, in an order that the generator draws. */
export function orderOf(unit: Unit, random: Random): Step[] {
  const steps: Step[] = [
    { role: 'product', contender: { name: caseName(unit), program: unit.product } },
    ...unit.references.map((contender) => ({ role: 'reference' as const, contender })),
    ...unit.peers.map((contender) => ({ role: 'peer' as const, contender })),
  ];
  if (unit.floor !== undefined) steps.push({ role: 'floor', contender: unit.floor });
  return shuffled(steps, random);
}

export interface RoundsOptions {
  readonly runs: number;
  readonly seed: number;
  readonly execute: Execute;
  /** The number of the first run; later rounds of the same units go on from there. */
  readonly firstRun?: number;
  onStep?(progress: { done: number; total: number; unit: Unit; step: Step }): void;
  onSample?(sample: Sample): void;
}

export interface RoundsResult {
  readonly samples: Sample[];
  readonly failures: Failure[];
}

/** Runs every unit `runs` times, interleaved. */
export async function runRounds(
  units: readonly Unit[],
  options: RoundsOptions,
): Promise<RoundsResult> {
  const random = seededRandom(options.seed);
  const samples: Sample[] = [];
  const failures: Failure[] = [];
  const perRound = units.reduce((sum, { peers, references, floor }) => {
    return sum + 1 + peers.length + references.length + (floor === undefined ? 0 : 1);
  }, 0);
  let done = 0;
  const firstRun = options.firstRun ?? 1;
  for (let run = firstRun; run < firstRun + options.runs; run += 1) {
    for (const unit of units) {
      const outcomes: UnitOutcome[] = [];
      for (const step of orderOf(unit, random)) {
        options.onStep?.({ done, total: perRound * options.runs, unit, step });
        outcomes.push({ step, outcome: await outcomeOf(step.contender, options.execute) });
        done += 1;
      }
      const result = sampleOf(unit, run, outcomes);
      if ('kind' in result) {
        samples.push(result);
        options.onSample?.(result);
      } else {
        failures.push(result);
      }
    }
  }
  return { samples, failures };
}

async function outcomeOf(contender: Contender, execute: Execute): Promise<Outcome> {
  if (isMissing(contender.program)) {
    return { failed: contender.program.missing, skipped: true };
  }
  return execute(contender.program);
}

/** The one unit with this case and these parameters, if it is among the units. */
export function findUnit(units: readonly Unit[], name: string, params: Params): Unit | undefined {
  const key = paramsKey(params);
  return units.find((unit) => caseName(unit) === name && paramsKey(unit.params) === key);
}
