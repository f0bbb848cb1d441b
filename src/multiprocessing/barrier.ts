/**
 * Barriers: a fixed number of parties that go on when all have arrived.
 *
 * Goals: a party that times out, aborts, closes or dies while it waits breaks the barrier for all,
 * so nobody waits for one that will not come; an action runs once a generation, in the process of
 * the party that came last, before any goes on.
 * Non-goals: no time-out of the action itself.
 */
import { decode, encode, join, registerHandle } from '../codec/index.ts';
import { Barrier as CoreBarrier, type WaitOptions } from '../core/index.ts';
import { timeoutMsOf } from '../core/wait.ts';
import { getRuntime } from '../runtime/client/index.ts';
import { BrokenBarrierError, DragonError } from '../runtime/errors/index.ts';
import { importTarget, loadedTarget } from '../runtime/loader/index.ts';
import { takeOver } from './lent.ts';
import { integerFrom, SharedObject } from './shared-object.ts';
import { resolveTarget, type Target, type TargetReference } from './targets.ts';

export interface BarrierOptions {
  /**
   * What the last party to arrive runs before any goes on: a task, or a function that a module
   * exports. When it throws the barrier is broken, and that party's wait fails with the error.
   */
  readonly action?: Target | undefined;
  /** Arguments of the action, in whatever process it runs; handles may be among them. */
  readonly args?: readonly unknown[] | undefined;
  /** Time-out in ms of waits that name none; for ever by default. */
  readonly timeout?: number | undefined;
}

type Action = () => unknown;
type Callable = (...args: readonly unknown[]) => unknown;

/** What a barrier is besides the one of the core; travels as an encoded value. */
interface Setup {
  readonly action: TargetReference | undefined;
  readonly args: readonly unknown[];
  readonly timeout: number | undefined;
}

/** What makes a barrier from its descriptor instead of a new one. */
class Revived {
  readonly core: CoreBarrier;
  readonly setup: Setup;

  constructor(core: CoreBarrier, setup: Setup) {
    this.core = core;
    this.setup = setup;
  }
}

/** The length of the core's descriptor stands in front of it, and the setup behind it. */
const HEAD_BYTES = 4;

function setupOf({ action, args = [], timeout }: BarrierOptions): Setup {
  // A time-out that is no number is refused here, and not by each wait.
  timeoutMsOf({ timeout });
  return { action: action && resolveTarget(action), args, timeout };
}

/** The barrier's own error for one of the core. */
function broken(error: unknown): unknown {
  if (!DragonError.is(error)) return error;
  const why = {
    ERR_TIMEOUT: 'wait: the time-out passed before all parties had arrived',
    ERR_BARRIER_BROKEN: 'wait: the barrier is broken',
  }[error.code];
  return why === undefined ? error : new BrokenBarrierError(why, { cause: error });
}

/**
 * A barrier that processes share. Pass it in `args`, through a queue or a connection.
 *
 * @example
 * import { Barrier } from 'dragon-runtime/multiprocessing';
 * const barrier = new Barrier(2);
 * const places = await Promise.all([barrier.wait(), barrier.wait()]);
 * console.log(places, barrier.nWaiting, barrier.broken); // [ 0, 1 ] 0 false
 */
export class Barrier extends SharedObject<CoreBarrier> {
  readonly #setup: Setup;
  #callable: Callable | undefined;

  /**
   * Makes a barrier for `parties` parties in the node's default pool. Throws ERR_NO_RUNTIME outside
   * a runtime, ERR_INVALID_ARGUMENT unless there are 1 to 16384, ERR_TARGET_NOT_FOUND for an
   * action that other processes could not find.
   */
  constructor(parties: number, options?: BarrierOptions);
  /** @internal */
  constructor(parties: number, options: Revived);
  constructor(parties: number, options: BarrierOptions | Revived = {}) {
    const isRevived = options instanceof Revived;
    const setup = isRevived ? options.setup : setupOf(options);
    const count = integerFrom(1, parties, 'the number of parties');
    const lastActs = setup.action !== undefined;
    super(
      isRevived ? options.core : CoreBarrier.create(getRuntime().pool, count, { lastActs }),
      'barrier',
    );
    this.#setup = setup;
    if (!isRevived && typeof options.action === 'function') {
      this.#callable = options.action as Callable;
    }
  }

  /** How many parties have to arrive. */
  get parties(): number {
    return this.core.parties;
  }

  /** How many parties wait now; 0 if the barrier is broken. */
  get nWaiting(): number {
    return this.core.waiting;
  }

  get broken(): boolean {
    return this.core.broken;
  }

  /**
   * Waits until all parties have arrived: the place in which this one came, from 0. Rejects with
   * BrokenBarrierError when the barrier is or gets broken, and after `timeout` ms, which breaks it.
   * An aborted wait rejects with the signal's reason, and breaks the barrier too.
   */
  async wait(options?: WaitOptions): Promise<number> {
    const { core } = this;
    const timeout = this.#timeoutOf(options);
    options?.signal?.throwIfAborted();
    const { action } = this.#setup;
    // Loaded before this party arrives; one that is loaded arrives at once.
    if (action !== undefined) this.#callable ??= await importTarget(action);
    const act = this.#act();
    try {
      return await core.wait({ ...options, timeout, act });
    } catch (error) {
      throw this.#failed(error, timeout);
    }
  }

  /**
   * As `wait`; blocks the thread. Throws ERR_STATE, and breaks the barrier, if this party is the
   * last and the action returns a promise, or is not loaded here yet.
   */
  waitSync(options?: WaitOptions): number {
    const { core } = this;
    const timeout = this.#timeoutOf(options);
    options?.signal?.throwIfAborted();
    const act = this.#act();
    try {
      return core.waitSync({ ...options, timeout, act });
    } catch (error) {
      throw this.#failed(error, timeout);
    }
  }

  /** Passes if this is the last party: its place; or undefined, and it has not arrived. */
  tryWait(): number | undefined {
    try {
      return this.core.tryWait({ act: this.#act() });
    } catch (error) {
      throw broken(error);
    }
  }

  /** Breaks the barrier: whoever waits, and whoever comes before a reset, fails. */
  abort(): void {
    this.core.abort();
  }

  /** Makes the barrier fresh; whoever waits fails with BrokenBarrierError. */
  reset(): void {
    this.core.reset();
  }

  /** What a wait fails with. One that may not wait has not arrived in the core, and is late too. */
  #failed(error: unknown, timeout: number | undefined): unknown {
    const isLate = DragonError.is(error) && error.code === 'ERR_TIMEOUT';
    if (isLate && timeoutMsOf({ timeout }) === 0) this.core.abort();
    return broken(error);
  }

  #timeoutOf(options: WaitOptions | undefined): number | undefined {
    return options?.timeout === undefined ? this.#setup.timeout : options.timeout;
  }

  /** What the last party does. */
  #act(): Action | undefined {
    const { action, args } = this.#setup;
    if (action === undefined) return undefined;
    this.#callable ??= loadedTarget(action);
    const callable = this.#callable ?? (() => notLoaded(action.export));
    return () => callable(...args);
  }

  /** @internal What passing a barrier to another process sends. */
  static lend(barrier: Barrier): { descriptor: Uint8Array; cancel(): void } {
    const { descriptor, cancel } = barrier.core.lend();
    let setup: ReturnType<typeof encode>;
    try {
      setup = encode(barrier.#setup);
    } catch (error) {
      cancel();
      throw error;
    }
    const rest = join(setup);
    const bytes = new Uint8Array(HEAD_BYTES + descriptor.length + rest.length);
    new DataView(bytes.buffer).setUint32(0, descriptor.length, true);
    bytes.set(descriptor, HEAD_BYTES);
    bytes.set(rest, HEAD_BYTES + descriptor.length);
    const references = [{ cancel }, ...setup.lent];
    return {
      descriptor: bytes,
      cancel: () => {
        for (const reference of references) reference.cancel();
      },
    };
  }

  /** @internal */
  static revive(bytes: Uint8Array): Barrier {
    const length = new DataView(bytes.buffer, bytes.byteOffset, HEAD_BYTES).getUint32(0, true);
    const handle = bytes.subarray(HEAD_BYTES, HEAD_BYTES + length);
    const { node } = getRuntime();
    const { object } = takeOver((how) => CoreBarrier.attach(node, handle, how));
    const setup = decode(bytes.slice(HEAD_BYTES + length)) as Setup;
    return new Barrier(object.parties, new Revived(object, setup));
  }
}

function notLoaded(name: string): never {
  throw new DragonError(
    `the action ${name} of the barrier is not loaded in this process, and a call that blocks can ` +
      'not load it: import its module here, or use the form that returns a promise',
    { code: 'ERR_STATE' },
  );
}

registerHandle(Barrier, { kind: 'barrier', lend: Barrier.lend, revive: Barrier.revive });
