/**
 * Whether what several processes saw of one object can have happened one step after the other.
 */

export interface Call<Step> {
  readonly step: Step;
  readonly startNs: number;
  readonly endNs: number;
}

/**
 * True if there is an order of all calls that keeps each process's own and the order of calls that
 * did not overlap, in which `apply` accepts each: it returns the state after the call, or
 * undefined if the call can't have ended so in that state.
 */
export function isLinearizable<Step, State extends string | number>(
  histories: readonly (readonly Call<Step>[])[],
  initial: State,
  apply: (state: State, call: Call<Step>, others: readonly Call<Step>[]) => State | undefined,
): boolean {
  const dead = new Set<string>();
  const all = histories.flat();
  const search = (done: readonly number[], state: State): boolean => {
    if (done.every((count, process) => count === histories[process]?.length)) return true;
    const key = `${done.join()}/${state}`;
    if (dead.has(key)) return false;
    const next = histories.map((history, process) => history[done[process] ?? 0]);
    const firstEndNs = Math.min(...next.map((call) => call?.endNs ?? Number.POSITIVE_INFINITY));
    for (const [process, call] of next.entries()) {
      if (call === undefined || call.startNs > firstEndNs) continue;
      const after = apply(state, call, all);
      if (after === undefined) continue;
      if (
        search(
          done.map((count, i) => (i === process ? count + 1 : count)),
          after,
        )
      )
        return true;
    }
    dead.add(key);
    return false;
  };
  return search(
    histories.map(() => 0),
    initial,
  );
}
