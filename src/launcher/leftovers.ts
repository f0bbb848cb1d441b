/**
 * Runs in a base: which live, which are leftovers, and removing the latter.
 *
 * Goals: a run is a leftover only when both its owners are dead for sure; removing it ends
 * exactly the processes that carry its marker. Non-goals: runs of other users or namespaces.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type ProcessBinding, type ProcessStat, processBinding } from './process-binding.ts';
import {
  isAlive,
  type OwnerRecord,
  type Place,
  type RuntimeBase,
  readOwner,
  runIdPattern,
  thisPlace,
} from './runtime-base.ts';

/**
 * live: launcher and warden are there; ending: one of them is and is sweeping; starting: no
 * record yet; foreign: of another process namespace; dead: a leftover.
 */
export type RunState = 'live' | 'ending' | 'starting' | 'foreign' | 'dead';

export interface Run {
  readonly runId: string;
  readonly directory: string;
  readonly state: RunState;
  readonly owner: OwnerRecord | undefined;
}

/** A launcher writes its record within milliseconds of making the directory. */
const RECORD_PATIENCE_MS = 10_000;
const SWEEP_PATIENCE_MS = 2000;

export function listRuns(base: RuntimeBase): Run[] {
  let names: string[];
  try {
    names = readdirSync(base.path).filter((name) => runIdPattern.test(name));
  } catch {
    return [];
  }
  if (names.length === 0) return [];
  const { processStat } = processBinding();
  const place = thisPlace();
  return names.sort().flatMap((runId) => {
    const directory = join(base.path, runId);
    const owner = readOwner(directory);
    const state =
      owner === undefined
        ? stateWithoutRecord(runId, directory, processStat)
        : stateOf(owner, place, processStat);
    return state === undefined ? [] : [{ runId, directory, state, owner }];
  });
}

export function stateOf(
  owner: OwnerRecord,
  place: Place,
  stat: (pid: number) => ProcessStat | undefined,
): RunState {
  if (owner.boot !== place.boot) return 'dead';
  if (owner.namespace !== place.namespace) return 'foreign';
  const launcher = isAlive(owner.launcher, stat);
  const warden = isAlive(owner.warden, stat);
  if (launcher && warden) return 'live';
  return launcher || warden ? 'ending' : 'dead';
}

/** The run's id holds the launcher's process id; undefined when the directory has gone. */
function stateWithoutRecord(
  runId: string,
  directory: string,
  stat: (pid: number) => ProcessStat | undefined,
): RunState | undefined {
  const info = statSync(directory, { throwIfNoEntry: false });
  if (info === undefined) return undefined;
  if (Date.now() - info.mtimeMs > RECORD_PATIENCE_MS) return 'dead';
  return stat(Number(runIdPattern.exec(runId)?.[1])) === undefined ? 'dead' : 'starting';
}

export interface Removal {
  readonly runId: string;
  readonly pids: readonly number[];
  /** What could not be removed, '' if all is gone. */
  readonly problem: string;
}

/** Ends what is left of a dead run and removes its directory. */
export function removeRun(
  base: RuntimeBase,
  run: Run,
  binding: ProcessBinding = processBinding(),
): Removal {
  const pids = binding.markedProcesses(run.runId).map(({ pid }) => pid);
  const isSwept = pids.length === 0 || binding.sweepMarked(run.runId, SWEEP_PATIENCE_MS);
  const errno = binding.removeRunDirectory(base.path, run.runId, base.keep);
  const problem = !isSwept
    ? 'processes do not end'
    : errno !== 0
      ? `the directory can't be removed (errno ${errno})`
      : '';
  return { runId: run.runId, pids, problem };
}

/** What every run does first: most of the time there is nothing. */
export function removeLeftovers(base: RuntimeBase): Removal[] {
  return listRuns(base)
    .filter(({ state }) => state === 'dead')
    .map((run) => removeRun(base, run));
}
