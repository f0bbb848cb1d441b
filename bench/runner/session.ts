/**
 * What one run of the kit needs around it: places, a scratch directory, an executor, a
 * progress line, and an orderly end when it is interrupted.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createExecutor } from './execute.ts';
import { allowedCpus, findPython, loads, metaOf } from './machine.ts';
import { toLines, writeResults } from './results.ts';
import { type RoundsOptions, type RoundsResult, runRounds } from './schedule.ts';
import type { BenchCase, Execute, Meta, Places, Profile, Sample, Unit } from './types.ts';
import { caseName, paramsKey } from './types.ts';

/** Where a command's words go; tests pass their own. */
export interface Output {
  readonly write: (text: string) => void;
  readonly warn: (text: string) => void;
  /** Shows a line that the next one replaces; absent where nobody watches. */
  readonly progress?: (text: string) => void;
}

/** What both commands work with. */
export interface Kit {
  readonly root: string;
  readonly cases: readonly BenchCase[];
  readonly out: Output;
  /** Makes the programs of `native/bench`; false when they did not build. */
  readonly build: () => Promise<boolean>;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const TIMEOUT_MS: Record<Profile, number> = { smoke: 30_000, full: 120_000 };

export interface SessionOptions extends Kit {
  readonly profile: Profile;
  readonly runs: number;
  readonly seed: number;
  /** Where results go; an interrupted run leaves there what it has. */
  readonly output?: string;
}

export class Session {
  readonly places: Places;
  readonly options: SessionOptions;
  readonly #execute: Execute;
  readonly #stop: () => Promise<void>;
  readonly #loadBefore = loads();
  readonly #startedAt = new Date();
  readonly #measured: Sample[] = [];

  constructor(options: SessionOptions) {
    this.options = options;
    this.places = placesOf(options.root);
    const executor = createExecutor({
      timeoutMs: TIMEOUT_MS[options.profile],
      env: environment(this.places),
    });
    this.#execute = executor.execute;
    this.#stop = () => executor.stop();
    for (const signal of SIGNALS) process.once(signal, this.#interrupt);
  }

  /** Makes what the units start; false, with a line that says so, when it can't be made. */
  async prepare(): Promise<boolean> {
    const { build, out } = this.options;
    if (await build()) return true;
    out.warn('the programs of native/bench did not build; see above\n');
    return false;
  }

  async rounds(
    units: readonly Unit[],
    options: Pick<RoundsOptions, 'firstRun'> & { runs?: number } = {},
  ): Promise<RoundsResult> {
    const { progress } = this.options.out;
    const result = await runRounds(units, {
      runs: this.options.runs,
      ...options,
      seed: this.options.seed + (options.firstRun ?? 0),
      execute: this.#execute,
      onStep: ({ done, total, unit, step }) => {
        const label = `${caseName(unit)} ${paramsKey(unit.params)}`;
        progress?.(`[${done + 1}/${total}] ${label}: ${step.role} ${step.contender.name}`);
      },
      onSample: (sample) => this.#measured.push(sample),
    });
    progress?.('');
    return result;
  }

  /** The first line of the result file; reads the load, so it is made last. */
  meta(): Meta {
    const { root, profile, runs, seed } = this.options;
    return metaOf({
      root,
      profile,
      runs,
      seed,
      affinity: this.places.cpus,
      python: this.places.python,
      packages: this.places.packages,
      loadBefore: this.#loadBefore,
      startedAt: this.#startedAt,
    });
  }

  /** Writes the lines to where the options say. */
  report(records: readonly object[], to: { output?: string; json: boolean }): void {
    const meta = this.meta();
    if (to.output !== undefined) writeResults(to.output, meta, records);
    if (to.json) this.options.out.write(toLines([meta, ...records]));
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#interrupt);
    rmSync(this.places.scratch, { recursive: true, force: true });
  }

  #keepWhatIsMeasured(): void {
    const { output, out } = this.options;
    if (output === undefined || this.#measured.length === 0) return;
    writeResults(output, { ...this.meta(), interrupted: true }, this.#measured);
    out.warn(`interrupted; ${this.#measured.length} samples are in ${output}\n`);
  }

  readonly #interrupt = (signal: NodeJS.Signals): void => {
    void this.#stop().then(() => {
      this.#keepWhatIsMeasured();
      this.close();
      process.exit(128 + constants.signals[signal]);
    });
  };
}

function placesOf(root: string): Places {
  const scratch = mkdtempSync(join(tmpdir(), 'dragon-bench-'));
  writeFileSync(join(scratch, 'hello.ts'), "console.log('hello');\n");
  writeFileSync(join(scratch, 'hello.js'), "console.log('hello');\n");
  writeFileSync(join(scratch, 'empty.mjs'), '');
  return {
    root,
    native: join(root, 'build/bench'),
    peers: join(root, 'build/bench/js'),
    packages: join(root, 'bench/peers'),
    scratch,
    node: process.execPath,
    dragon: join(root, 'bin/dragon'),
    python: findPython(root),
    cpus: allowedCpus(),
  };
}

/** Programs find our interpreter first, and their caches below `build`. */
function environment(places: Places): NodeJS.ProcessEnv {
  const cache = join(places.root, 'build/bench/cache');
  mkdirSync(cache, { recursive: true });
  return {
    ...process.env,
    PATH: `${dirname(places.node)}:${process.env['PATH'] ?? ''}`,
    XDG_CACHE_HOME: cache,
    DRAGON_BENCH_PIN: join(places.native, 'pin'),
    DRAGON_BENCH_PEERS: places.packages,
  };
}
