/**
 * Joinable queues: queues that know when every item that was put has been worked off.
 *
 * Goals: an item counts from its put to its `taskDone`, or to the death of the process that had it
 * in hand, which is told and not waited for.
 * Non-goals: giving the items of the dead to others.
 */
import { registerHandle } from '../codec/index.ts';
import type { TaskBoard, WaitOptions } from '../core/index.ts';
import { DragonError } from '../runtime/errors/index.ts';
import { Queue, type QueueOptions } from './queue.ts';
import { queueError } from './queue-errors.ts';
import { QueueParts } from './queue-parts.ts';

export interface JoinableQueueOptions extends QueueOptions {
  /** Processes that may have items in hand at the same time: 1 to 4096, default 256. */
  readonly consumers?: number;
}

const CONSUMERS = 256;

/**
 * A queue whose items are counted until they are done.
 *
 * @example
 * import { JoinableQueue } from 'dragon-runtime/multiprocessing';
 * const queue = new JoinableQueue<string>();
 * await queue.put('a');
 * console.log(await queue.get(), await queue.join({ timeout: 0 })); // a false
 * queue.taskDone();
 * console.log(await queue.join()); // true
 */
export class JoinableQueue<T = unknown> extends Queue<T> {
  /** Makes a queue in the node's default pool. Throws ERR_NO_RUNTIME outside a runtime. */
  constructor(options: JoinableQueueOptions = {}) {
    super(
      options instanceof QueueParts
        ? options
        : QueueParts.create(options, options.consumers ?? CONSUMERS),
    );
  }

  /**
   * Says that an item which was taken is done: one of this process's, or one of another's if it
   * has none in hand. Throws ERR_STATE if nobody has.
   */
  taskDone(): void {
    const tasks = this.#tasks('taskDone');
    try {
      tasks.done();
    } catch (error) {
      if (!DragonError.is(error) || error.code !== 'ERR_STATE') throw error;
      const why = 'no item was taken that is not done yet; call it once for each item';
      throw new DragonError(`taskDone: ${why}`, { code: 'ERR_STATE', cause: error });
    }
  }

  /**
   * Waits until every item that was put is done: true, or false after `timeout` ms. Rejects with
   * OwnerDiedError when all are but those that a process had in hand when it died, until
   * `forgetLost`; with the signal's reason, and with ClosedError.
   */
  async join(options?: WaitOptions): Promise<boolean> {
    const tasks = this.#tasks('join');
    try {
      return await tasks.join(this.parts.channel, this.waitOptions(options));
    } catch (error) {
      throw queueError(error);
    }
  }

  /** As `join`; blocks the thread. */
  joinSync(options?: WaitOptions): boolean {
    const tasks = this.#tasks('join');
    try {
      return tasks.joinSync(this.parts.channel, options);
    } catch (error) {
      throw queueError(error);
    }
  }

  /** What the dead had in hand is somebody's affair now: later joins no longer tell of it. */
  forgetLost(): void {
    this.#tasks('forgetLost').forgetLost();
  }

  #tasks(call: string): TaskBoard {
    this.alive(call);
    return this.parts.tasks as TaskBoard;
  }

  /** @internal */
  static override revive(bytes: Uint8Array): JoinableQueue {
    return new JoinableQueue(QueueParts.revive(bytes));
  }
}

registerHandle(JoinableQueue, {
  kind: 'joinable-queue',
  lend: Queue.lend,
  revive: JoinableQueue.revive,
});
