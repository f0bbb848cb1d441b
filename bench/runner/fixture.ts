/**
 * What the tests of the runner share: cases whose programs print a given figure.
 *
 * Non-goals: anything of the product or of the machine is measured.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Goal, parseGoals } from './goals.ts';
import type { Kit } from './session.ts';
import type { BenchCase, Measurement, Missing, Places, Program, Sample } from './types.ts';

export const PLACES: Places = {
  root: '/r',
  native: '/r/native',
  peers: '/r/peers',
  packages: '/r/packages',
  scratch: '/s',
  node: process.execPath,
  dragon: '/r/dragon',
  python: { missing: 'no python' },
  cpus: [0],
};

export function measured(p50: number, unit = 'ns'): Measurement {
  return { unit, n: 10, p50, p99: 2 * p50, min: p50 / 2 };
}

/** A program that runs this line of shell: a shell starts sooner than an interpreter. */
export function shell(line: string): Program {
  return { argv: ['/bin/sh', '-c', line] };
}

export function printing(p50: number, unit?: string): Program {
  return shell(`echo '${JSON.stringify(measured(p50, unit))}'`);
}

export interface Figures {
  readonly product: Program | Missing;
  readonly floor?: Program | Missing;
  readonly references?: Readonly<Record<string, Program | Missing>>;
  readonly peers?: Readonly<Record<string, Program | Missing>>;
}

/** A case of the suite `s` with the one variant `{ size: 1 }`. */
export function caseOf(name: string, figures: Figures, more: Partial<BenchCase> = {}): BenchCase {
  const { product, floor, references = {}, peers = {} } = figures;
  const named = (programs: Readonly<Record<string, Program | Missing>>) =>
    Object.entries(programs).map(([beside, program]) => ({ name: beside, program }));
  return {
    suite: 's',
    name,
    about: `about ${name}`,
    unit: 'ns',
    better: 'lower',
    variants: [{ size: 1 }],
    smoke: [{ size: 1 }],
    product: () => product,
    ...(floor === undefined ? {} : { floor: () => ({ name: `floor.${name}`, program: floor }) }),
    references: () => named(references),
    peers: () => named(peers),
    ...more,
  };
}

export function sample(more: Partial<Sample> = {}): Sample {
  return {
    kind: 'sample',
    suite: 's',
    case: 'a',
    params: { size: 1 },
    unit: 'ns',
    better: 'lower',
    run: 1,
    n: 10,
    p50: 100,
    p99: 200,
    min: 50,
    peers: {},
    ...more,
  };
}

/** The goal of this text, which need only have what is not the same in all tests. */
export function goalOf(text: string): Goal {
  const fields = ['suite: g', 'case: s/a', 'params: { size: 1 }', 'why: because'];
  const own = text.split('\n').map((line) => line.split(':')[0]);
  const rest = fields.filter((line) => !own.includes(line.split(':')[0]));
  const entry = [...text.split('\n'), ...rest].map((line) => `  ${line}\n`).join('');
  const [goal] = parseGoals(`-\n${entry}`, 'goals.yaml');
  if (goal === undefined) throw new Error('the text has no goal');
  return goal;
}

export interface TestKit extends Kit {
  readonly written: string[];
  readonly warned: string[];
}

/** A kit in a temporary folder, whose words are kept. */
export function kitOf(cases: readonly BenchCase[], goals = '[]'): TestKit {
  const root = mkdtempSync(join(tmpdir(), 'kit-'));
  mkdirSync(join(root, 'bench'));
  writeFileSync(join(root, 'package.json'), '{ "version": "1.2.3" }');
  writeFileSync(join(root, 'bench/goals.yaml'), goals);
  const written: string[] = [];
  const warned: string[] = [];
  const out = {
    write: (text: string) => void written.push(text),
    warn: (text: string) => void warned.push(text),
  };
  return { root, cases, out, written, warned, build: async () => true };
}
