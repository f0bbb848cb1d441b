/**
 * Waiting for the first of many objects, of any kinds.
 *
 * Goals: what comes back is exactly what is ready at that moment, in the order of the input; a wait
 * takes nothing, and no thread. Non-goals: fairness. Who gets everything that is ready needs none.
 */
import { NOT_YET, type WaitOptions, waitAny, waitAnySync } from '../core/index.ts';
import { getRuntime } from '../runtime/client/index.ts';
import { DragonError, NotSupportedError } from '../runtime/errors/index.ts';
import { type Waitable, type Watch, waitable } from './waitable.ts';

/** The objects under one wait, each once. */
class Watched<W extends Waitable> {
  readonly #watches = new Map<W, Watch>();

  constructor(objects: Iterable<W>) {
    try {
      for (const object of objects) {
        if (typeof object?.[waitable] !== 'function') {
          throw new TypeError('wait takes queues, connections, events and the like only');
        }
        if (!this.#watches.has(object)) this.#watches.set(object, object[waitable]());
      }
    } catch (error) {
      this.end();
      throw error;
    }
  }

  get places() {
    return [...this.#watches.values()].flatMap((watch) => watch.places);
  }

  /** Throws for a wait that nothing could end. */
  checkEnd(options: WaitOptions | undefined): void {
    if (this.#watches.size > 0 || options?.signal !== undefined) return;
    if ((options?.timeout ?? Number.POSITIVE_INFINITY) < Number.POSITIVE_INFINITY) return;
    if (Number.isNaN(options?.timeout)) return;
    throw new DragonError('wait: no objects, no time-out and no signal, so it would never end', {
      code: 'ERR_INVALID_ARGUMENT',
    });
  }

  checkBlocking(): void {
    for (const watch of this.#watches.values()) {
      if (watch.places.length > 0 || watch.isReady()) continue;
      throw new NotSupportedError(
        'waitSync: an object changes in the event loop only, which would be blocked; use wait()',
      );
    }
  }

  readonly look = (): W[] | typeof NOT_YET => {
    const ready: W[] = [];
    for (const [object, watch] of this.#watches) if (watch.isReady()) ready.push(object);
    return ready.length > 0 ? ready : NOT_YET;
  };

  listen(changed: () => void): void {
    for (const watch of this.#watches.values()) watch.listen?.(changed);
  }

  end(): void {
    for (const watch of this.#watches.values()) watch.end?.();
  }
}

const nothing = (): never[] => [];

/**
 * Waits until at least one of the objects is ready: until its own call would not wait. Returns all
 * that are ready, in the order given and each once; none of them after `timeout` ms. Nothing is
 * taken. Rejects with the signal's reason, and with ClosedError when an object is closed here.
 *
 * @example
 * import { pipe, Queue, wait } from 'dragon-runtime/multiprocessing';
 * const queue = new Queue<number>();
 * const [near, far] = pipe<string>();
 * await far.send('hello');
 * console.log((await wait([queue, near])).indexOf(near)); // 0
 * console.log(await wait([queue], { timeout: 5 })); // []
 */
export async function wait<W extends Waitable>(
  objects: Iterable<W>,
  options?: WaitOptions,
): Promise<W[]> {
  const watched = new Watched(objects);
  try {
    watched.checkEnd(options);
    const { node } = getRuntime();
    const listen = (changed: () => void): void => watched.listen(changed);
    return await waitAny<W[]>(node, watched.places, watched.look, options, nothing, listen);
  } finally {
    watched.end();
  }
}

/** As `wait`; blocks the thread. Throws ERR_NOT_SUPPORTED for objects of the event loop. */
export function waitSync<W extends Waitable>(objects: Iterable<W>, options?: WaitOptions): W[] {
  const watched = new Watched(objects);
  try {
    watched.checkEnd(options);
    watched.checkBlocking();
    return waitAnySync<W[]>(getRuntime().node, watched.places, watched.look, options, nothing);
  } finally {
    watched.end();
  }
}
