/**
 * The words of the benchmark kit: cases, programs, measurements, samples.
 *
 * Goals: one place for the shapes that cases, runner, judge and reports share; the shapes
 * that are written to a file are those of `spec/bench.md`.
 * Non-goals: no behaviour.
 */

export type ParamValue = string | number | boolean;
export type Params = Readonly<Record<string, ParamValue>>;

/** Whether a smaller or a larger figure is the better one. */
export type Better = 'lower' | 'higher';

/** `smoke`: small enough for every test run. `full`: what figures are taken from. */
export type Profile = 'smoke' | 'full';

/** The one line of JSON that a measuring program prints. */
export interface Measurement {
  readonly unit: string;
  readonly n: number;
  readonly p50: number;
  readonly p99: number;
  readonly min: number;
  /** Further figures of the program, by name; they are reported and never judged. */
  readonly detail?: Readonly<Record<string, number>>;
}

/** A command that measures inside itself, in a process of its own. */
export interface Program {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Why something can't be measured here, in words. */
export interface Missing {
  readonly missing: string;
}

/** Something that runs beside the product: a floor, a reference or a peer. */
export interface Contender {
  readonly name: string;
  readonly program: Program | Missing;
}

/** Where things lie and what the machine has; cases make their commands from it. */
export interface Places {
  readonly root: string;
  /** Executables of `native/bench`. */
  readonly native: string;
  /** Bundled peers that run in plain Node. */
  readonly peers: string;
  /** The project whose `node_modules` has the packages that peers use. */
  readonly packages: string;
  /** A directory outside the repository that lives as long as the run. */
  readonly scratch: string;
  readonly node: string;
  readonly dragon: string;
  readonly python: string | Missing;
  /** The processors that this process may use. */
  readonly cpus: readonly number[];
}

/** What a case is asked to run: one set of parameters at one size. */
export interface Situation {
  readonly params: Params;
  readonly profile: Profile;
  readonly places: Places;
}

export interface BenchCase {
  readonly suite: string;
  readonly name: string;
  readonly about: string;
  readonly unit: string;
  readonly better: Better;
  /** Every set of parameters; the full profile runs all of them. */
  readonly variants: readonly Params[];
  /** The ones among `variants` that the smoke profile runs. */
  readonly smoke: readonly Params[];
  product(at: Situation): Program | Missing;
  floor?(at: Situation): Contender;
  /** The product in another shape, which this one is read against: `self.…`. */
  references?(at: Situation): readonly Contender[];
  peers?(at: Situation): readonly Contender[];
}

/** One case with one set of parameters, ready to be run round by round. */
export interface Unit {
  readonly suite: string;
  readonly case: string;
  readonly params: Params;
  readonly unit: string;
  readonly better: Better;
  readonly product: Program | Missing;
  readonly floor: Contender | undefined;
  readonly references: readonly Contender[];
  readonly peers: readonly Contender[];
}

/** What became of one program. */
export type Outcome = Measurement | { readonly failed: string; readonly skipped?: boolean };

/** Runs one program and answers what became of it; never rejects. */
export type Execute = (program: Program) => Promise<Outcome>;

export interface Step {
  readonly role: 'floor' | 'product' | 'reference' | 'peer';
  readonly contender: Contender;
}

export interface UnitOutcome {
  readonly step: Step;
  readonly outcome: Outcome;
}

/** A unit whose product gave no figure in some round. */
export interface Failure {
  readonly unit: Unit;
  readonly run: number;
  readonly what: string;
  readonly reason: string;
  /** It could not be measured here, as opposed to: it was tried and failed. */
  readonly skipped: boolean;
}

export interface Sample {
  readonly kind: 'sample';
  readonly suite: string;
  readonly case: string;
  readonly params: Params;
  readonly unit: string;
  readonly better: Better;
  readonly run: number;
  readonly n: number;
  readonly p50: number;
  readonly p99: number;
  readonly min: number;
  readonly floor?: { readonly case: string; readonly p50: number };
  readonly ratio?: number;
  /** Our p50 over that of the peer or reference. */
  readonly peers: Readonly<Record<string, number>>;
  /** Floors and peers that gave no figure, with the reason. */
  readonly missing?: Readonly<Record<string, string>>;
  readonly detail?: Readonly<Record<string, number>>;
}

export interface Meta {
  readonly kind: 'meta';
  readonly schema: 1;
  readonly release: string;
  readonly commit: string;
  readonly dirty: boolean;
  readonly profile: Profile;
  readonly runs: number;
  readonly node: string;
  readonly compiler: string;
  readonly compilerFlags: string;
  readonly python: string;
  /** The packages that peers use, by name: their versions, or `missing`. */
  readonly peers: Readonly<Record<string, string>>;
  readonly kernel: string;
  readonly cpu: string;
  readonly cores: number;
  readonly affinity: readonly number[];
  readonly loadBefore: readonly number[];
  readonly loadAfter: readonly number[];
  readonly seed: number;
  readonly startedAt: string;
  /** Only there when a signal ended the run before all was measured. */
  readonly interrupted?: true;
}

export function isMissing(thing: object | string): thing is Missing {
  return typeof thing === 'object' && 'missing' in thing;
}

/** The name by which people and goals speak of a case. */
export function caseName(of: { readonly suite: string; readonly case: string }): string {
  return `${of.suite}/${of.case}`;
}

/** Parameters as text with the keys in order: equal texts mean equal parameters. */
export function paramsKey(params: Params): string {
  return Object.entries(params)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}
