/**
 * `npm run goals -- SUITE`: runs what the suite's goals ask for and prints a verdict on each.
 *
 * Exit code: 0 every goal is ok, 1 one is short, 3 one is unsure and none is short, 2 usage.
 */
import { belongsTo, GOALS_FILE, loadGoals } from './bench-command.ts';
import { type Goal, UsageError } from './goals.ts';
import { exitCodeFor, type Judgement, judge } from './judge.ts';
import { GOALS_USAGE, parseGoalsOptions } from './options.ts';
import { findUnit, unitOf } from './schedule.ts';
import { type Kit, Session } from './session.ts';
import { failuresText, goalsTable, samplesTable, versionsText } from './table.ts';
import type { BenchCase, Places, Unit } from './types.ts';

export async function goalsCommand(kit: Kit, args: readonly string[]): Promise<number> {
  const { cases, out } = kit;
  const options = parseGoalsOptions(args);
  if (options === undefined) {
    out.write(GOALS_USAGE);
    return 0;
  }
  const session = new Session({ ...kit, profile: 'full', ...options });
  try {
    const all = loadGoals(session);
    const suite = all.filter(({ suite }) => suite === options.suite);
    if (suite.length === 0) {
      const known = [...new Set(all.map(({ suite }) => suite))].join(', ');
      throw new UsageError(`${GOALS_FILE} has no suite ${options.suite}; it has ${known}`);
    }
    const goals = suite.filter((goal) => isChosen(goal, options.case));
    if (goals.length === 0) {
      throw new UsageError(`no goal of ${options.suite} has a case ${options.case}`);
    }
    if (!(await session.prepare())) return 1;
    const units = unitsOf(goals, cases, session.places);
    const { samples, failures } = await session.rounds(units);
    const rows = goals.map((goal) => {
      const unit = findUnit(units, goal.case, goal.params);
      const own = samples.filter((sample) => unit !== undefined && belongsTo(sample, unit));
      return { goal, judgement: judge(goal, own) };
    });
    const records = [...samples, ...rows.map(({ goal, judgement }) => goalLine(goal, judgement))];
    out.warn(failuresText(failures));
    session.report(records, options);
    const tables = [samplesTable(samples), versionsText(session.meta()), '\n', goalsTable(rows)];
    if (!options.json) out.write(tables.join(''));
    return exitCodeFor(rows.map(({ judgement }) => judgement.verdict));
  } finally {
    session.close();
  }
}

/** Whether `--case` leaves a goal in: by the whole name of its case, or the part after `/`. */
function isChosen(goal: Goal, chosen: string | undefined): boolean {
  return chosen === undefined || goal.case === chosen || goal.case.endsWith(`/${chosen}`);
}

/** The units that the goals speak of, each once. */
function unitsOf(goals: readonly Goal[], cases: readonly BenchCase[], places: Places): Unit[] {
  const units: Unit[] = [];
  for (const goal of goals) {
    const bench = cases.find(({ suite, name }) => `${suite}/${name}` === goal.case);
    if (bench === undefined || findUnit(units, goal.case, goal.params) !== undefined) continue;
    units.push(unitOf(bench, goal.params, 'full', places));
  }
  return units;
}

function goalLine(goal: Goal, judgement: Judgement): object {
  return { kind: 'goal', ...goal, ...judgement };
}
