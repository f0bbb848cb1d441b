/**
 * `npm run bench`: runs the cases of a profile and reports them.
 *
 * Exit code: 0 all was measured, 1 a program of ours or a floor failed, or an alarm was
 * raised, 2 usage. A peer that is not installed is reported and changes nothing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkGoals, type Goal, parseGoals, UsageError } from './goals.ts';
import { ALARM_FACTOR, figureOf, isAlarming } from './judge.ts';
import { BENCH_USAGE, parseBenchOptions } from './options.ts';
import { findUnit, planUnits } from './schedule.ts';
import { type Kit, Session } from './session.ts';
import { align, boundText, digits, failuresText, samplesTable, versionsText } from './table.ts';
import type { Sample, Unit } from './types.ts';
import { caseName, paramsKey } from './types.ts';

/** How often a case that looks alarming is run again before the alarm is raised. */
const CONFIRMATIONS = 2;

export async function benchCommand(kit: Kit, args: readonly string[]): Promise<number> {
  const { cases, out } = kit;
  const options = parseBenchOptions(args);
  if (options === undefined) {
    out.write(BENCH_USAGE);
    return 0;
  }
  if (options.list) {
    out.write(
      align(
        cases.map(({ suite, name, about }) => [`${suite}/${name}`, about]),
        2,
      ),
    );
    return 0;
  }
  const session = new Session({ ...kit, ...options });
  try {
    const units = planUnits(cases, options.profile, session.places, options);
    if (units.length === 0) throw new UsageError('no case is called so; --list names them');
    const goals = options.alarm ? loadGoals(session) : [];
    if (!(await session.prepare())) return 1;
    const { samples, failures } = await session.rounds(units);
    out.warn(failuresText(failures));
    const alarms = await raiseAlarms(session, units, goals, samples);
    session.report(samples, options);
    if (!options.json) out.write(samplesTable(samples) + versionsText(session.meta()));
    if (options.alarm) out.warn(alarms.length > 0 ? alarms.join('') : 'no alarm\n');
    return alarms.length > 0 || failures.some(({ skipped }) => !skipped) ? 1 : 0;
  } finally {
    session.close();
  }
}

export const GOALS_FILE = 'bench/goals.yaml';

export function loadGoals(session: Session): Goal[] {
  const { root, cases } = session.options;
  const goals = parseGoals(readFileSync(join(root, GOALS_FILE), 'utf8'), GOALS_FILE);
  checkGoals(goals, cases, session.places, GOALS_FILE);
  return goals;
}

/** One line for each goal that is missed widely, in every one of several runs. */
async function raiseAlarms(
  session: Session,
  units: readonly Unit[],
  goals: readonly Goal[],
  samples: readonly Sample[],
): Promise<string[]> {
  const alarms: string[] = [];
  for (const goal of goals) {
    const unit = findUnit(units, goal.case, goal.params);
    if (unit === undefined) continue;
    const first = samples.filter((sample) => belongsTo(sample, unit));
    if (!isAlarming(goal, first)) continue;
    const firstRun = 1 + Math.max(...first.map(({ run }) => run));
    const again = await session.rounds([unit], { runs: CONFIRMATIONS, firstRun });
    const all = [...first, ...again.samples];
    if (isAlarming(goal, all)) alarms.push(alarmText(goal, all));
  }
  return alarms;
}

function alarmText(goal: Goal, samples: readonly Sample[]): string {
  const figures = samples
    .map((sample) => figureOf(goal, sample))
    .map((figure) => (typeof figure === 'number' ? digits(figure) : '-'));
  const label = `${goal.case} ${paramsKey(goal.params)}`.trimEnd();
  const bound = boundText(goal);
  const miss =
    goal.alarm === undefined ? `missed ${ALARM_FACTOR} times over` : `and beyond ${goal.alarm}`;
  return `alarm: ${label}: ${figures.join(', ')}; ${bound}, ${miss}\n`;
}

/** Whether a sample was taken of this unit. */
export function belongsTo(sample: Sample, unit: Unit): boolean {
  return caseName(sample) === caseName(unit) && paramsKey(sample.params) === paramsKey(unit.params);
}
