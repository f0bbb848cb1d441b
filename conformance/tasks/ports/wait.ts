/** Bodies of the ported tests of `wait`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask, EOFError } from 'dragon-runtime';
import {
  type ConnectionReader,
  type ConnectionWriter,
  Process,
  pipe,
  type Waitable,
  waitableSocket,
} from 'dragon-runtime/multiprocessing';
import { type Flavour, talk, waitFor } from './flavours.ts';

const WRITERS = 4;
const MESSAGES = 10;

/** Up to this many ms between two messages of a slow writer. */
function pauseMs(slow: boolean): number {
  return slow ? Math.random() * 10 : 0;
}

async function started(process: Process): Promise<Process> {
  await process.start();
  return process;
}

export const writeNumbers = defineTask(
  import.meta.url,
  'writeNumbers',
  async (end: ConnectionWriter<[number, number]>, slow: boolean, flavour: Flavour) => {
    for (let i = 0; i < MESSAGES; i++) {
      if (slow) await sleep(pauseMs(slow));
      await talk(end, flavour).send([i, process.pid]);
    }
    end.close();
  },
);

async function waitOnReaders(slow: boolean, flavour: Flavour): Promise<void> {
  let readers: ConnectionReader<[number, number]>[] = [];
  const children: Process[] = [];
  for (let i = 0; i < WRITERS; i++) {
    const [reader, writer] = pipe<[number, number]>({ duplex: false });
    children.push(
      await started(
        new Process({ target: writeNumbers, args: [writer, slow, flavour], daemon: true }),
      ),
    );
    writer.close();
    readers.push(reader);
  }
  const messages: [number, number][] = [];
  while (readers.length > 0) {
    const ready = await waitFor(readers, flavour);
    assert.ok(ready.length > 0);
    assert.deepEqual(
      ready,
      readers.filter((reader) => ready.includes(reader)),
    );
    for (const reader of ready) {
      try {
        messages.push(await talk(reader, flavour).recv({ timeout: 0 }));
      } catch (error) {
        assert.ok(error instanceof EOFError);
        readers = readers.filter((other) => other !== reader);
        reader.close();
      }
    }
  }
  for (const child of children) {
    await child.join({ throw: true });
    const own = messages.filter(([, pid]) => pid === child.pid).map(([i]) => i);
    assert.deepEqual(
      own,
      Array.from({ length: MESSAGES }, (_, i) => i),
    );
  }
  assert.equal(messages.length, WRITERS * MESSAGES);
}

export function testWait(flavour: Flavour): Promise<void> {
  return waitOnReaders(false, flavour);
}

export function testWaitSlow(flavour: Flavour): Promise<void> {
  return waitOnReaders(true, flavour);
}

export const writeLines = defineTask(
  import.meta.url,
  'writeLines',
  async (port: number, slow: boolean) => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    for (let i = 0; i < MESSAGES; i++) {
      if (slow) await sleep(pauseMs(slow));
      socket.write(`${i}\n`);
    }
    socket.end();
    await once(socket, 'close');
  },
);

async function waitOnSockets(slow: boolean): Promise<void> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted: Socket[] = [];
  server.on('connection', (socket) => accepted.push(socket));
  const { port } = server.address() as { port: number };
  const children = await Promise.all(
    Array.from({ length: WRITERS }, () =>
      started(new Process({ target: writeLines, args: [port, slow], daemon: true })),
    ),
  );
  while (accepted.length < WRITERS) await once(server, 'connection');
  const texts = new Map(accepted.map((socket) => [socket, '']));
  let readers = accepted.map((socket) => waitableSocket(socket));
  while (readers.length > 0) {
    const ready = await waitFor(readers, 'async', { timeout: 5000 });
    assert.ok(ready.length > 0);
    for (const reader of ready) {
      const data = reader.socket.read() as Buffer | null;
      if (data !== null) {
        texts.set(reader.socket, `${texts.get(reader.socket)}${data}`);
      } else {
        readers = readers.filter((other) => other !== reader);
        reader.socket.end();
      }
    }
  }
  const expected = Array.from({ length: MESSAGES }, (_, i) => `${i}\n`).join('');
  assert.deepEqual([...texts.values()], new Array(WRITERS).fill(expected));
  for (const child of children) await child.join({ throw: true });
  server.close();
}

export function testWaitSocket(): Promise<void> {
  return waitOnSockets(false);
}

export function testWaitSocketSlow(): Promise<void> {
  return waitOnSockets(true);
}

export async function testWaitTimeout(flavour: Flavour): Promise<void> {
  const [near, far] = pipe<null>();
  const beginMs = performance.now();
  assert.deepEqual(await waitFor([near, far], flavour, { timeout: 200 }), []);
  const tookMs = performance.now() - beginMs;
  assert.ok(tookMs >= 199 && tookMs < 2000, `${tookMs} ms`);
  await talk(far, flavour).send(null);
  const againMs = performance.now();
  assert.deepEqual(await waitFor([near, far], flavour, { timeout: 20_000 }), [near]);
  assert.ok(performance.now() - againMs < 1000);
  near.close();
  far.close();
}

/** Says that it runs, and ends. */
export const sayAndEnd = defineTask(
  import.meta.url,
  'sayAndEnd',
  async (said: ConnectionWriter<string>, flavour: Flavour) => {
    await talk(said, flavour).send('here');
    await sleep(30);
  },
);

export async function testWaitInteger(flavour: Flavour): Promise<void> {
  const [saying, said] = pipe<string>({ duplex: false });
  const [near, far] = pipe<number>();
  const child = await started(
    new Process({ target: sayAndEnd, args: [said, flavour], daemon: true }),
  );
  said.close();
  assert.equal(await talk(saying, flavour).recv(), 'here');
  const { sentinel } = child;
  const all: Waitable[] = [near, sentinel, far];
  const beginMs = performance.now();
  assert.deepEqual(await waitFor(all, flavour, { timeout: 20_000 }), [sentinel]);
  assert.ok(performance.now() - beginMs < 5000);
  await talk(near, flavour).send(1);
  assert.deepEqual(await waitFor(all, flavour), [sentinel, far]);
  await talk(far, flavour).send(2);
  assert.deepEqual(await waitFor(all, flavour), [near, sentinel, far]);
  assert.equal(await talk(far, flavour).recv(), 1);
  assert.deepEqual(await waitFor([far, near, sentinel, near], flavour), [near, sentinel]);
  await child.join({ throw: true });
  for (const end of [saying, near, far]) end.close();
}

export async function testNegTimeout(flavour: Flavour): Promise<void> {
  const [near, far] = pipe<number>();
  const beginMs = performance.now();
  assert.deepEqual(await waitFor([near], flavour, { timeout: -1 }), []);
  assert.ok(performance.now() - beginMs < 100);
  near.close();
  far.close();
}
