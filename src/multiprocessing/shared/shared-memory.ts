/**
 * Named blocks of memory that any process of the run attaches to.
 *
 * Goals: nothing outside the run's own memory, so that no death leaves a file behind. Who made a
 * block keeps it, also after `close`, until it is unlinked or that process ends, and the node keeps
 * one that is not tracked; whoever has it attached keeps the bytes, also after that.
 * Non-goals: order between writers; locks are for that.
 */
import { randomBytes } from 'node:crypto';
import { registerHandle } from '../../codec/index.ts';
import { Region } from '../../core/index.ts';
import { getRuntime, type NamedObject, type RegisterResult } from '../../runtime/client/index.ts';
import {
  ClosedError,
  DragonError,
  ExistsError,
  NotFoundError,
} from '../../runtime/errors/index.ts';
import { takeOver } from '../lent.ts';
import { fromMaker } from './maker.ts';

export interface SharedMemoryOptions {
  /** Unique in the run, at most 255 bytes; one is made up by default. */
  readonly name?: string | undefined;
  /** In bytes. */
  readonly size: number;
  /** False: the block stays until somebody unlinks it or the run ends, whoever dies. */
  readonly track?: boolean | undefined;
  /** Makes up names, as long as they are taken. */
  readonly makeName?: (() => string) | undefined;
}

const KIND = 'shared-memory';
const NAME_BYTES_MAX = 255;
const REGION_BYTES = 64;

const madeUp = (): string => `shm-${randomBytes(6).toString('hex')}`;

function checkName(name: unknown): asserts name is string {
  const isName = typeof name === 'string' && name !== '' && !name.includes('\0');
  if (isName && Buffer.byteLength(name) <= NAME_BYTES_MAX) return;
  throw new DragonError(
    `${JSON.stringify(name)} can't name shared memory: use 1 to ${NAME_BYTES_MAX} bytes, no NUL`,
    { code: 'ERR_INVALID_ARGUMENT' },
  );
}

const isGone = (error: unknown): boolean =>
  DragonError.is(error) && error.code === 'ERR_OBJECT_DESTROYED';

/** A region that is about to get a name: what is tried with one name after the other. */
interface Attempt {
  readonly region: Region;
  /** The handle under the name, with the reference that keeps the block while nobody has it. */
  readonly descriptor: Uint8Array;
  readonly cancel: () => void;
}

function begin({ size, name }: SharedMemoryOptions): Attempt {
  if (!(Number.isInteger(size) && size > 0)) {
    throw new RangeError(`shared memory has a size of at least one byte, not ${size}`);
  }
  if (name !== undefined) checkName(name);
  const region = Region.create(getRuntime().pool, size);
  return { region, ...region.lend() };
}

/** What became of one name: the block, or nothing when another name is to be tried. */
function settle(
  attempt: Attempt,
  name: string,
  result: RegisterResult,
  options: SharedMemoryOptions,
): SharedMemory | undefined {
  const { region, descriptor } = attempt;
  if (result.registered) {
    if (options.track === false) leaveToNode(region, name, descriptor);
    return new SharedMemory(region, name, descriptor, true);
  }
  if (options.name === undefined || wasUnkept(name, result)) return undefined;
  throw new ExistsError(`${name}: an object has this name`);
}

function leaveToNode(region: Region, name: string, descriptor: Uint8Array): void {
  try {
    region.entrust(descriptor);
  } catch (error) {
    getRuntime().nameUnlinkSync(name, descriptor);
    throw error;
  }
}

/**
 * Whether the name was of a block whose maker died between the two steps that keep it; then the
 * name is free now.
 */
function wasUnkept(name: string, { kind, descriptor }: NamedObject): boolean {
  if (kind !== KIND) return false;
  try {
    Region.attach(getRuntime().node, descriptor).close();
    return false;
  } catch (error) {
    if (!isGone(error)) throw error;
  }
  try {
    getRuntime().nameUnlinkSync(name, descriptor);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
  }
  return true;
}

function end({ region, cancel }: Attempt): void {
  cancel();
  region.close();
}

/** The region of a name; throws NotFoundError if it is of another kind, or gone. */
function open(name: string, kind: string, descriptor: Uint8Array): Region {
  if (kind !== KIND) throw new NotFoundError(`${name} is no shared memory but a ${kind}`);
  try {
    return Region.attach(getRuntime().node, descriptor);
  } catch (error) {
    if (isGone(error)) throw new NotFoundError(`no shared memory is named ${name}`);
    throw error;
  }
}

/** Ends the object for those who would attach to it, with the reference that kept it. */
function destroy(descriptor: Uint8Array): void {
  try {
    const { object } = takeOver((how) => Region.attach(getRuntime().node, descriptor, how));
    object.destroy();
    object.close();
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/**
 * A named block of shared memory.
 *
 * @example
 * import { SharedMemory } from 'dragon-runtime/multiprocessing';
 * const block = SharedMemory.create({ name: 'scores', size: 100 });
 * using same = SharedMemory.attach('scores');
 * same.buf[99] = 7;
 * console.log(block.buf[99], block.size); // 7 100
 * block.close();
 * block.unlink();
 */
export class SharedMemory implements Disposable, AsyncDisposable {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly #region: Region;
  readonly #buf: Uint8Array;
  readonly #descriptor: Uint8Array;
  readonly #isMaker: boolean;
  /** Whether a reference to the name was counted that `close` gives back. */
  readonly #holdsName: boolean;
  #closed = false;

  /** @internal `create` and `attach` make them. */
  constructor(
    region: Region,
    name: string,
    descriptor: Uint8Array,
    isMaker: boolean,
    holdsName = false,
  ) {
    this.#region = fromMaker(region, region instanceof Region, 'SharedMemory.create({ size })');
    this.name = name;
    this.size = region.byteLength;
    this.#buf = new Uint8Array(region.buffer);
    this.#descriptor = descriptor;
    this.#isMaker = isMaker;
    this.#holdsName = holdsName;
  }

  /**
   * Makes a block of zeros under a name; blocks the thread until the services have answered. Throws
   * ExistsError if the name is taken, ERR_OUT_OF_MEMORY or ERR_TOO_LARGE if the pool has no room.
   */
  static create(options: SharedMemoryOptions): SharedMemory {
    const attempt = begin(options);
    const { descriptor } = attempt;
    try {
      for (;;) {
        const name = nameFor(options);
        const named = { kind: KIND, descriptor };
        const result = getRuntime().nameRegisterSync(name, named, options.track === false);
        const made = settle(attempt, name, result, options);
        if (made !== undefined) return made;
      }
    } catch (error) {
      end(attempt);
      throw error;
    }
  }

  /**
   * The block of this name; blocks the thread until the services have answered. Throws
   * NotFoundError if there is none.
   */
  static attach(name: string): SharedMemory {
    checkName(name);
    const runtime = getRuntime();
    const { kind, descriptor } = runtime.nameLookupSync(name, { hold: true });
    try {
      return new SharedMemory(open(name, kind, descriptor), name, descriptor, false, true);
    } catch (error) {
      runtime.nameReleaseSync(name, descriptor);
      throw error;
    }
  }

  /** The bytes themselves; their length is 0 after `close`. Throws ClosedError then. */
  get buf(): Uint8Array {
    this.#alive();
    return this.#buf;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Ends this process's use of the block. It stays for others; who made it can still unlink it,
   * and it can be attached to again until then.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#region.close();
    // Nobody has to wait for that: a name without a block is as good as none.
    if (this.#holdsName) {
      getRuntime()
        .nameRelease(this.name, this.#descriptor)
        .catch(() => undefined);
    }
  }

  /**
   * Takes the name away for everybody; the bytes stay with those who have them attached. May be
   * called after `close`; blocks the thread until the services have answered. Throws NotFoundError
   * if that was done before.
   */
  unlink(): void {
    getRuntime().nameUnlinkSync(this.name, this.#descriptor);
    destroy(this.#descriptor);
  }

  toString(): string {
    return `SharedMemory(${JSON.stringify(this.name)}, size=${this.size})`;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes the block; who made it unlinks it, too. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    if (!this.#isMaker) return;
    try {
      this.unlink();
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
  }

  #alive(): void {
    if (this.#closed) throw new ClosedError(`${this.name} was closed in this process`);
  }

  /** @internal What passing a block to another process sends. */
  static lend(memory: SharedMemory): { descriptor: Uint8Array; cancel(): void } {
    memory.#alive();
    const { descriptor, cancel } = memory.#region.lend();
    const named = [descriptor, memory.#descriptor, Buffer.from(memory.name)];
    return { descriptor: Buffer.concat(named), cancel };
  }

  /** @internal Throws NotFoundError when the block was unlinked meanwhile. */
  static revive(bytes: Uint8Array): SharedMemory {
    const own = bytes.subarray(0, REGION_BYTES);
    const named = bytes.slice(REGION_BYTES, 2 * REGION_BYTES);
    const name = Buffer.from(bytes.subarray(2 * REGION_BYTES)).toString();
    try {
      const { object } = takeOver((how) => Region.attach(getRuntime().node, own, how));
      return new SharedMemory(object, name, named, false);
    } catch (error) {
      if (isGone(error)) throw new NotFoundError(`the shared memory ${name} was unlinked`);
      throw error;
    }
  }
}

function nameFor({ name, makeName = madeUp }: SharedMemoryOptions): string {
  if (name !== undefined) return name;
  const made = makeName();
  checkName(made);
  return made;
}

registerHandle(SharedMemory, {
  kind: KIND,
  lend: SharedMemory.lend,
  revive: SharedMemory.revive,
  discard: (memory) => memory.close(),
});
