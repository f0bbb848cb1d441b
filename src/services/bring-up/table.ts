/**
 * Tables of transitions: which row an event takes, by the phase and a condition.
 *
 * Goals: a state machine that can be read as a table, and whose rows can be counted when they
 * are taken. Non-goals: no state of its own; an event without a row has no effect.
 */

interface Kinded {
  readonly kind: string;
}

export interface Row<Phase extends string, Step, Event extends Kinded> {
  /** What happens, in words; unique in its table. */
  readonly name: string;
  readonly from: readonly Phase[];
  readonly on: Event['kind'];
  readonly when: (step: Step, event: Event) => boolean;
  readonly to: Phase | undefined;
  readonly run: (step: Step, event: Event) => void;
}

type Of<Event extends Kinded, Kind extends Event['kind']> = Extract<Event, { kind: Kind }>;

interface Body<Phase extends string, Step, Event> {
  readonly when?: (step: Step, event: Event) => boolean;
  readonly to?: Phase;
  readonly run?: (step: Step, event: Event) => void;
}

/** A maker of rows, so that each row knows the type of its event. */
export function rowsOf<Phase extends string, Step, Event extends Kinded>() {
  return <Kind extends Event['kind']>(
    name: string,
    from: readonly Phase[],
    on: Kind,
    body: Body<Phase, Step, Of<Event, Kind>>,
  ): Row<Phase, Step, Event> => ({
    name,
    from,
    on,
    when: (step, event) => body.when?.(step, event as Of<Event, Kind>) ?? true,
    to: body.to,
    run: (step, event) => body.run?.(step, event as Of<Event, Kind>),
  });
}

/** The first row that fits, if any. */
export function rowFor<Phase extends string, Step, Event extends Kinded>(
  rows: readonly Row<Phase, Step, Event>[],
  phase: Phase,
  step: Step,
  event: Event,
): Row<Phase, Step, Event> | undefined {
  return rows.find(
    (row) => row.on === event.kind && row.from.includes(phase) && row.when(step, event),
  );
}
