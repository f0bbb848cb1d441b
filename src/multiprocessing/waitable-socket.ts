/** Sockets of Node among the objects of a `wait`. */
import type { Socket } from 'node:net';
import { NotSupportedError } from '../runtime/errors/index.ts';
import { type Waitable, waitable } from './waitable.ts';

const EVENTS = ['readable', 'end', 'close', 'error'] as const;

/** A socket that `wait` takes; its bytes are read from the socket itself. */
export interface WaitableSocket extends Waitable {
  readonly socket: Socket;
}

/**
 * Makes a socket one of the objects of `wait`: it is ready while bytes can be read, and at its end.
 * Only for `wait`, since a socket is read in the event loop. The socket has to be paused, as it is
 * while nobody listens to `data`: ERR_NOT_SUPPORTED.
 *
 * @example
 * import { createServer, connect } from 'node:net';
 * import { wait, waitableSocket } from 'dragon-runtime/multiprocessing';
 * const server = createServer((peer) => peer.end('hello')).listen(0);
 * const near = waitableSocket(connect((server.address() as { port: number }).port));
 * await wait([near]);
 * console.log(String(near.socket.read())); // hello
 * server.close();
 */
export function waitableSocket(socket: Socket): WaitableSocket {
  let isOver = false;
  // What ends a stream makes it readable too, with nothing to read.
  socket.on('readable', () => {
    isOver = socket.readableLength === 0;
  });
  const isReady = (): boolean =>
    socket.readableLength > 0 || isOver || socket.readableEnded || socket.destroyed;
  return {
    socket,
    [waitable]() {
      if (socket.listenerCount('data') > 0) {
        throw new NotSupportedError('a socket with a listener of its data has none for wait()');
      }
      let changed = (): void => undefined;
      // After the listener that notes the end.
      const onEvent = (): void => queueMicrotask(changed);
      return {
        isReady,
        places: [],
        listen: (callback) => {
          changed = callback;
          for (const event of EVENTS) socket.on(event, onEvent);
        },
        end: () => {
          for (const event of EVENTS) socket.off(event, onEvent);
        },
      };
    },
  };
}
