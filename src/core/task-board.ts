/**
 * Task boards: who has how many items of a channel in hand, until they are said to be done.
 *
 * A receiver that is opened with a board counts what it receives as this process's. A join ends
 * when the channel is empty and nobody has an item in hand. Items in the hand of a process that
 * died are nobody's: then joins throw ERR_OWNER_DIED until that is forgotten.
 */
import { Status } from '../runtime/errors/codes.ts';
import { errorFromStatus } from '../runtime/errors/index.ts';
import type { Channel } from './channel.ts';
import { type AttachOptions, ManagedObject } from './managed.ts';
import type { NativePort } from './native.ts';
import { eventAddon, type NativeTaskBoard } from './native-events.ts';
import { check, type Node, unwrap } from './node.ts';
import type { Pool } from './pool.ts';
import { NOT_YET, timeoutMsOf, type WaitOptions } from './wait.ts';

export interface TaskBoardOptions {
  /** Processes that may have items in hand at the same time: 1 to 4096, default 256. */
  readonly consumers?: number;
}

const LANE = 0;
const CONSUMERS = 256;

function finished(status: number): boolean {
  if (status === 0) return true;
  if (status === Status.WOULD_BLOCK || status === Status.TIMEOUT) return false;
  throw errorFromStatus(status, 'join the items of a channel');
}

/**
 * The count of the items of one channel.
 *
 * @example
 * import { Channel, Pool, TaskBoard } from 'dragon-runtime/core';
 * const [channel, tasks] = [Channel.create(Pool.default()), TaskBoard.create(Pool.default())];
 * channel.openSender().trySend(Uint8Array.of(1));
 * channel.openReceiver({ tasks }).receiveSync();
 * console.log(tasks.tryJoin(channel)); // false
 * tasks.done();
 * console.log(tasks.tryJoin(channel)); // true
 */
export class TaskBoard extends ManagedObject<NativeTaskBoard> {
  /** @internal What the data path of a channel takes for the board. */
  readonly port: NativePort;

  private constructor(node: Node, native: NativeTaskBoard) {
    super(node, native, 'a task board');
    this.port = native.port();
  }

  static create(pool: Pool, options: TaskBoardOptions = {}): TaskBoard {
    const native = eventAddon().createTaskBoard(pool.native, options.consumers ?? CONSUMERS);
    return new TaskBoard(pool.node, unwrap(native, 'create a task board'));
  }

  static attach(node: Node, handle: Uint8Array, options: AttachOptions = {}): TaskBoard {
    const native = eventAddon().attachTaskBoard(node.native, handle, options.adopt ?? false);
    return new TaskBoard(node, unwrap(native, 'attach to a task board'));
  }

  /**
   * One of this process's items is done, or one of another's if it has none in hand. Throws
   * ERR_STATE if nobody has.
   */
  done(): void {
    check(this.native.end(), 'say that an item is done');
  }

  /** Whether every item of the channel is done now. Throws ERR_OWNER_DIED as `join`. */
  tryJoin(channel: Channel): boolean {
    return finished(this.native.look(channel.native, true));
  }

  /** True once every item of the channel is done, false at the deadline; blocks the thread. */
  joinSync(channel: Channel, options?: WaitOptions): boolean {
    options?.signal?.throwIfAborted();
    return finished(this.native.joinSync(channel.native, timeoutMsOf(options)));
  }

  /** True once every item of the channel is done, false at the deadline. */
  join(channel: Channel, options?: WaitOptions): Promise<boolean> {
    return this.node.waits.wait<boolean>(
      this.native,
      LANE,
      (isRelook) => (finished(this.native.look(channel.native, isRelook)) ? true : NOT_YET),
      { ...options, isHeld: true },
      () => false,
    );
  }

  /** What the dead had in hand is somebody's affair now: joins no longer tell of it. */
  forgetLost(): void {
    this.native.forgetLost();
  }
}
