/**
 * The services of a one-node run, in the process of the launcher.
 *
 * Goals: one call brings up pools, channels, global and local services; the launcher tells
 * what happens to processes and awaits the teardown. Non-goals: the launcher makes the node,
 * starts the head and owns the warden.
 */
import { availableParallelism, hostname, totalmem } from 'node:os';
import { Channel, type Node, Pool, WellKnown } from '../core/index.ts';
import { GlobalShell } from './global/shell.ts';
import { type Exit, HEAD_PUID, type LogLevel } from './global/state.ts';
import { LocalShell, type StartedProgram } from './local/shell.ts';
import type { ExitStatus, Spawner } from './local/spawner.ts';

export { type Exit, HEAD_PUID, type LogLevel } from './global/state.ts';
export type { StartedProgram } from './local/shell.ts';
export type { ExitStatus, Spawner, SpawnRequest } from './local/spawner.ts';

/** Control messages and start channels live apart from what programs allocate. */
const INFRASTRUCTURE_POOL_BYTES = 256 * 2 ** 20;
const SERVICE_CHANNEL_CAPACITY = 1024;
const SERVICE_BLOCK_BYTES = 512;
const TEARDOWN_PATIENCE_MS = 2000;
const NODE_ID = 0;

export interface ServicesOptions {
  readonly node: Node;
  readonly spawner: Spawner;
  readonly program: StartedProgram;
  /** Variables of the run (directory, run id, cache), set in every process. */
  readonly environment: Readonly<Record<string, string>>;
  /** The most bytes of the default pool. */
  readonly poolLimitBytes?: number;
  readonly log: (level: LogLevel, text: string) => void;
  /** Hears once how the head has ended. */
  readonly onHeadExit?: (exit: Exit) => void;
}

export interface Head {
  readonly pid: number;
  /** What people call it. */
  readonly label: string;
}

/** The running services; see `startServices`. */
export class Services {
  readonly #node: Node;
  readonly #global: GlobalShell;
  readonly #local: LocalShell;
  readonly #objects: { close(): void }[];
  #halt: () => void = () => undefined;
  readonly #halted = new Promise<void>((resolve) => {
    this.#halt = resolve;
  });
  #closed = false;

  constructor(options: ServicesOptions) {
    const { node, log } = options;
    this.#node = node;
    const limit = options.poolLimitBytes;
    const pool = Pool.create(node, limit === undefined ? {} : { limitBytes: limit });
    const infrastructure = Pool.create(node, {
      limitBytes: INFRASTRUCTURE_POOL_BYTES,
      initialBytes: 2 * 2 ** 20,
    });
    const [globalChannel, localChannel] = [0, 1].map(() =>
      Channel.create(infrastructure, {
        capacity: SERVICE_CHANNEL_CAPACITY,
        blockBytes: SERVICE_BLOCK_BYTES,
      }),
    ) as [Channel, Channel];
    this.#objects = [globalChannel, localChannel, infrastructure, pool];
    this.#global = new GlobalShell({
      node,
      channel: globalChannel,
      localChannels: new Map([[NODE_ID, localChannel]]),
      log,
      headExited: (exit) => options.onHeadExit?.(exit),
      halted: () => this.#halt(),
    });
    const { spawner, program, environment } = options;
    this.#local = new LocalShell({
      node,
      nodeId: NODE_ID,
      channel: localChannel,
      globalChannel,
      pool: infrastructure,
      spawner,
      program,
      environment,
      log,
      actorEnded: (actorId) => this.#global.actorEnded(actorId),
    });
    this.#watchActors();
    this.#global.feed({ kind: 'message', message: this.#nodeUp(), nowMs: performance.now() });
    node.setWellKnown(WellKnown.defaultPool, pool.serialize());
    node.setWellKnown(WellKnown.infrastructurePool, infrastructure.serialize());
    node.setWellKnown(WellKnown.localServices, localChannel.serialize());
    // Last, since a client takes this one as the sign that all of them are there.
    node.setWellKnown(WellKnown.globalServices, globalChannel.serialize());
  }

  /** Enters the head, which the launcher has started with the process id HEAD_PUID. */
  registerHead({ pid, label }: Head): void {
    this.#local.feed({ kind: 'adopt', puid: HEAD_PUID, pid });
    this.#global.feed({ kind: 'head', pid, nodeId: NODE_ID, label });
  }

  /** Tells that a process has ended: the head, or one that the spawner has started. */
  processExited(pid: number, status: ExitStatus): void {
    if (!this.#closed) this.#local.exited(pid, status);
  }

  /**
   * Ends every process that is left, with SIGKILL for those that outlive the patience, and
   * resolves when none is left. A later call with less patience shortens an earlier one.
   */
  async teardown(options: { patienceMs?: number } = {}): Promise<void> {
    const patienceMs = options.patienceMs ?? TEARDOWN_PATIENCE_MS;
    this.#global.feed({ kind: 'teardown', patienceMs });
    await this.#halted;
    this.close();
  }

  /** Stops serving at once, whatever is running. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#global.close();
    this.#local.close();
    for (const object of this.#objects) object.close();
  }

  #watchActors(): void {
    this.#node.onActor(({ actorId, pid, kind }) => {
      if (this.#closed || actorId === this.#node.actorId) return;
      if (kind === 'attached') this.#local.feed({ kind: 'actor', actorId, pid });
      else this.#local.feed({ kind: 'actor-dead', actorId, pid });
    });
    // The head may have attached before anybody watched.
    for (const { actorId, pid } of this.#node.actors()) {
      if (actorId !== this.#node.actorId) this.#local.feed({ kind: 'actor', actorId, pid });
    }
  }

  #nodeUp() {
    const memory = process.constrainedMemory();
    const limited = memory !== undefined && memory > 0 && memory < totalmem();
    const node = {
      nodeId: NODE_ID,
      hostId: this.#node.hostId,
      hostname: hostname(),
      cpus: availableParallelism(),
      memoryBytes: BigInt(limited ? memory : totalmem()),
    };
    return { type: 'LsNodeUp', node } as const;
  }
}

/** Brings up the services of `node`, of which the caller is the creator. */
export function startServices(options: ServicesOptions): Services {
  return new Services(options);
}
