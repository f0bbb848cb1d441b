/**
 * Functions that run when an object is given up, or else when the process ends.
 *
 * Goals: each runs once; at the end by priority, then the newest first, and one that fails does
 * not keep the others from running. Non-goals: an end by a signal, and work that goes on after a
 * function has returned: at the end nothing is awaited.
 */
import { inspect } from 'node:util';
import { whenEnding } from '../runtime/client/index.ts';

export interface FinalizerOptions {
  /**
   * Those with more go first. Those below 0 run after the children of the process were joined,
   * those from 0 on before; `null` keeps a finalizer from running at the end. Default 0.
   */
  readonly priority?: number | null;
  /** Runs the finalizer, too, some time after this object was collected. */
  readonly of?: object;
}

/** In the order of their making. */
const registry = new Set<Finalizer>();
const collected = new FinalizationRegistry<Finalizer>((finalizer) => report(finalizer));

let watching = false;

/** A function that runs once; made by `addFinalizer`. */
export class Finalizer implements Disposable {
  readonly priority: number | null;
  readonly #fn: () => unknown;

  /** @internal Use `addFinalizer`. */
  constructor(fn: () => unknown, { priority = 0, of }: FinalizerOptions) {
    if (typeof fn !== 'function') throw new TypeError('addFinalizer: the first argument is called');
    if (priority !== null && !Number.isInteger(priority)) {
      throw new TypeError('addFinalizer: priority is a whole number or null');
    }
    this.#fn = fn;
    this.priority = priority;
    registry.add(this);
    if (of !== undefined) collected.register(of, this, this);
    watch();
  }

  /** Whether it has neither run nor been cancelled. */
  get active(): boolean {
    return registry.has(this);
  }

  /** Calls the function, and throws what it throws; does nothing when it is not active. */
  run(): unknown {
    return this.cancel() ? this.#fn() : undefined;
  }

  /** Takes the finalizer away; false when it was not active. */
  cancel(): boolean {
    collected.unregister(this);
    return registry.delete(this);
  }

  /** As `run`. */
  [Symbol.dispose](): void {
    this.run();
  }
}

/**
 * Has a function called when this process ends in order, unless it was run or cancelled before.
 *
 * @example
 * import { addFinalizer } from 'dragon-runtime/multiprocessing';
 * const finalizer = addFinalizer(() => console.log('cleaned'), { priority: 10 }); // cleaned
 * finalizer.run();
 */
export function addFinalizer(fn: () => unknown, options: FinalizerOptions = {}): Finalizer {
  return new Finalizer(fn, options);
}

function watch(): void {
  if (watching) return;
  watching = true;
  whenEnding('before children', () => runFinalizers(0));
  whenEnding('last', () => runFinalizers(Number.NEGATIVE_INFINITY));
}

/** Runs those with at least this priority; a failure is printed. */
function runFinalizers(least: number): void {
  const due = [...registry].reverse().filter(({ priority }) => (priority ?? Number.NaN) >= least);
  due.sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0));
  for (const finalizer of due) report(finalizer);
}

function report(finalizer: Finalizer): void {
  try {
    finalizer.run();
  } catch (error) {
    process.stderr.write(`a finalizer failed: ${inspect(error)}\n`);
  }
}
