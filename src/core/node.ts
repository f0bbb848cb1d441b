/**
 * One attachment of this process to a node: an actor with a doorbell and mapped segments.
 *
 * A process may hold several (virtual nodes, worker threads); nothing here is a singleton
 * and nothing reads the environment.
 */
import { Status } from '../runtime/errors/codes.ts';
import { DragonError, errorFromStatus } from '../runtime/errors/index.ts';
import {
  type ActorInfo,
  loadAddon,
  type NativeNode,
  type ReclaimReport,
  type WaitInfo,
} from './native.ts';
import { WaitLoop } from './wait.ts';

export interface NodeCreateOptions {
  /** The run's directory, mode 0700; sockets of the node are made in it. */
  readonly dir: string;
  /** Index of the node in its run; 0 on a single node. */
  readonly nodeId?: number;
}

export interface ActorEvent {
  readonly actorId: number;
  readonly pid: number;
  readonly kind: 'attached' | 'dead';
}

/** Indexes into the node's table of well-known handles. */
export const WellKnown = {
  globalServices: 0,
  localServices: 1,
  defaultPool: 2,
  infrastructurePool: 3,
  gateway: 4,
} as const;

/** The object that a native factory returned, or the error for its status number. */
export function unwrap<T extends object>(result: T | number, what: string): T {
  if (typeof result !== 'number') return result;
  const text = loadAddon().lastErrorText();
  throw errorFromStatus(result, what, text === '' ? {} : { why: text });
}

/** Throws the error for a status other than success. */
export function check(status: number, what: string): void {
  if (status !== 0) throw errorFromStatus(status, what);
}

let provider: (() => Node) | undefined;

/** Says what `Node.current` is in this process or worker thread: the runtime's business. */
export function provideNode(provide: () => Node): void {
  provider = provide;
}

export class Node {
  readonly dir: string;
  /** The addon's face; other classes of this folder use it, users never. */
  readonly native: NativeNode;
  readonly waits: WaitLoop;

  private constructor(dir: string, native: NativeNode) {
    this.dir = dir;
    this.native = native;
    this.waits = new WaitLoop(native);
  }

  /** Makes a node in `dir` and runs its broker on this event loop. For the launcher. */
  static create(options: NodeCreateOptions): Node {
    const native = loadAddon().createNode(options.dir, options.nodeId ?? 0);
    return new Node(options.dir, unwrap(native, `create a node in ${options.dir}`));
  }

  /** Attaches to the node whose broker listens in `dir`. Throws ERR_RUNTIME_GONE after 5 s. */
  static attach(dir: string): Node {
    return new Node(dir, unwrap(loadAddon().attachNode(dir), `attach to the node in ${dir}`));
  }

  /** The node that the runtime started this process on. Throws ERR_NO_RUNTIME outside one. */
  static current(): Node {
    if (provider === undefined) throw errorFromStatus(Status.NO_RUNTIME, 'use the current node');
    return provider();
  }

  get actorId(): number {
    return this.native.actorId;
  }

  get hostId(): bigint {
    return this.native.hostId;
  }

  wellKnown(index: number): Uint8Array | undefined {
    return this.native.wellKnown(index);
  }

  setWellKnown(index: number, handle: Uint8Array): void {
    check(this.native.setWellKnown(index, handle), 'set a well-known handle');
  }

  /** Reports processes that attach and die; only on the node that created the segment. */
  onActor(callback: (event: ActorEvent) => void): void {
    this.native.onActor((actorId, pid, dead) =>
      callback({ actorId, pid, kind: dead !== 0 ? 'dead' : 'attached' }),
    );
  }

  /** Gives back what a dead actor owned; may be repeated when it was cut short. */
  reclaim(actorId: number): ReclaimReport {
    return unwrap(this.native.reclaim(actorId), `reclaim what actor ${actorId} owned`);
  }

  actors(): ActorInfo[] {
    return this.native.actors();
  }

  /** Who waits on what since when, over all processes of the node. */
  waiting(): WaitInfo[] {
    return this.native.waits();
  }

  segments(): { id: number; fd: number }[] {
    return this.native.segments();
  }

  /** Leaves the node. Pending waits of this attachment must have been settled. */
  close(): void {
    if (this.waits.size > 0) {
      throw new DragonError(
        `close a node: ${this.waits.size} waits are pending; settle them first`,
      );
    }
    this.native.close();
  }
}
