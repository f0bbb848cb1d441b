/**
 * Which waits hold each other up for ever.
 *
 * An actor that waits goes on when any of those goes on that could end its wait, so a set of
 * actors is stuck when every one of them waits and all their possible wakers are in the set.
 *
 * Goals: says deadlock of nobody who may go on, as far as the waits tell. Non-goals: time-outs,
 * which the waits do not tell: a deadlock may end by one.
 */

/** One wait, as far as it matters here. */
export interface GraphWait {
  readonly actorId: number;
  /** Whether a thread is blocked; else a promise is pending. */
  readonly blocked: boolean;
  readonly wakers: readonly number[];
  /** Somebody who is not named could end the wait as well. */
  readonly others: boolean;
}

export interface Deadlock<W extends GraphWait> {
  /** The waits of those that wait for each other, along a cycle from the first on. */
  readonly cycle: readonly W[];
  /** The waits of further actors that are stuck with them, or because of them. */
  readonly behind: readonly W[];
  /**
   * True if all are blocked threads. Else some of them are event loops, which wait by promises
   * and may go on by a timer or a socket.
   */
  readonly certain: boolean;
}

/** What an actor waits for. A blocked thread runs no promises. */
function waitsByActor<W extends GraphWait>(waits: readonly W[]): Map<number, W[]> {
  const byActor = new Map<number, W[]>();
  for (const wait of waits) {
    byActor.set(wait.actorId, [...(byActor.get(wait.actorId) ?? []), wait]);
  }
  for (const [actorId, own] of byActor) {
    const blocked = own.filter((wait) => wait.blocked);
    if (blocked.length > 0) byActor.set(actorId, blocked);
  }
  return byActor;
}

/** Takes out, one after the other, who has a waker that may go on; what is left is stuck. */
function stuckActors<W extends GraphWait>(byActor: Map<number, W[]>): Map<number, W[]> {
  const stuck = new Map(byActor);
  // An event loop may come to end its own wait; a blocked thread may not.
  const mayGoOn = ({ actorId, blocked, wakers, others }: W): boolean =>
    others ||
    wakers.length === 0 ||
    wakers.some((waker) => !stuck.has(waker) || (waker === actorId && !blocked));
  for (let size = -1; size !== stuck.size; ) {
    size = stuck.size;
    for (const [actorId, waits] of stuck) {
      if (waits.some(mayGoOn)) stuck.delete(actorId);
    }
  }
  return stuck;
}

/** The shortest way from an actor back to itself, as the waits that lead along it. */
function shortestCycle<W extends GraphWait>(
  start: number,
  stuck: ReadonlyMap<number, readonly W[]>,
): W[] | undefined {
  const ways = new Map<number, W[]>([[start, []]]);
  for (const [actorId, way] of ways) {
    for (const wait of stuck.get(actorId) ?? []) {
      for (const waker of wait.wakers) {
        if (waker === start) return [...way, wait];
        if (!ways.has(waker)) ways.set(waker, [...way, wait]);
      }
    }
  }
  return undefined;
}

/** Those that can be reached from an actor over its possible wakers. */
function reachable<W extends GraphWait>(
  start: number,
  stuck: ReadonlyMap<number, readonly W[]>,
): Set<number> {
  const seen = new Set<number>([start]);
  for (const actorId of seen) {
    for (const { wakers } of stuck.get(actorId) ?? []) for (const waker of wakers) seen.add(waker);
  }
  return seen;
}

/**
 * The deadlocks in these waits, those of blocked threads first. `isAwake` names actors that may go
 * on whatever they wait for, as services do.
 */
export function deadlocks<W extends GraphWait>(
  waits: readonly W[],
  isAwake: (actorId: number) => boolean = () => false,
): Deadlock<W>[] {
  const asleep = waits.filter(({ actorId }) => !isAwake(actorId));
  const certain = knots(stuckActors(waitsByActor(asleep.filter(({ blocked }) => blocked))), true);
  const known = new Set(certain.flatMap(({ cycle, behind }) => [...cycle, ...behind]));
  const perhaps = knots(stuckActors(waitsByActor(asleep)), false);
  // A set that holds a certain deadlock has been told, but for those behind it by promises.
  const further = perhaps.filter(({ cycle }) => !cycle.some((wait) => known.has(wait)));
  return [...certain, ...further];
}

function knots<W extends GraphWait>(stuck: Map<number, W[]>, certain: boolean): Deadlock<W>[] {
  const found: Deadlock<W>[] = [];
  const told = new Set<number>();
  const reaches = new Map([...stuck.keys()].map((actorId) => [actorId, reachable(actorId, stuck)]));
  for (const actorId of stuck.keys()) {
    if (told.has(actorId)) continue;
    const around = reaches.get(actorId) ?? new Set<number>();
    // The innermost sets: whoever is reached reaches back.
    if ([...around].some((other) => !reaches.get(other)?.has(actorId))) continue;
    const cycle = shortestCycle(actorId, stuck);
    if (cycle === undefined) continue;
    const behind = [...stuck].filter(([, waits]) =>
      waits.every(
        (wait) =>
          !cycle.includes(wait) && [...around].some((one) => reaches.get(wait.actorId)?.has(one)),
      ),
    );
    for (const member of around) told.add(member);
    found.push({ cycle, behind: behind.flatMap(([, waits]) => waits), certain });
  }
  return found;
}
