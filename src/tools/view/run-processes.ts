/**
 * The processes of a run, from outside of it.
 *
 * Goals: what can be seen needs no runtime that answers; names and labels come from the
 * services when those do. Non-goals: changing anything.
 */
import { readFileSync } from 'node:fs';
import {
  type BlockedWait,
  blockedWaits,
  Channel,
  Node,
  Pool,
  WellKnown,
} from '../../core/index.ts';
import type { Run } from '../../launcher/leftovers.ts';
import { processBinding } from '../../launcher/process-binding.ts';
import { Runtime } from '../../runtime/client/runtime.ts';
import { deadlocks } from './wait-graph.ts';

export interface RunProcess {
  readonly pid: number;
  /** The process's number in its run; absent for what the program started by other means. */
  readonly puid: string | undefined;
  readonly name: string | undefined;
  /** A word for the state in /proc. */
  readonly state: string;
  readonly command: string;
}

const states: Readonly<Record<string, string>> = {
  R: 'running',
  S: 'sleeping',
  D: 'in-kernel',
  T: 'stopped',
  t: 'traced',
  Z: 'zombie',
  I: 'idle',
};

/** Everything that carries the run's marker, in order of process ids. */
export function runProcesses(
  { runId, owner }: Run,
  names: ReadonlyMap<string, string>,
): RunProcess[] {
  const binding = processBinding();
  return binding
    .markedProcesses(runId)
    .sort((a, b) => a.pid - b.pid)
    .map(({ pid, parent, state, command }) => {
      // What a process starts by other means inherits its number and does not own it.
      const isManaged = parent === owner?.warden.pid;
      const puid = isManaged ? binding.startedWith(pid, 'DRAGON_PUID') : undefined;
      return {
        pid,
        puid,
        name: puid === undefined ? undefined : names.get(puid),
        state: states[state] ?? state,
        command: commandLine(pid) ?? command,
      };
    });
}

/** Undefined for a process that has gone, and for one without arguments. */
function commandLine(pid: number): string | undefined {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    return words.length === 0 ? undefined : words.join(' ');
  } catch {
    return undefined;
  }
}

/** One wait, with actors named by their processes. */
export interface Wait {
  readonly pid: number;
  readonly objectId: string;
  /** The kind of the object, and what is waited for: lock, acquire. */
  readonly object: string;
  readonly operation: string;
  readonly sinceMs: number;
  /** Whether a thread is blocked; else a promise is pending. */
  readonly blocked: boolean;
  /** The processes that could end the wait. */
  readonly wakers: readonly number[];
  /** Others, who can't be named, could end it as well. */
  readonly others: boolean;
}

export interface DeadlockedWaits {
  readonly certain: boolean;
  readonly cycle: readonly Wait[];
  readonly behind: readonly Wait[];
}

export interface Waits {
  /** The longest first. */
  readonly waits: readonly Wait[];
  readonly deadlocks: readonly DeadlockedWaits[];
}

/** Attaches to a live run for the time of a look. */
export class RunView {
  readonly #node: Node;
  readonly #servicesPid: number | undefined;

  constructor({ directory, owner }: Run) {
    this.#node = Node.attach(directory);
    this.#servicesPid = owner?.launcher.pid;
  }

  waits(): Waits {
    const pids = new Map(this.#node.actors().map(({ actorId, pid }) => [actorId, pid]));
    const found = blockedWaits(this.#node).sort((a, b) => b.sinceMs - a.sinceMs);
    const named = ({ pid, objectId, object, operation, ...wait }: BlockedWait): Wait => ({
      pid,
      objectId,
      object,
      operation,
      sinceMs: wait.sinceMs,
      blocked: wait.blocked,
      wakers: [...new Set(wait.wakers.map((actorId) => pids.get(actorId) ?? 0))],
      others: wait.others,
    });
    // The services are driven by sockets and signals as well.
    const isAwake = (actorId: number): boolean => pids.get(actorId) === this.#servicesPid;
    return {
      waits: found.map(named),
      deadlocks: deadlocks(found, isAwake).map(({ certain, cycle, behind }) => ({
        certain,
        cycle: cycle.map(named),
        behind: behind.map(named),
      })),
    };
  }

  /** Names by process number; empty while the services are not up. */
  async names(): Promise<Map<string, string>> {
    const services = this.#node.wellKnown(WellKnown.globalServices);
    const replies = this.#node.wellKnown(WellKnown.infrastructurePool);
    if (services === undefined || replies === undefined) return new Map();
    const pool = Pool.attach(this.#node, replies);
    const runtime = new Runtime(this.#node, pool, Channel.attach(this.#node, services), 0n);
    const list = await runtime.processList();
    return new Map(list.map(({ puid, name, label }) => [String(puid), name ?? label]));
  }

  close(): void {
    this.#node.close();
  }
}
