/**
 * Processes as programs see them: a function, or an executable, run by the runtime.
 *
 * Goals: every call is legal or a typed error in every state of the life cycle; how a process
 * ended is known to all who ask; nothing that was lent to a process that did not start is lost.
 * Non-goals: carrying it out is the services' work; what a process does before its target is
 * the bootstrap's.
 */
import { constants } from 'node:os';
import { decodeError } from '../codec/index.ts';
import type { WaitOptions } from '../core/index.ts';
import {
  getRuntime,
  identity,
  inherited,
  isLoadingTarget,
  type ProcessExit,
} from '../runtime/client/index.ts';
import { ClosedError, DragonError, ProcessError } from '../runtime/errors/index.ts';
import { RUN_AS_PROCESS } from '../runtime/loader/index.ts';
import { getLogger } from './logger.ts';
import type {
  JoinOptions,
  NativeOptions,
  PlaceOptions,
  ProcessOptions,
  ScriptOptions,
} from './process-options.ts';
import { Sentinel } from './sentinel.ts';
import { type AnyFunction, resolveTarget } from './targets.ts';
import { nativeWork, scriptWork, streams, targetWork, type Work } from './work.ts';

/** How long a disposed process may take to end on SIGTERM before it gets SIGKILL. */
const DISPOSE_PATIENCE_MS = 1000;

const WHILE_LOADING =
  'start: this module starts processes when it is loaded, and a process that was started to run ' +
  'one of its functions is loading it; write: if (isRoot()) await main()';

/** `self` is the object of a subclass in the process that it stands for. */
type State = 'new' | 'starting' | 'started' | 'ended' | 'closed' | 'self';

/** What listeners for the end of a process are called with. */
export type ExitListener = (exitCode: number | null, signal: NodeJS.Signals | null) => void;

/** Fields of every process; the others are a subclass's own. */
const COMMON_FIELDS: ReadonlySet<string> = new Set(['name', 'daemon']);

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

/** How another process finds a subclass. */
function referenceOfClass(subclass: typeof Process) {
  const { name } = subclass;
  if (!Object.hasOwn(subclass, 'module')) return resolveTarget(subclass as unknown as AnyFunction);
  return resolveTarget({ module: subclass.module as string | URL, export: name });
}

class Native {
  readonly options: NativeOptions;

  constructor(options: NativeOptions) {
    this.options = options;
  }
}

/** What the constructor gets in the process that runs a subclass. */
const SELF = Symbol('the process itself');

/**
 * A process of the run: of a target, or of a subclass that overrides `run`. The fields of a
 * subclass are serialised at the start, and `run` is called on an object with these fields, which
 * was made without a call of the subclass's constructor. The subclass is found like a function: a
 * loaded module exports it, or `static module = import.meta.url` says which one does.
 *
 * @example
 * import { defineTask, isRoot } from 'dragon-runtime';
 * import { Process, Queue } from 'dragon-runtime/multiprocessing';
 * export const work = defineTask(import.meta.url, 'work', (n: number, out: Queue<number>) =>
 *   out.put(n * n),
 * );
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
  readonly #place: PlaceOptions & Pick<ScriptOptions, 'authkey'>;
  readonly #listeners = new Set<ExitListener>();
  #streams: readonly string[] = [];
  #state: State = 'new';
  #starting: Promise<void> | undefined;
  #pid: number | undefined;
  #puid: bigint | undefined;
  #exit: ProcessExit | undefined;
  #sentinel: Sentinel | undefined;

  /** The address of the module that exports the subclass, if no loaded module is to be asked. */
  declare static readonly module: string | URL | undefined;

  /** Describes a process; `start` makes it. Throws ERR_TARGET_NOT_FOUND for a bad target. */
  constructor(options: ProcessOptions<A>);
  /** For subclasses. */
  constructor(options?: ScriptOptions);
  constructor(options: ProcessOptions<A> | ScriptOptions = {}) {
    const given = options as unknown as ProcessOptions | Native | typeof SELF;
    if (given === SELF) {
      const { label, daemon, puid } = identity();
      this.#place = {};
      this.#work = nativeWork({ exe: '' });
      this.#state = 'self';
      [this.name, this.daemon, this.#pid, this.#puid] = [label, daemon, process.pid, puid];
      return;
    }
    this.#place = given instanceof Native ? given.options : given;
    if (given instanceof Native) this.#work = nativeWork(given.options);
    else if (this.run === Process.prototype.run) this.#work = targetWork(given);
    else this.#work = scriptWork(referenceOfClass(new.target), given, () => [this.#fields()]);
    this.#streams = streams(this.#place);
    this.name = this.#place.name ?? nextName();
    this.daemon = this.#place.daemon ?? identity().daemon;
    if (identity().daemon && !this.daemon) {
      throw stateError('a daemon may start daemons only: it ends before its children would');
    }
  }

  /** What the process does; subclasses override it. */
  run(): unknown {
    throw stateError('run: only subclasses have work of their own; start() runs a target');
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

  /** The key that it has, which proves to others of the run that it belongs to them. */
  get authkey(): Uint8Array {
    return this.#place.authkey ?? Buffer.from(inherited().authkey, 'base64');
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
    if (this.#state === 'starting' || this.#state === 'self') return true;
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

  /**
   * Has `listener` called once with exit code and signal when the process has ended; a promise of
   * `join` in another form. A listener keeps this process's event loop alive until then.
   */
  once(event: 'exit', listener: ExitListener): this {
    if (event !== 'exit') throw new TypeError('a process has the event exit only');
    this.#open('once');
    this.#listeners.add(listener);
    const known = this.#state !== 'new' && this.#state !== 'starting';
    if (known && this.#listeners.size === 1) this.#listen();
    return this;
  }

  /** Takes a listener away. */
  off(_event: 'exit', listener: ExitListener): this {
    this.#listeners.delete(listener);
    return this;
  }

  /** For `wait`: is ready once the process has ended. Throws ERR_STATE before `start`. */
  get sentinel(): Sentinel {
    this.#startedSync('sentinel');
    this.#sentinel ??= new Sentinel(this.#puid ?? 0n);
    return this.#sentinel;
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
      if (this.#state === 'starting') await this.#starting;
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
    if (this.#state === 'self') throw stateError('start: this is the process itself');
    if (this.#state !== 'new') throw stateError(`start: process ${this.name} was started before`);
    if (isLoadingTarget()) throw stateError(WHILE_LOADING);
    const { env, cwd } = this.#place;
    const stdio = this.#streams;
    const work = this.#work({ label: this.name, daemon: this.daemon, env, cwd, stdio });
    this.#state = 'starting';
    return work;
  }

  #begun({ puid, pid }: { puid: bigint; pid: number }): void {
    this.#puid = puid;
    this.#pid = pid;
    this.#state = 'started';
    living.set(puid, this as unknown as Process);
    getLogger().info('process %s has started with pid %d', this.name, pid);
    if (this.#listeners.size > 0) this.#listen();
  }

  /** Has the listeners called, in their order, when the process has ended. */
  #listen(): void {
    void this.join().then(() => {
      for (const listener of [...this.#listeners]) {
        this.#listeners.delete(listener);
        listener(this.exitCode, this.signal);
      }
    });
  }

  /** What a subclass has put on the object. */
  #fields(): Record<string, unknown> {
    return Object.fromEntries(Object.entries(this).filter(([name]) => !COMMON_FIELDS.has(name)));
  }

  async #kill(call: string, signal: number): Promise<void> {
    this.#known(call);
    // One that runs gets the signal even if this thread blocks from here on.
    if (this.#state === 'starting') await this.#starting;
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
    const unsettled = ProcessError.is(error) && error.code === 'ERR_UNSETTLED';
    return new ProcessError(`process ${this.name} ended with ${how}`, {
      ...(unsettled ? { code: 'ERR_UNSETTLED' } : {}),
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
    if (this.#state === 'self') throw stateError(`${call}: this is the process itself`);
  }

  #startedSync(call: string): void {
    this.#known(call);
    if (this.#state === 'starting') {
      throw stateError(`${call}: process ${this.name} is being started; await start() first`);
    }
  }

  /** @internal Runs a subclass in the process that it was started as. */
  static [RUN_AS_PROCESS](fields: object): unknown {
    const self = Reflect.construct(Process, [SELF], this) as Process;
    return Object.assign(self, fields).run();
  }

  /** @internal Processes that this one has started and that are alive, of those given. */
  static amongLiving(puids: readonly bigint[]): Process[] {
    return puids.flatMap((puid) => living.get(puid) ?? []);
  }
}
