/**
 * Processes as programs see them: a function, or an executable, run by the runtime.
 *
 * Goals: every call is legal or a typed error in every state of the life cycle; how a process
 * ended is known to all who ask; nothing that was lent to a process that did not start is lost.
 * Non-goals: carrying it out is the services' work; what a process does before its target is
 * the bootstrap's.
 */
import { constants } from 'node:os';
import { decodeError, encode } from '../codec/index.ts';
import type { WaitOptions } from '../core/index.ts';
import {
  type ProcessOptions as CreateOptions,
  getRuntime,
  identity,
  isLoadingTarget,
  type ProcessExit,
} from '../runtime/client/index.ts';
import { ClosedError, DragonError, ProcessError } from '../runtime/errors/index.ts';
import { resolveTarget, type Target } from './targets.ts';

/** How long a disposed process may take to end on SIGTERM before it gets SIGKILL. */
const DISPOSE_PATIENCE_MS = 1000;

/** What a standard stream of a process is. */
export type Stdio = 'inherit' | 'ignore';

/** Where and as what a process runs. */
export interface PlaceOptions {
  /** For people; default: the creator's name and a number. */
  readonly name?: string;
  /** A daemon ends with its creator and keeps no program alive; default: as the creator is. */
  readonly daemon?: boolean;
  /** Changes to the creator's environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Working directory; default: the creator's. */
  readonly cwd?: string;
  readonly stdin?: Stdio;
  readonly stdout?: Stdio;
  readonly stderr?: Stdio;
}

export interface ProcessOptions<A extends readonly unknown[] = readonly unknown[]>
  extends PlaceOptions {
  /** A task, an exported function, `{ module, export }` or `inline(...)`. */
  readonly target: Target<A>;
  /** Arguments of the target; serialised when the process is started. */
  readonly args?: A;
  /** Flags of the interpreter, such as `--max-old-space-size=200`. */
  readonly execArgv?: readonly string[];
}

export interface NativeOptions extends PlaceOptions {
  /** A path, or a name to be found in PATH. */
  readonly exe: string;
  readonly argv?: readonly string[];
}

export interface JoinOptions extends WaitOptions {
  /** Reject with ProcessError when the process did not end with exit code 0. */
  readonly throw?: boolean;
}

const WHILE_LOADING =
  'start: this module starts processes when it is loaded, and a process that was started to run ' +
  'one of its functions is loading it; write: if (isRoot()) await main()';

type State = 'new' | 'starting' | 'started' | 'ended' | 'closed';
type Work = (place: Omit<CreateOptions, 'run'>) => { options: CreateOptions; undo(): void };

/** The first name of a number is the usual one, the others are aliases. */
const signalNames = new Map(
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name as NodeJS.Signals]),
);

/** Processes that this one has started and not seen ending, by puid. */
const living = new Map<bigint, Process>();

let started = 0;

function nextName(): string {
  started++;
  const { parent, label } = identity();
  return parent === undefined ? `Process-${started}` : `${label}:${started}`;
}

function stateError(text: string): DragonError {
  return new DragonError(text, { code: 'ERR_STATE' });
}

/** A process that runs a target function. Encodes the arguments when it is started. */
function targetWork(options: ProcessOptions): Work {
  const reference = resolveTarget(options.target as Target);
  return (place) => {
    const { parts, lent } = encode(options.args ?? []);
    const run = {
      reference,
      args: parts,
      execArgv: options.execArgv ?? [],
    };
    const undo = (): void => {
      for (const reference of lent) reference.cancel();
    };
    return { options: { ...place, run }, undo };
  };
}

function nativeWork({ exe, argv = [] }: NativeOptions): Work {
  const run = { exe, argv };
  return (place) => ({ options: { ...place, run }, undo: () => undefined });
}

class Native {
  readonly options: NativeOptions;

  constructor(options: NativeOptions) {
    this.options = options;
  }
}

/**
 * A process of the run.
 *
 * @example
 * import { defineTask, isRoot } from 'dragon-runtime';
 * import { Process, Queue } from 'dragon-runtime/multiprocessing';
 * export const work = defineTask(import.meta.url, 'work', async (n: number, out: Queue<number>) => {
 *   await out.put(n * n);
 * });
 * if (isRoot()) {
 *   using out = new Queue<number>();
 *   const child = new Process({ target: work, args: [3, out] });
 *   await child.start();
 *   await child.join({ throw: true });
 *   console.log(await out.get(), child.exitCode); // 9 0
 * }
 */
export class Process<A extends readonly unknown[] = readonly unknown[]> implements AsyncDisposable {
  readonly name: string;
  readonly daemon: boolean;
  readonly #work: Work;
  readonly #place: PlaceOptions;
  #state: State = 'new';
  #starting: Promise<void> | undefined;
  #pid: number | undefined;
  #puid: bigint | undefined;
  #exit: ProcessExit | undefined;

  /** Describes a process; `start` makes it. Throws ERR_TARGET_NOT_FOUND for a bad target. */
  constructor(options: ProcessOptions<A>) {
    const given: ProcessOptions | Native = options as unknown as ProcessOptions;
    this.#place = given instanceof Native ? given.options : given;
    this.#work = given instanceof Native ? nativeWork(given.options) : targetWork(given);
    this.name = this.#place.name ?? nextName();
    this.daemon = this.#place.daemon ?? identity().daemon;
    if (identity().daemon && !this.daemon) {
      throw stateError('a daemon may start daemons only: it ends before its children would');
    }
  }

  /** A process that runs an executable as it is. */
  static native(options: NativeOptions): Process {
    return new Process(new Native(options) as unknown as ProcessOptions);
  }

  /** The operating system's id; undefined before the start. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** The id in the run, never used again; undefined before the start. */
  get puid(): bigint | undefined {
    return this.#puid;
  }

  /** The exit code; null before the end and when a signal ended the process. */
  get exitCode(): number | null {
    return this.#look()?.exitCode ?? null;
  }

  /** The signal that ended the process, or null. */
  get signal(): NodeJS.Signals | null {
    const number = this.#look()?.signal;
    return number === undefined ? null : (signalNames.get(number) ?? null);
  }

  /** The exit code, minus the number of the signal, or null before the end. */
  get returnCode(): number | null {
    const exit = this.#look();
    if (exit === undefined) return null;
    return exit.signal === undefined ? (exit.exitCode ?? null) : -exit.signal;
  }

  /** What the target threw in the process, if that ended it. */
  get error(): unknown {
    const bytes = this.#look()?.error;
    return bytes === undefined ? undefined : decodeError(bytes, { origin: this.name });
  }

  /**
   * Starts the process; resolves when it has loaded its target and is about to call it.
   * Rejects with ERR_TARGET_NOT_FOUND, SerializeError for arguments, ProcessError,
   * TimeoutError or the signal's reason; then there is no process. Throws ERR_STATE when
   * called again.
   */
  async start(options: WaitOptions = {}): Promise<void> {
    const { options: create, undo } = this.#begin();
    const starting = getRuntime().processCreate(create, options);
    this.#starting = starting.then(
      (ids) => this.#begun(ids),
      (error) => {
        undo();
        this.#state = 'new';
        throw error;
      },
    );
    await this.#starting;
  }

  /** As `start`; blocks the thread. */
  startSync(options: WaitOptions = {}): void {
    const { options: create, undo } = this.#begin();
    try {
      this.#begun(getRuntime().processCreateSync(create, options));
    } catch (error) {
      undo();
      this.#state = 'new';
      throw error;
    }
  }

  /**
   * Waits for the end of the process: true, or false after `timeout` ms. Rejects with the
   * signal's reason, and with `throw` as `JoinOptions` says. Throws ERR_STATE before `start`.
   */
  async join(options: JoinOptions = {}): Promise<boolean> {
    this.#known('join');
    options.signal?.throwIfAborted();
    await this.#starting;
    if (this.#exit === undefined) {
      const { signal, timeout } = options;
      const puids = [this.#puid ?? 0n];
      this.#note(await getRuntime().processJoin({ puids, mode: 'all', signal, timeout }));
    }
    return this.#judge(options);
  }

  /** As `join`; blocks the thread. */
  joinSync(options: JoinOptions = {}): boolean {
    this.#startedSync('joinSync');
    if (this.#exit === undefined) {
      const { signal, timeout } = options;
      const puids = [this.#puid ?? 0n];
      this.#note(getRuntime().processJoinSync({ puids, mode: 'all', signal, timeout }));
    }
    return this.#judge(options);
  }

  /** Whether it was started and has not ended. */
  isAlive(): boolean {
    this.#open('isAlive');
    if (this.#state === 'starting') return true;
    return this.#state === 'started' && this.#look() === undefined;
  }

  /** Sends SIGTERM. Does nothing when the process has ended; ERR_STATE before `start`. */
  terminate(): Promise<void> {
    return this.#kill('terminate', constants.signals.SIGTERM);
  }

  /** As `terminate`; blocks the thread. */
  terminateSync(): void {
    this.#killSync('terminateSync', constants.signals.SIGTERM);
  }

  /** Sends SIGKILL. Does nothing when the process has ended; ERR_STATE before `start`. */
  kill(): Promise<void> {
    return this.#kill('kill', constants.signals.SIGKILL);
  }

  /** As `kill`; blocks the thread. */
  killSync(): void {
    this.#killSync('killSync', constants.signals.SIGKILL);
  }

  /** Gives the object up; only its name and ids stay. Throws ERR_STATE while it is alive. */
  close(): void {
    if (this.#state === 'closed') return;
    if (this.isAlive()) throw stateError(`close: process ${this.name} is alive; join it first`);
    this.#state = 'closed';
  }

  /** Ends the process if it is alive, with SIGTERM and then SIGKILL, and joins it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'new' || this.#state === 'closed') return;
    try {
      await this.#starting;
    } catch {
      return;
    }
    await this.terminate();
    if (await this.join({ timeout: DISPOSE_PATIENCE_MS })) return;
    await this.kill();
    await this.join();
  }

  /** Checks that it may be started, and prepares what the services need. */
  #begin(): ReturnType<Work> {
    this.#open('start');
    if (this.#state !== 'new') throw stateError(`start: process ${this.name} was started before`);
    if (isLoadingTarget()) throw stateError(WHILE_LOADING);
    const { env, cwd, stdin, stdout, stderr } = this.#place;
    const stdio = [stdin, stdout, stderr].map((stream) =>
      stream === 'ignore' ? ('null' as const) : ('inherit' as const),
    );
    const work = this.#work({ label: this.name, daemon: this.daemon, env, cwd, stdio });
    this.#state = 'starting';
    return work;
  }

  #begun({ puid, pid }: { puid: bigint; pid: number }): void {
    this.#puid = puid;
    this.#pid = pid;
    this.#state = 'started';
    living.set(puid, this as unknown as Process);
  }

  async #kill(call: string, signal: number): Promise<void> {
    this.#known(call);
    await this.#starting;
    if (this.#exit === undefined) await getRuntime().processKill(this.#puid ?? 0n, signal);
  }

  #killSync(call: string, signal: number): void {
    this.#startedSync(call);
    if (this.#exit === undefined) getRuntime().processKillSync(this.#puid ?? 0n, signal);
  }

  /** How it ended, as far as the services know now; undefined while it lives. */
  #look(): ProcessExit | undefined {
    if (this.#exit === undefined && this.#state === 'started') {
      const puids = [this.#puid ?? 0n];
      this.#note(getRuntime().processJoinSync({ puids, mode: 'all', timeout: 0 }));
    }
    return this.#exit;
  }

  #note({ exits: [exit] }: { exits: readonly ProcessExit[] }): void {
    if (exit === undefined || exit.alive || this.#exit !== undefined) return;
    this.#exit = exit;
    if (this.#state === 'started') this.#state = 'ended';
    if (this.#puid !== undefined) living.delete(this.#puid);
  }

  #judge(options: JoinOptions): boolean {
    if (this.#exit === undefined) return false;
    if (options.throw && this.returnCode !== 0) throw this.#failure();
    return true;
  }

  #failure(): ProcessError {
    const { exitCode, signal, error } = this;
    const how = signal === null ? `exit code ${exitCode}` : signal;
    return new ProcessError(`process ${this.name} ended with ${how}`, {
      exitCode,
      signal,
      ...(this.#puid === undefined ? {} : { puid: this.#puid }),
      ...(error === undefined ? {} : { cause: error }),
    });
  }

  #open(call: string): void {
    if (this.#state === 'closed') throw new ClosedError(`${call}: process ${this.name} is closed`);
  }

  /** Throws unless it was started, or is being started. */
  #known(call: string): void {
    this.#open(call);
    if (this.#state === 'new') throw stateError(`${call}: process ${this.name} was not started`);
  }

  #startedSync(call: string): void {
    this.#known(call);
    if (this.#state === 'starting') {
      throw stateError(`${call}: process ${this.name} is being started; await start() first`);
    }
  }

  /** @internal Processes that this one has started and that are alive, of those given. */
  static amongLiving(puids: readonly bigint[]): Process[] {
    return puids.flatMap((puid) => living.get(puid) ?? []);
  }
}
