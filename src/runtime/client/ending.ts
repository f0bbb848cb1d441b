/**
 * What a process does when it ends in order: by itself, by `process.exit`, or by an error.
 *
 * Goals: one order, whoever asked first. Non-goals: an end by a signal, which asks nobody.
 */

/** In their order. Children can wait for what is done first, and nobody for what is done last. */
const stages = ['before children', 'children', 'last'] as const;

export type Stage = (typeof stages)[number];

const work = new Map<Stage, (() => void)[]>();

/** Has `run` called at the end of this process; it does not throw. */
export function whenEnding(stage: Stage, run: () => void): void {
  if (work.size === 0) {
    process.on('exit', () => {
      for (const each of stages) endStage(each);
    });
  }
  const others = work.get(stage);
  if (others === undefined) work.set(stage, [run]);
  else others.push(run);
}

/** Does now what is to be done in a stage; it is asked again at the end. */
export function endStage(stage: Stage): void {
  for (const run of work.get(stage) ?? []) run();
}
