/** Making pipes: two channels, or one, and a connection at either end. */
import { Channel } from '../core/index.ts';
import { getRuntime } from '../runtime/client/index.ts';
import { DragonError } from '../runtime/errors/index.ts';
import { Connection, type ConnectionReader, type ConnectionWriter } from './connection.ts';
import { Ends, ReadEnd, WriteEnd } from './ends.ts';

const CAPACITY = 128;
const CAPACITY_MAX = 2 ** 20;

export interface PipeOptions {
  /** False makes a one-way pipe: the first end receives, the second sends. Default true. */
  readonly duplex?: boolean;
  /**
   * Messages that wait in one direction before a writer has to wait: 1 to 2^20, default 128. Large
   * messages go fastest where few are on their way, so that their memory stays in the cache.
   */
  readonly capacity?: number;
}

function validCapacity(capacity: number): number {
  if (Number.isInteger(capacity) && capacity >= 1 && capacity <= CAPACITY_MAX) return capacity;
  throw new DragonError(`capacity must be an integer from 1 to ${CAPACITY_MAX}, not ${capacity}`, {
    code: 'ERR_INVALID_ARGUMENT',
  });
}

/** One direction of a pipe: its writing and its reading end. */
function direction(capacity: number): { writer: WriteEnd; reader: ReadEnd } {
  const channel = Channel.create(getRuntime().pool, { capacity, endOfStream: true });
  const other = Channel.attach(channel.node, channel.serialize());
  return {
    writer: new WriteEnd(channel.openSender()),
    reader: new ReadEnd(other.openReceiver()),
  };
}

/**
 * Makes a pipe and returns its two ends. Throws ERR_NO_RUNTIME outside a runtime.
 *
 * @example
 * import { pipe } from 'dragon-runtime/multiprocessing';
 * const [near, far] = pipe<string>();
 * await near.send('hello');
 * console.log(await far.recv()); // hello
 */
export function pipe<S = unknown, R = S>(options?: {
  readonly duplex?: true;
  readonly capacity?: number;
}): [Connection<S, R>, Connection<R, S>];
export function pipe<T = unknown>(options: {
  readonly duplex: false;
  readonly capacity?: number;
}): [ConnectionReader<T>, ConnectionWriter<T>];
export function pipe(options: PipeOptions = {}): [Connection, Connection] {
  const capacity = validCapacity(options.capacity ?? CAPACITY);
  const there = direction(capacity);
  if (options.duplex === false) {
    return [
      new Connection(new Ends(undefined, there.reader)),
      new Connection(new Ends(there.writer, undefined)),
    ];
  }
  const back = direction(capacity);
  return [
    new Connection(new Ends(there.writer, back.reader)),
    new Connection(new Ends(back.writer, there.reader)),
  ];
}
