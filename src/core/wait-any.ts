/**
 * Waiting on several objects at once, of any kinds.
 *
 * One wait stands in the queues of all of them, and looks at all of them when any rings. It takes
 * no thread and nothing from the objects.
 */

import { errorFromStatus } from '../runtime/errors/index.ts';
import { Countdown } from './countdown.ts';
import type { Node } from './node.ts';
import { type Armable, NOT_YET, timeoutMsOf, type WaitOptions } from './wait.ts';

/** A queue of an object's waiters, in which a wait may stand. */
export interface WaitPlace {
  readonly object: Armable;
  readonly lane: number;
}

/** Several places, which the wait loop arms as the lanes of one object. */
class Places implements Armable {
  readonly list: readonly WaitPlace[];

  constructor(places: Iterable<WaitPlace>) {
    const lanes = new Map<Armable, Set<number>>();
    const list: WaitPlace[] = [];
    for (const place of places) {
      const known = lanes.get(place.object) ?? new Set();
      lanes.set(place.object, known);
      if (known.has(place.lane)) continue;
      known.add(place.lane);
      list.push(place);
    }
    this.list = list;
  }

  arm(index: number): number {
    const { object, lane } = this.list[index] as WaitPlace;
    return object.arm(lane);
  }

  includes(object: Armable): boolean {
    return this.list.some((place) => place.object === object);
  }
}

/**
 * Settles with what `look` returns once that is not NOT_YET, as `WaitLoop.wait`. `begin` gets a
 * function that has it look again, for what changes without a ring.
 */
export function waitAny<T>(
  node: Node,
  places: Iterable<WaitPlace>,
  look: () => T | typeof NOT_YET,
  options: WaitOptions | undefined,
  onTimeout: () => T,
  begin?: (lookAgain: () => void) => void,
): Promise<T> {
  const all = new Places(places);
  begin?.(() => node.waits.nudge(all));
  return node.waits.wait<T>(all, [...all.list.keys()], look, options, onTimeout);
}

/** As `waitAny`; blocks the thread. */
export function waitAnySync<T>(
  node: Node,
  places: Iterable<WaitPlace>,
  look: () => T | typeof NOT_YET,
  options: WaitOptions | undefined,
  onTimeout: () => T,
): T {
  const timeoutMs = timeoutMsOf(options);
  options?.signal?.throwIfAborted();
  const first = look();
  if (first !== NOT_YET) return first;
  if (timeoutMs === 0) return onTimeout();
  const deadline = new Countdown(timeoutMs);
  const { native } = node;
  const armed: number[] = [];
  native.beginBlock();
  try {
    for (const { object, lane } of new Places(places).list) {
      const waitId = object.arm(lane);
      if (waitId < 0) throw errorFromStatus(-waitId, 'wait on an object');
      armed.push(waitId);
    }
    for (;;) {
      const found = look();
      if (found !== NOT_YET) return found;
      const leftMs = deadline.leftMs();
      if (leftMs === 0) return onTimeout();
      native.block(leftMs);
      for (const waitId of armed) native.rearm(waitId);
    }
  } finally {
    for (const waitId of armed) native.cancel(waitId, false);
    native.endBlock();
  }
}
