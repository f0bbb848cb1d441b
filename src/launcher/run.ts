/**
 * Runs one program: the work of a run, in order.
 *
 * The order is what makes it safe and quick. The warden is first: whatever exists of the run
 * after that is removed by it if the launcher dies. The head is started as soon as the node's
 * broker listens, and the services come up while its interpreter starts.
 *
 * Non-goals: what signals and deaths mean (`front-end.ts`), what services do.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../core/native.ts';
import { Node } from '../core/node.ts';
import { defaultCacheDir } from '../runtime/loader/cache.ts';
import { prepareProgram } from '../runtime/loader/program.ts';
import { HEAD_PUID, type LogLevel } from '../services/global/state.ts';
import type { Services } from '../services/index.ts';
import { startEnvironment } from '../services/local/interpreter.ts';
import { ExitCode, errnoText, Failure, say } from './failure.ts';
import {
  type FrontEndEffect,
  type FrontEndEvent,
  frontEndState,
  step,
  watchedSignals,
} from './front-end.ts';
import { headEnvironment, runEnvironment } from './head-environment.ts';
import { removeLeftovers } from './leftovers.ts';
import { Log } from './log.ts';
import type { Parsed } from './options.ts';
import { processBinding } from './process-binding.ts';
import { findInterpreter, findProgram, type Program } from './program.ts';
import { release } from './release.ts';
import {
  makeRunDirectory,
  newRunId,
  type OwnerRecord,
  openBase,
  type RuntimeBase,
  runtimeBase,
  thisPlace,
} from './runtime-base.ts';
import { type Settings, settingsOf } from './settings.ts';
import { Warden, type WardenExit } from './warden.ts';

const SWEEP_PATIENCE_MS = 2000;
/** What the launcher's own process needs, with some to spare. */
const DESCRIPTORS_MIN = 48;
const headStdio = ['inherit', 'inherit', 'inherit'] as const;

export async function runProgram(parsed: Parsed): Promise<number> {
  const cwd = process.cwd();
  const settings = settingsOf(parsed, process.env, cwd);
  const [name = '', ...args] = parsed.rest;
  const program = findProgram(name, cwd, process.env['PATH']);
  const interpreter = findInterpreter(settings.interpreter, cwd, process.env['PATH']);
  checkDescriptors();
  const uid = process.getuid?.() ?? 0;
  const base = runtimeBase(process.env, uid);
  openBase(base, uid);
  for (const { runId, problem } of removeLeftovers(base)) {
    if (problem !== '') say(`leftovers of run ${runId}: ${problem}; see dragon cleanup`);
  }
  return new Run({ name, args, program, interpreter, settings, base, uid, cwd }).toItsEnd();
}

function checkDescriptors(): void {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  const limit = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  if (limit >= DESCRIPTORS_MIN) return;
  throw new Failure(
    `only ${limit} file descriptors are allowed and ${DESCRIPTORS_MIN} are needed; ` +
      'raise the limit: ulimit -n 1024',
  );
}

interface Plan {
  readonly name: string;
  readonly args: readonly string[];
  readonly program: Program;
  readonly interpreter: string;
  readonly settings: Settings;
  readonly base: RuntimeBase;
  readonly uid: number;
  readonly cwd: string;
}

interface Prepared {
  readonly exe: string;
  readonly args: readonly string[];
  readonly cacheDir: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** One run; carries out what `front-end.ts` decides. */
class Run {
  readonly #plan: Plan;
  readonly #runId = newRunId();
  readonly #log: Log;
  readonly #state = frontEndState();
  #warden: Warden | undefined;
  #services: Services | undefined;
  #headPid = 0;
  #timer: NodeJS.Timeout | undefined;
  #finish: (exitCode: number) => void = () => undefined;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#log = new Log(plan.settings.log, plan.settings.logDirectory, this.#runId);
  }

  /** Resolves with the exit code when nothing of the run is left. */
  async toItsEnd(): Promise<number> {
    const end = new Promise<number>((resolve) => {
      this.#finish = resolve;
    });
    const stopWatching = this.#watchSignals();
    const warden = this.#startWarden();
    // From here on a failure does not just leave: the warden has to end the run.
    this.#start(warden).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      const exitCode = error instanceof Failure ? error.exitCode : ExitCode.failure;
      this.#feed({ kind: 'start-failed', text, exitCode });
    });
    const exitCode = await end;
    this.#log.write('launcher', 'info', `the run has ended with exit code ${exitCode}`);
    stopWatching();
    this.#log.close();
    return exitCode;
  }

  async #start(warden: Warden): Promise<void> {
    const { base, uid, settings, cwd, name, interpreter } = this.#plan;
    const directory = makeRunDirectory(base, uid, this.#ownerRecord(warden));
    const node = Node.create({ dir: directory });
    const { exe, args, cacheDir, variables } = await this.#prepare(directory);
    const { debug } = settings;
    const environment = runEnvironment({ directory, runId: this.#runId, cacheDir, debug });
    const all = headEnvironment(process.env, { ...environment, ...variables }, HEAD_PUID);
    const isScript = this.#plan.program.kind === 'script';
    const env = isScript ? startEnvironment({ exe, flags: [], env: all }) : all;
    const request = { exe, args, env, cwd, stdio: headStdio, inLaunchersGroup: true };
    const { pid } = await warden.spawn(request);
    this.#headPid = pid;
    this.#log.write('launcher', 'info', `${name} has started with pid ${pid} in ${directory}`);
    this.#feed({ kind: 'head-started' });
    const { startServices } = await import('../services/index.ts');
    if (this.#state.phase !== 'running') return;
    this.#services = startServices({
      node,
      spawner: warden,
      program: { exe: interpreter, flags: [], entry: bootstrapPath() },
      environment,
      ...(settings.segmentBytes === undefined ? {} : { poolLimitBytes: settings.segmentBytes }),
      log: (level, text) => this.#logLine(level, text),
    });
    this.#services.registerHead({ pid, label: name });
  }

  /** What the head executes. A script is transpiled here, and from its cache that is nothing. */
  async #prepare(directory: string): Promise<Prepared> {
    const { program, interpreter, args } = this.#plan;
    const cacheDir = process.env['DRAGON_CACHE_DIR'] || defaultCacheDir();
    if (program.kind === 'executable') {
      return { exe: program.path, args, cacheDir, variables: {} };
    }
    const prepared = await prepareProgram(program.path, { cacheDir, fallbackDir: directory });
    return {
      exe: interpreter,
      args: [bootstrapPath(), ...args],
      cacheDir: prepared.cacheDir,
      variables: {
        DRAGON_SOURCE: prepared.source,
        // Without it the head asks the loader, which then also loads its resolver.
        ...(prepared.usesResolve ? {} : { DRAGON_PROGRAM: prepared.url }),
      },
    };
  }

  #startWarden(): Warden {
    const { base } = this.#plan;
    const errno = processBinding().becomeSubreaper();
    if (errno !== 0) throw new Failure(`can't adopt orphans: ${errnoText(errno)}`);
    const executable = join(packageRoot(), 'build', 'Release', 'dragon-warden');
    const warden = Warden.start({ executable, base, runId: this.#runId });
    this.#warden = warden;
    warden.onExit((pid, exit) => this.#exited(pid, exit));
    warden.onHalted((left) => this.#feed({ kind: 'halted', left }));
    warden.onDeath((exit) => this.#feed({ kind: 'warden-gone', ...exit }));
    return warden;
  }

  #ownerRecord(warden: Warden): OwnerRecord {
    const { processStat } = processBinding();
    const owner = (pid: number) => ({ pid, startTime: processStat(pid)?.startTime ?? 0 });
    return {
      schema: 1,
      runId: this.#runId,
      release: release(),
      program: this.#plan.program.path,
      launcher: owner(process.pid),
      warden: owner(warden.pid),
      ...thisPlace(),
    };
  }

  #exited(pid: number, exit: WardenExit): void {
    this.#services?.processExited(pid, exit);
    if (pid === this.#headPid) this.#feed({ kind: 'head-exited', ...exit });
  }

  #watchSignals(): () => void {
    const stop = processBinding().watchSignals(
      watchedSignals,
      (signal, fromKernel, _sender, timeMs) =>
        this.#feed({ kind: 'signal', signal, fromTerminal: fromKernel !== 0, timeMs }),
    );
    if (typeof stop === 'number') throw new Failure(`can't watch signals: ${errnoText(stop)}`);
    return stop;
  }

  #feed(event: FrontEndEvent): void {
    for (const effect of step(this.#state, event)) this.#carryOut(effect);
  }

  #carryOut(effect: FrontEndEffect) {
    switch (effect.kind) {
      case 'signal-head':
        return this.#warden?.signal(this.#headPid, effect.signal);
      case 'timer':
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#feed({ kind: 'patience-over' }), effect.afterMs);
        return;
      case 'halt':
        return this.#warden?.halt(effect.graceMs);
      case 'sweep':
        return this.#sweep();
      case 'say':
        return say(effect.text);
      case 'exit':
        clearTimeout(this.#timer);
        this.#warden?.close();
        return this.#finish(effect.code);
    }
  }

  /** The warden's work, done by the launcher: it is the reaper of what the warden left. */
  #sweep(): void {
    const binding = processBinding();
    this.#services?.close();
    binding.sweepChildren(SWEEP_PATIENCE_MS);
    binding.sweepMarked(this.#runId, SWEEP_PATIENCE_MS);
    binding.removeRunDirectory(this.#plan.base.path, this.#runId, this.#plan.base.keep);
  }

  #logLine(level: LogLevel, text: string): void {
    const service = /^(global|local) services: /.exec(text)?.[0] ?? '';
    const name = service === '' ? 'services' : service.slice(0, -2).replace(' ', '-');
    this.#log.write(name, level, text.slice(service.length));
  }
}

function bootstrapPath(): string {
  return join(packageRoot(), 'dist', 'runtime', 'bootstrap', 'main.cjs');
}
