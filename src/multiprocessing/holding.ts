/**
 * Who in this thread holds a re-entrant lock, and how many times.
 *
 * Goals: two asynchronous tasks of one thread are different holders, and what a holder calls is
 * part of it. JavaScript has no name for a task, so each outermost acquisition makes a frame that
 * goes with the code behind it (AsyncLocalStorage): with the section of `run`, or with the code
 * that waits for `acquire`, and never with who called that code.
 * Non-goals: no mutual exclusion between threads and processes; that is the core's.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { promiseHooks } from 'node:v8';

const frames = new AsyncLocalStorage<Frame>();
let areTasksToldApart = false;

/**
 * Code that waits from now on is told apart from other code. It costs each promise something on
 * Node 20, so it begins with the first lock; there, code that is waiting already is told apart from
 * its next wait on.
 */
function tellTasksApart(): void {
  if (areTasksToldApart) return;
  areTasksToldApart = true;
  const none = new Frame();
  none.end();
  frames.run(none, () => undefined);
}

/** The continuations of code that waits for an acquisition, each with its frame. */
const continuations = new WeakMap<object, Frame>();

/** Lets continuations enter their frames that are about to go on. */
function enterNext(): void {
  const stop = promiseHooks.onBefore((promise) => continuations.get(promise)?.enter());
  // They go on between these two.
  queueMicrotask(() => queueMicrotask(() => stop()));
}

/** One outermost acquisition, as the code sees it that it goes with. */
export class Frame {
  readonly #outer: Frame | undefined;
  #hasEnded = false;
  #stopWatching: (() => void) | undefined;

  /** Within the acquisitions that the calling code is part of. */
  constructor() {
    this.#outer = Frame.#current();
  }

  static #current(): Frame | undefined {
    for (let frame = frames.getStore(); frame !== undefined; frame = frame.#outer) {
      if (!frame.#hasEnded) return frame;
    }
    return undefined;
  }

  /** Whether the calling code is part of this acquisition. */
  get isCurrent(): boolean {
    let frame = Frame.#current();
    while (frame !== undefined && frame !== this) frame = frame.#outer;
    return frame === this;
  }

  /** The code that calls, and what called it in this turn, is part of this from now on. */
  enter(): void {
    frames.enterWith(this);
  }

  /**
   * What `work` comes to. The code that waits for it is part of this acquisition from there on:
   * entered when it goes on, since until it waits it can't be told from its callers.
   */
  enterBehind<T>(work: Promise<T>): Promise<T> {
    let isSettled = false;
    const result = work.then((value) => {
      isSettled = true;
      enterNext();
      return value;
    });
    // Hooks slow down every promise, so they are there until somebody waits, most at once.
    const stop = promiseHooks.onInit((promise, parent) => {
      if (parent !== result) return;
      continuations.set(promise, this);
      if (isSettled) enterNext();
      queueMicrotask(() => this.#unwatch());
    });
    this.#stopWatching = () => stop();
    return result;
  }

  #unwatch(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  /** Runs `section` as part of this acquisition. */
  run<R>(section: () => R): R {
    return frames.run(this, section);
  }

  end(): void {
    this.#hasEnded = true;
    this.#unwatch();
  }
}

/** What has to be put back after a wait in which others held the lock. */
export interface Suspended {
  readonly owner: Frame;
  readonly isByThread: boolean;
  readonly depth: number;
}

/** Those that hold a lock, which they do even if all its handles are closed. */
const held = new Set<Holding>();

/** The acquisition of one lock by this thread, for all its handles. */
export class Holding {
  #owner: Frame | undefined;
  #isByThread = false;
  #depth = 0;

  constructor() {
    tellTasksApart();
  }

  /** The acquisition, if this thread has one. */
  get owner(): Frame | undefined {
    return this.#owner;
  }

  get depth(): number {
    return this.#depth;
  }

  /** Whether the calling code holds the lock: any code of the thread does after a `Sync` call. */
  get isMine(): boolean {
    return this.#owner !== undefined && (this.#isByThread || this.#owner.isCurrent);
  }

  /** Whether the calling code is part of what holds the lock; asynchronous calls go by that. */
  get isWithin(): boolean {
    return this.#owner?.isCurrent ?? false;
  }

  begin(owner: Frame, isByThread: boolean): void {
    this.#owner = owner;
    this.#isByThread = isByThread;
    this.#depth = 1;
    held.add(this);
  }

  again(): void {
    this.#depth++;
  }

  /** True when that was the outermost acquisition: then the lock is to be released. */
  pop(): boolean {
    this.#depth--;
    if (this.#depth > 0) return false;
    this.#owner?.end();
    this.#owner = undefined;
    held.delete(this);
    return true;
  }

  /** Lets others of this thread hold the lock until `resume`. */
  suspend(): Suspended {
    if (this.#owner === undefined) throw new Error('a holding without an owner was suspended');
    const suspended = { owner: this.#owner, isByThread: this.#isByThread, depth: this.#depth };
    this.#owner = undefined;
    this.#depth = 0;
    return suspended;
  }

  resume({ owner, isByThread, depth }: Suspended): void {
    this.#owner = owner;
    this.#isByThread = isByThread;
    this.#depth = depth;
  }
}

const holdings = new Map<string, WeakRef<Holding>>();
const dropped = new FinalizationRegistry<string>((name) => {
  if (holdings.get(name)?.deref() === undefined) holdings.delete(name);
});

function nameOf(handle: Uint8Array): string {
  return Buffer.from(handle).toString('latin1');
}

/** Makes `holding` that of every handle that comes back to this thread. */
export function shareHolding(handle: Uint8Array, holding: Holding): void {
  const name = nameOf(handle);
  if (holdings.get(name)?.deref() === holding) return;
  holdings.set(name, new WeakRef(holding));
  dropped.register(holding, name);
}

/** The holding of a lock that has come from somewhere. */
export function holdingOf(handle: Uint8Array): Holding {
  const known = holdings.get(nameOf(handle))?.deref();
  if (known !== undefined) return known;
  const holding = new Holding();
  shareHolding(handle, holding);
  return holding;
}
