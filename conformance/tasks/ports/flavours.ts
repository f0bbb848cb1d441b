/** One set of calls for both flavours, so that a body is written once. */
import { defineTask } from 'dragon-runtime';
import {
  type Connection,
  Process,
  type Queue,
  type Waitable,
  wait,
  waitSync,
} from 'dragon-runtime/multiprocessing';

export type Flavour = 'async' | 'sync';
export type Body = (flavour: Flavour) => Promise<void>;

interface Limits {
  readonly timeout?: number;
}

/** The waiting calls of a queue. */
export function calls<T>(queue: Queue<T>, flavour: Flavour) {
  const isAsync = flavour === 'async';
  return {
    put: async (item: T, limits?: Limits) =>
      isAsync ? await queue.put(item, limits) : queue.putSync(item, limits),
    get: async (limits?: Limits) => (isAsync ? await queue.get(limits) : queue.getSync(limits)),
  };
}

/** The waiting calls of a connection. */
export function talk<S, R>(end: Connection<S, R>, flavour: Flavour) {
  const isAsync = flavour === 'async';
  return {
    send: async (value: S) => (isAsync ? await end.send(value) : end.sendSync(value)),
    recv: async (limits?: Limits) => (isAsync ? await end.recv(limits) : end.recvSync(limits)),
    sendBytes: async (data: Uint8Array, offset?: number, length?: number) =>
      isAsync ? await end.sendBytes(data, offset, length) : end.sendBytesSync(data, offset, length),
    recvBytes: async (max?: number) =>
      isAsync ? await end.recvBytes(max) : end.recvBytesSync(max),
    recvBytesInto: async (room: ArrayBufferView, offset?: number) =>
      isAsync ? await end.recvBytesInto(room, offset) : end.recvBytesIntoSync(room, offset),
    poll: async (timeout?: number) =>
      isAsync
        ? await end.poll(timeout === undefined ? undefined : { timeout })
        : end.pollSync(timeout === undefined ? undefined : { timeout }),
  };
}

export async function waitFor<W extends Waitable>(
  objects: readonly W[],
  flavour: Flavour,
  limits?: Limits,
): Promise<W[]> {
  return flavour === 'async' ? await wait(objects, limits) : waitSync(objects, limits);
}

/** Runs a module's body in a process of its own, with blocking calls. */
export const runSync = defineTask(
  import.meta.url,
  'runSync',
  async (module: string, name: string): Promise<void> => {
    const bodies = (await import(module)) as Record<string, Body>;
    await (bodies[name] as Body)('sync');
  },
);

/** Runs a body in both ways: here, and with all parties as processes. */
export async function runBoth(module: URL, name: string): Promise<void> {
  const bodies = (await import(module.href)) as Record<string, Body>;
  await (bodies[name] as Body)('async');
  const child = new Process({ target: runSync, args: [module.href, name] });
  await child.start();
  await child.join({ throw: true });
}
