/** Bodies of the ported tests of connections, polls, and sending connections. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  BufferTooShort,
  ClosedError,
  defineTask,
  EOFError,
  NotSupportedError,
} from 'dragon-runtime';
import {
  type Connection,
  type ConnectionReader,
  type ConnectionWriter,
  Process,
  pipe,
} from 'dragon-runtime/multiprocessing';
import { type Flavour, talk } from './flavours.ts';

const HELLO = Buffer.from('hello world');
const MEBIBYTE = 2 ** 20;

async function started(process: Process): Promise<Process> {
  await process.start();
  return process;
}

/** Sends back what comes until an empty message does, as values and then as bytes. */
export const echo = defineTask(
  import.meta.url,
  'echo',
  async (end: Connection<unknown>, flavour: Flavour) => {
    const { recv, send, recvBytes, sendBytes } = talk(end, flavour);
    for (let value = await recv(); value !== ''; value = await recv()) await send(value);
    for (let bytes = await recvBytes(); bytes.length > 0; bytes = await recvBytes()) {
      await sendBytes(bytes);
    }
    end.close();
  },
);

export async function testConnection(flavour: Flavour): Promise<void> {
  const [near, far] = pipe<unknown>();
  const child = await started(new Process({ target: echo, args: [far, flavour], daemon: true }));
  far.close();
  const { send, recv, sendBytes, recvBytes, recvBytesInto, poll } = talk(near, flavour);
  const list = [1, 2.25, null, -5];
  const long = Uint8Array.from({ length: 10 * 1024 }, (_, i) => i & 0xff);
  for (const value of [list, HELLO.toString(), long]) {
    await send(value);
    assert.deepEqual(await recv(), value);
  }
  assert.equal(await poll(), false);
  let beginMs = performance.now();
  assert.equal(await poll(-1), false);
  assert.ok(performance.now() - beginMs < 50);
  beginMs = performance.now();
  assert.equal(await poll(100), false);
  assert.ok(performance.now() - beginMs >= 99);
  await send(null);
  assert.equal(await poll(5000), true);
  assert.equal(await poll(), true);
  assert.equal(await recv(), null);

  const large = Buffer.alloc(16 * MEBIBYTE, 'X');
  await send(large);
  assert.ok(large.equals((await recv()) as Uint8Array));
  await send('');

  await sendBytes(HELLO);
  assert.deepEqual(Buffer.from(await recvBytes()), HELLO);
  const wide = new Int32Array(12);
  await sendBytes(HELLO);
  assert.equal(await recvBytesInto(wide), HELLO.length);
  const expected = Buffer.concat([HELLO, Buffer.alloc(48 - HELLO.length)]);
  assert.deepEqual(Buffer.from(wide.buffer), expected);
  const shifted = Buffer.alloc(40);
  await sendBytes(HELLO);
  assert.equal(await recvBytesInto(shifted, 12), HELLO.length);
  assert.deepEqual(
    shifted,
    Buffer.concat([Buffer.alloc(12), HELLO, Buffer.alloc(28 - HELLO.length)]),
  );
  const latin = Buffer.alloc(40, ' ');
  await sendBytes(HELLO.subarray(0, 5));
  const room = new Uint8Array(4);
  await assert.rejects(recvBytesInto(room), (error: unknown) => {
    assert.ok(error instanceof BufferTooShort);
    assert.deepEqual(Buffer.from(error.bytes), HELLO.subarray(0, 5));
    return true;
  });
  assert.deepEqual(room, new Uint8Array(4));
  await sendBytes(latin);
  assert.deepEqual(Buffer.from(await recvBytes()), latin);

  assert.deepEqual([near.readable, near.writable], [true, true]);
  await sendBytes(new Uint8Array());
  await child.join({ throw: true });
  assert.equal(await poll(5000), true);
  await assert.rejects(recv(), EOFError);
  await assert.rejects(recvBytes(), EOFError);
  near.close();
}

export async function testDuplexFalse(flavour: Flavour): Promise<void> {
  const [reader, writer] = pipe<number>({ duplex: false });
  await talk(writer, flavour).send(1);
  assert.equal(await talk(reader, flavour).recv(), 1);
  assert.deepEqual([reader.readable, reader.writable], [true, false]);
  assert.deepEqual([writer.readable, writer.writable], [false, true]);
  await assert.rejects(talk(reader, flavour).send(2 as never), NotSupportedError);
  await assert.rejects(talk(writer, flavour).recv(), NotSupportedError);
  await assert.rejects(talk(writer, flavour).poll(), NotSupportedError);
  reader.close();
  writer.close();
}

export async function testSpawnClose(flavour: Flavour): Promise<void> {
  const [near, far] = pipe<unknown>();
  const child = await started(new Process({ target: echo, args: [far, flavour], daemon: true }));
  far.close();
  const { send, recv, sendBytes, recvBytes } = talk(near, flavour);
  await send('');
  await sendBytes(HELLO);
  assert.deepEqual(Buffer.from(await recvBytes()), HELLO);
  await sendBytes(new Uint8Array());
  await assert.rejects(recv(), EOFError);
  near.close();
  await child.join({ throw: true });
}

export async function testSendbytes(flavour: Flavour): Promise<void> {
  const [near, far] = pipe();
  const { sendBytes } = talk(near, flavour);
  const { recvBytes } = talk(far, flavour);
  const text = Buffer.from('abcdefghijklmnopqrstuvwxyz');
  const good: readonly (readonly [number?, number?])[] = [[], [5], [7, 8], [26], [26, 0], [0, 26]];
  for (const [offset, length] of good) {
    await sendBytes(text, offset, length);
    const begin = offset ?? 0;
    const expected = text.subarray(begin, length === undefined ? 26 : begin + length);
    assert.deepEqual(Buffer.from(await recvBytes()), expected);
  }
  const bad: readonly (readonly [number, number?])[] = [
    [27],
    [22, 5],
    [26, 1],
    [-1],
    [4, -1],
    [0, 27],
  ];
  for (const [offset, length] of bad) {
    await assert.rejects(sendBytes(text, offset, length), { code: 'ERR_INVALID_ARGUMENT' });
  }
  assert.equal(far.pollSync(), false);
  near.close();
  far.close();
}

export async function testContext(flavour: Flavour): Promise<void> {
  const [near, far] = pipe<number>();
  {
    using inner = near;
    using other = far;
    await talk(inner, flavour).send(1729);
    assert.equal(await talk(other, flavour).recv(), 1729);
    assert.deepEqual([near.closed, far.closed], [false, false]);
  }
  assert.deepEqual([near.closed, far.closed], [true, true]);
  await assert.rejects(talk(near, flavour).recv(), ClosedError);
  await assert.rejects(talk(far, flavour).recv(), ClosedError);
}

export async function testEmptyString(flavour: Flavour): Promise<void> {
  const [near, far] = pipe();
  const { poll, recvBytes } = talk(near, flavour);
  assert.equal(await poll(), false);
  await talk(far, flavour).sendBytes(new Uint8Array());
  assert.equal(await poll(), true);
  assert.equal(await poll(), true);
  assert.equal((await recvBytes()).length, 0);
  assert.equal(await poll(), false);
  near.close();
  far.close();
}

const STRINGS = ['hello', '', '', 'b', '', 'world', 'bye', ''];

/** Sends these strings as bytes, a little time before each. */
export const sendStrings = defineTask(
  import.meta.url,
  'sendStrings',
  async (
    end: Connection<unknown>,
    strings: readonly string[],
    beforeMs: number,
    flavour: Flavour,
  ) => {
    for (const string of strings) {
      await sleep(beforeMs);
      await talk(end, flavour).sendBytes(Buffer.from(string));
    }
    end.close();
  },
);

export async function testStrings(flavour: Flavour): Promise<void> {
  const [near, far] = pipe<unknown>();
  const child = await started(
    new Process({ target: sendStrings, args: [far, STRINGS, 3, flavour], daemon: true }),
  );
  far.close();
  const { poll, recvBytes } = talk(near, flavour);
  for (const string of STRINGS) {
    let polls = 0;
    while (!(await poll(5))) assert.ok(++polls < 1000, 'nothing came');
    assert.equal(String(Buffer.from(await recvBytes())), string);
  }
  await child.join({ throw: true });
  near.close();
}

/** Polls all the time while messages come, and sends back what it receives. */
export const pollAndAnswer = defineTask(
  import.meta.url,
  'pollAndAnswer',
  async (end: Connection<unknown>, count: number, flavour: Flavour) => {
    const { poll, recvBytes, sendBytes } = talk(end, flavour);
    for (let i = 0; i < count; i++) {
      while (!(await poll(1)));
      for (let again = 0; again < 10; again++) assert.ok(await poll());
      await sendBytes(await recvBytes());
    }
    end.close();
  },
);

export async function testBoundaries(flavour: Flavour): Promise<void> {
  const [near, far] = pipe<unknown>();
  const sizes = [0, 1, 100, 4096, 4097, 70_000, MEBIBYTE];
  const child = await started(
    new Process({ target: pollAndAnswer, args: [far, sizes.length, flavour], daemon: true }),
  );
  far.close();
  for (const [i, size] of sizes.entries()) {
    await talk(near, flavour).sendBytes(new Uint8Array(size).fill(i + 1));
  }
  for (const [i, size] of sizes.entries()) {
    const got = await talk(near, flavour).recvBytes();
    assert.equal(got.length, size);
    assert.ok(got.every((byte) => byte === i + 1));
  }
  await child.join({ throw: true });
  near.close();
}

export async function testDontMerge(flavour: Flavour): Promise<void> {
  const [near, far] = pipe();
  const { poll, recvBytes } = talk(near, flavour);
  const { sendBytes } = talk(far, flavour);
  assert.equal(await poll(0), false);
  await sendBytes(Buffer.from('a'));
  await sendBytes(Buffer.from('b'));
  await sendBytes(Buffer.from('cd'));
  assert.equal(await poll(), true);
  assert.equal(String(Buffer.from(await recvBytes())), 'a');
  for (let i = 0; i < 3; i++) assert.equal(await poll(1000), true);
  assert.equal(String(Buffer.from(await recvBytes())), 'b');
  for (const timeout of [undefined, 0, 1000]) assert.equal(await poll(timeout), true);
  assert.equal(String(Buffer.from(await recvBytes())), 'cd');
  assert.equal(await poll(), false);
  near.close();
  far.close();
}

/** Sends its parent SIGUSR2 and ends a little later. */
export const signalParent = defineTask(
  import.meta.url,
  'signalParent',
  async (pid: number): Promise<void> => {
    for (let i = 0; i < 5; i++) {
      process.kill(pid, 'SIGUSR2');
      await sleep(10);
    }
  },
);

export async function testPollEintr(flavour: Flavour): Promise<void> {
  let heard = 0;
  const hear = (): void => {
    heard++;
  };
  process.on('SIGUSR2', hear);
  const child = await started(new Process({ target: signalParent, args: [process.pid] }));
  const joined = flavour === 'async' ? await child.join() : child.joinSync();
  assert.ok(joined);
  assert.equal(child.exitCode, 0);
  while (heard === 0) await sleep(1);
  process.off('SIGUSR2', hear);
}

/** Uses the end of a pipe that comes through another, as far as it may. */
export const useRights = defineTask(
  import.meta.url,
  'useRights',
  async (
    line: Connection<unknown, ConnectionWriter<string> | ConnectionReader<string>>,
    flavour: Flavour,
  ) => {
    const writer = (await talk(line, flavour).recv()) as ConnectionWriter<string>;
    assert.deepEqual([writer.readable, writer.writable], [false, true]);
    await talk(writer, flavour).send('all is well');
    writer.close();
    const reader = (await talk(line, flavour).recv()) as ConnectionReader<string>;
    assert.deepEqual([reader.readable, reader.writable], [true, false]);
    await talk(line, flavour).send(await talk(reader, flavour).recv());
    reader.close();
  },
);

export async function testAccess(flavour: Flavour): Promise<void> {
  const [near, far] = pipe<ConnectionWriter<string> | ConnectionReader<string>, unknown>();
  const child = await started(
    new Process({ target: useRights, args: [far, flavour], daemon: true }),
  );
  far.close();
  const [reader, writer] = pipe<string>({ duplex: false });
  await talk(near, flavour).send(writer);
  writer.close();
  assert.equal(await talk(reader, flavour).recv(), 'all is well');
  reader.close();
  const [otherReader, otherWriter] = pipe<string>({ duplex: false });
  await talk(near, flavour).send(otherReader);
  otherReader.close();
  await talk(otherWriter, flavour).send('foobar');
  otherWriter.close();
  assert.equal(await talk(near, flavour).recv(), 'foobar');
  near.close();
  await child.join({ throw: true });
}
