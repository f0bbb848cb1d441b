/**
 * The command lines of `npm run bench` and `npm run goals`.
 *
 * Non-goals: defaults that depend on the machine, and any work.
 */
import { parseArgs } from 'node:util';
import { UsageError } from './goals.ts';
import type { Profile } from './types.ts';

export interface BenchOptions {
  readonly profile: Profile;
  readonly suite?: string;
  readonly case?: string;
  readonly output?: string;
  readonly json: boolean;
  readonly alarm: boolean;
  readonly list: boolean;
  readonly runs: number;
  readonly seed: number;
}

export interface GoalsOptions {
  readonly suite: string;
  readonly case?: string;
  readonly output?: string;
  readonly json: boolean;
  readonly runs: number;
  readonly seed: number;
}

export const BENCH_USAGE = `usage: npm run bench -- [options]
  --profile smoke|full  small sizes for tests, or sizes that figures are taken from (full)
  --suite SUITE         only the cases of this suite
  --case CASE           only cases of this name
  --runs N              rounds over all cases (smoke 1, full 5)
  --seed N              repeats the order of an earlier run
  --json                JSON lines on standard output, no table
  -o, --output FILE     JSON lines to a file
  --alarm               exit 1 when a goal of bench/goals.yaml is missed by a factor of two
  --list                names the cases and ends
  -h, --help            this text
`;

export const GOALS_USAGE = `usage: npm run goals -- SUITE [options]
  --case CASE           only the goals of this case
  --runs N              fresh interleaved runs of each case (7)
  --seed N              repeats the order of an earlier run
  --json                JSON lines on standard output, no table
  -o, --output FILE     JSON lines to a file
  -h, --help            this text
exit code: 0 every goal is ok, 1 one is short, 3 one is unsure, 2 usage
`;

const shared = {
  runs: { type: 'string' },
  seed: { type: 'string' },
  json: { type: 'boolean', default: false },
  output: { type: 'string', short: 'o' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Undefined when help is asked for. */
export function parseBenchOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = strictly(() =>
    parseArgs({
      args: [...args],
      options: {
        ...shared,
        profile: { type: 'string', default: 'full' },
        suite: { type: 'string' },
        case: { type: 'string' },
        alarm: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
      },
    }),
  );
  if (values.help) return undefined;
  const { profile } = values;
  if (profile !== 'smoke' && profile !== 'full') {
    throw new UsageError(`--profile is smoke or full, not ${profile}`);
  }
  return {
    profile,
    json: values.json,
    alarm: values.alarm,
    list: values.list,
    runs: count('runs', values.runs, profile === 'smoke' ? 1 : 5),
    seed: count('seed', values.seed, freshSeed()),
    ...(values.suite === undefined ? {} : { suite: values.suite }),
    ...(values.case === undefined ? {} : { case: values.case }),
    ...(values.output === undefined ? {} : { output: values.output }),
  };
}

/** Undefined when help is asked for. */
export function parseGoalsOptions(args: readonly string[]): GoalsOptions | undefined {
  const { values, positionals } = strictly(() =>
    parseArgs({
      args: [...args],
      options: { ...shared, case: { type: 'string' } },
      allowPositionals: true,
    }),
  );
  if (values.help) return undefined;
  const [suite, ...rest] = positionals;
  if (suite === undefined) throw new UsageError('which suite of goals? try: spine');
  if (rest.length > 0) throw new UsageError(`one suite of goals at a time, not also ${rest[0]}`);
  return {
    suite,
    json: values.json,
    runs: count('runs', values.runs, 7),
    seed: count('seed', values.seed, freshSeed()),
    ...(values.case === undefined ? {} : { case: values.case }),
    ...(values.output === undefined ? {} : { output: values.output }),
  };
}

function strictly<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError((error as Error).message.split('\n')[0] ?? 'bad options');
  }
}

function count(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 2 ** 31) {
    throw new UsageError(`--${name} is a whole number from 1 on, not ${text}`);
  }
  return value;
}

function freshSeed(): number {
  return (Date.now() % 2 ** 31) + 1;
}
