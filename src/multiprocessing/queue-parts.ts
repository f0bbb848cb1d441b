/**
 * What a queue is made of, in this process: an attachment of its channel and, where its items are
 * counted, of its task board; and how they travel to another process.
 *
 * A descriptor is the limit of the queue in four bytes, the channel's reference, and that of the
 * task board if there is one.
 */
import { Channel, type Lent, TaskBoard } from '../core/index.ts';
import { getRuntime } from '../runtime/client/index.ts';
import { DragonError } from '../runtime/errors/index.ts';
import { takeOver } from './lent.ts';

/** Places in a queue without a `maxsize`; memory is used only for items that wait. */
const UNBOUNDED_CAPACITY = 2 ** 20;
const LIMIT_BYTES = 4;
const REFERENCE_BYTES = 64;

export class QueueParts {
  readonly channel: Channel;
  readonly tasks: TaskBoard | undefined;
  /** The limit that the queue was made with; 0 is none. */
  readonly maxsize: number;

  constructor(channel: Channel, tasks: TaskBoard | undefined, maxsize: number) {
    this.channel = channel;
    this.tasks = tasks;
    this.maxsize = maxsize;
  }

  /** Those of a new queue; with `consumers` its items are counted. */
  static create(options: { readonly maxsize?: number }, consumers?: number): QueueParts {
    const limit = validMaxsize(options.maxsize ?? 0);
    const { pool } = getRuntime();
    const tasks = consumers === undefined ? undefined : TaskBoard.create(pool, { consumers });
    const channel = Channel.create(pool, { capacity: limit === 0 ? UNBOUNDED_CAPACITY : limit });
    return new QueueParts(channel, tasks, limit);
  }

  lend(): Lent {
    const channel = this.channel.lend('holder');
    let tasks: Lent | undefined;
    try {
      tasks = this.tasks?.lend();
    } catch (error) {
      channel.cancel();
      throw error;
    }
    const references = [channel, ...(tasks === undefined ? [] : [tasks])];
    const descriptor = new Uint8Array(LIMIT_BYTES + REFERENCE_BYTES * references.length);
    new DataView(descriptor.buffer).setUint32(0, this.maxsize, true);
    for (const [i, reference] of references.entries()) {
      descriptor.set(reference.descriptor, LIMIT_BYTES + REFERENCE_BYTES * i);
    }
    const cancel = (): void => {
      for (const reference of references) reference.cancel();
    };
    return { descriptor, cancel };
  }

  static revive(bytes: Uint8Array): QueueParts {
    const { node } = getRuntime();
    const maxsize = new DataView(bytes.buffer, bytes.byteOffset, LIMIT_BYTES).getUint32(0, true);
    const [first, second] = [0, 1].map((i) => {
      const begin = LIMIT_BYTES + REFERENCE_BYTES * i;
      return bytes.subarray(begin, begin + REFERENCE_BYTES);
    }) as [Uint8Array, Uint8Array];
    const { object: channel } = takeOver((how) => Channel.attach(node, first, how));
    const tasks =
      second.byteLength === 0
        ? undefined
        : takeOver((how) => TaskBoard.attach(node, second, how)).object;
    return new QueueParts(channel, tasks, maxsize);
  }

  /** Who joins must not take the end of the channel for an empty one, so the board goes first. */
  destroy(): void {
    this.tasks?.destroy();
    this.channel.destroy();
  }

  close(): void {
    this.tasks?.close();
    this.channel.close();
  }
}

function validMaxsize(maxsize: number): number {
  if (Number.isInteger(maxsize) && maxsize <= UNBOUNDED_CAPACITY) return Math.max(0, maxsize);
  throw new DragonError(`maxsize must be an integer up to ${UNBOUNDED_CAPACITY}, not ${maxsize}`, {
    code: 'ERR_INVALID_ARGUMENT',
  });
}
