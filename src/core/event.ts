/**
 * Events: a flag that processes set, clear and wait for.
 */
import { Status } from '../runtime/errors/codes.ts';
import { errorFromStatus } from '../runtime/errors/index.ts';
import { type AttachOptions, ManagedObject } from './managed.ts';
import { eventAddon, type NativeEvent } from './native-events.ts';
import { check, type Node, unwrap } from './node.ts';
import type { Pool } from './pool.ts';
import { NOT_YET, timeoutMsOf, type WaitOptions } from './wait.ts';

const LANE = 0;

function released(status: number): boolean {
  if (status === 0) return true;
  if (status === Status.WOULD_BLOCK || status === Status.TIMEOUT) return false;
  throw errorFromStatus(status, 'wait for an event');
}

export class Event extends ManagedObject<NativeEvent> {
  private constructor(node: Node, native: NativeEvent) {
    super(node, native, 'an event');
  }

  static create(pool: Pool, options: { readonly set?: boolean } = {}): Event {
    const native = eventAddon().createEvent(pool.native, options.set ?? false);
    return new Event(pool.node, unwrap(native, 'create an event'));
  }

  static attach(node: Node, handle: Uint8Array, options: AttachOptions = {}): Event {
    const native = eventAddon().attachEvent(node.native, handle, options.adopt ?? false);
    return new Event(node, unwrap(native, 'attach to an event'));
  }

  /** Sets the flag and releases everybody who waits, also if it is cleared at once. */
  set(): void {
    check(this.native.set(), 'set an event');
  }

  clear(): void {
    check(this.native.clear(), 'clear an event');
  }

  get isSet(): boolean {
    return this.native.isSet;
  }

  /** True when the event is or has been set, false at the deadline; blocks the thread. */
  waitSync(options?: WaitOptions): boolean {
    options?.signal?.throwIfAborted();
    return released(this.native.waitSync(timeoutMsOf(options)));
  }

  /** True when the event is or has been set, false at the deadline. */
  wait(options?: WaitOptions): Promise<boolean> {
    const since = this.native.timesSet;
    const look = () => (released(this.native.tryWait(since)) ? true : NOT_YET);
    return this.node.waits.wait<boolean>(this.native, LANE, look, options, () => false);
  }
}
