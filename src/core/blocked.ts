/**
 * Who waits on what, and who could end each wait, over all processes of a node.
 */
import type { WaitInfo } from './native.ts';
import { eventAddon } from './native-events.ts';
import type { Node } from './node.ts';

export interface BlockedWait extends WaitInfo {
  /** The kind of the object: channel, lock, pool, semaphore and so on. */
  readonly object: string;
  /** What is waited for: receive, send, acquire, allocate and so on. */
  readonly operation: string;
  /** The actors that could end the wait: senders of an empty channel, a lock's holder and so on. */
  readonly wakers: readonly number[];
  /** Others, who can't be named, could end it as well. */
  readonly others: boolean;
}

/** The waits of all actors of the node but this process's own attachment. */
export function blockedWaits(node: Node): BlockedWait[] {
  return eventAddon().blockedWaits(node.native);
}
