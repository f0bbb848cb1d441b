/** Making pipes: two channels, or one, and a connection at either end. */
import { Channel } from '../core/index.ts';
import { getRuntime } from '../runtime/client/index.ts';
import { Connection, type ConnectionReader, type ConnectionWriter } from './connection.ts';
import { Ends, ReadEnd, WriteEnd } from './ends.ts';

/** Messages that wait in one direction of a pipe before a writer has to wait. */
const PIPE_CAPACITY = 128;

export interface PipeOptions {
  /** False makes a one-way pipe: the first end receives, the second sends. Default true. */
  readonly duplex?: boolean;
}

/** One direction of a pipe: its writing and its reading end. */
function direction(): { writer: WriteEnd; reader: ReadEnd } {
  const channel = Channel.create(getRuntime().pool, {
    capacity: PIPE_CAPACITY,
    endOfStream: true,
  });
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
}): [Connection<S, R>, Connection<R, S>];
export function pipe<T = unknown>(options: {
  readonly duplex: false;
}): [ConnectionReader<T>, ConnectionWriter<T>];
export function pipe(options: PipeOptions = {}): [Connection, Connection] {
  const there = direction();
  if (options.duplex === false) {
    return [
      new Connection(new Ends(undefined, there.reader)),
      new Connection(new Ends(there.writer, undefined)),
    ];
  }
  const back = direction();
  return [
    new Connection(new Ends(there.writer, back.reader)),
    new Connection(new Ends(back.writer, there.reader)),
  ];
}
