/**
 * What the objects that processes meet at have in common: handles, references in flight, the end.
 */
import { errorFromStatus } from '../runtime/errors/index.ts';
import { type Lent, Role } from './channel.ts';
import type { NativeManaged } from './native-events.ts';
import { check, type Node } from './node.ts';

export interface AttachOptions {
  /** The handle is a lent reference, which this process takes over; it can be adopted once. */
  readonly adopt?: boolean;
}

/** Throws the error for a result that is minus a status; else returns it. */
export function counted(result: number, what: string): number {
  if (result < 0) throw errorFromStatus(-result, what);
  return result;
}

export abstract class ManagedObject<Native extends NativeManaged> implements Disposable {
  readonly node: Node;
  readonly native: Native;
  /** The object in a message, as in "destroy a semaphore". */
  readonly #what: string;

  protected constructor(node: Node, native: Native, what: string) {
    this.node = node;
    this.native = native;
    this.#what = what;
  }

  lend(): Lent {
    const descriptor = this.native.lend(Role.holder);
    if (typeof descriptor === 'number') throw errorFromStatus(descriptor, `lend ${this.#what}`);
    return { descriptor, cancel: () => this.native.cancelLent(descriptor) };
  }

  /**
   * Leaves a lent reference to the node: it keeps the object whoever dies, until somebody adopts it
   * or the run ends.
   */
  entrust(descriptor: Uint8Array): void {
    check(this.native.entrust(descriptor), `leave ${this.#what} to the node`);
  }

  /** 64 bytes by which any process of the node may attach. */
  serialize(): Uint8Array {
    return this.native.serialize();
  }

  /** Ends the object for everybody: every wait on it is rejected with ERR_OBJECT_DESTROYED. */
  destroy(): void {
    check(this.native.destroy(), `destroy ${this.#what}`);
  }

  /** Ends this attachment; its pending waits are rejected with ERR_CLOSED. */
  close(): void {
    this.native.close();
    this.node.waits.nudge(this.native);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
