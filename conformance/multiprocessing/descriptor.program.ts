/** The checks of `descriptor.test.ts`: descriptors of open files, sent to other processes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, closeSync, mkdtempSync, readSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DragonError, NotFoundError, SerializeError } from 'dragon-runtime';
import {
  Pool,
  Process,
  pipe,
  Queue,
  SharedDescriptor,
  setExecutable,
} from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../harness/inside.ts';
import {
  forget,
  hold,
  numberOf,
  openFile,
  openWithText,
  sendAndDie,
  socketPair,
  takeWithoutRoom,
  write,
} from '../tasks/descriptor-tasks.ts';

const ON_THEIR_WAY_MAX = 64;

function textOf(fd: number): string {
  const room = Buffer.alloc(100);
  return room.toString('utf8', 0, readSync(fd, room, 0, room.length, 0));
}

/** Closes our own end; the other shows when all duplicates of it are closed. */
async function isGone(near: Socket, far: Socket): Promise<void> {
  far.resume();
  const ended = once(far, 'end');
  near.destroy();
  await ended;
  far.destroy();
}

check('a descriptor outlives its sender', async () => {
  const [reader, writer] = pipe<SharedDescriptor>({ duplex: false });
  const child = new Process({ target: sendAndDie, args: [writer, 'left behind'] });
  await child.start();
  await child.join();
  assert.equal(child.signal, 'SIGKILL');
  const descriptor = await reader.recv();
  const fd = descriptor.take();
  assert.equal(textOf(fd), 'left behind');
  assert.ok(descriptor.closed);
  assert.throws(() => descriptor.take(), { code: 'ERR_CLOSED' });
  closeSync(fd);
});

check('arguments, items and results have descriptors in them', async () => {
  const file = openFile();
  const child = new Process({ target: write, args: [new SharedDescriptor(file), 'argument'] });
  await child.start();
  await child.join({ throw: true });
  assert.equal(textOf(file), 'argument');
  using queue = new Queue<{ name: string; at: SharedDescriptor }>();
  queue.putSync({ name: 'log', at: new SharedDescriptor(file) });
  closeSync(file);
  const fd = queue.getSync().at.take();
  assert.equal(textOf(fd), 'argument');
  closeSync(fd);
  await using pool = new Pool({ processes: 1 });
  const opened = (await pool.apply(openWithText, ['result'])).take();
  assert.equal(textOf(opened), 'result');
  closeSync(opened);
});

check('what is not open is refused', async () => {
  const file = openFile();
  const [reader, writer] = pipe<SharedDescriptor>({ duplex: false });
  const descriptor = new SharedDescriptor(file);
  closeSync(file);
  for (const wrong of [file, -1, 1.5, Number.NaN, 'x' as never]) {
    assert.throws(() => new SharedDescriptor(wrong), { code: 'ERR_INVALID_ARGUMENT' });
  }
  await assert.rejects(writer.send(descriptor), (error: SerializeError) => {
    assert.equal((error.cause as DragonError).code, 'ERR_INVALID_ARGUMENT');
    return error instanceof SerializeError;
  });
  descriptor.close();
  await assert.rejects(writer.send(descriptor), SerializeError);
  assert.ok(!reader.tryRecv().ok);
});

check('64 descriptors are on their way', async () => {
  const file = openFile('one of many');
  const [reader, writer] = pipe<SharedDescriptor[]>({ duplex: false });
  const many = (count: number) => Array.from({ length: count }, () => new SharedDescriptor(file));
  await assert.rejects(writer.send(many(ON_THEIR_WAY_MAX + 1)), (error: SerializeError) => {
    assert.equal((error.cause as DragonError).code, 'ERR_TOO_MANY_DESCRIPTORS');
    return true;
  });
  await writer.send(many(ON_THEIR_WAY_MAX));
  await assert.rejects(writer.send(many(1)), SerializeError);
  for (const each of await reader.recv()) each.close();
  await writer.send(many(1));
  for (const each of await reader.recv()) each.close();
  closeSync(file);
});

check('a message arrives without its descriptor', async () => {
  const [reader, writer] = pipe<{ text: string; at: SharedDescriptor }>({ duplex: false });
  const file = openFile('once');
  await writer.send({ text: 'note', at: new SharedDescriptor(file) });
  closeSync(file);
  const bytes = await reader.recvBytes();
  for (const isFirst of [true, false]) {
    await writer.sendBytes(bytes);
    const { text, at } = await reader.recv();
    assert.equal(text, 'note');
    if (isFirst) closeSync(at.take());
    else assert.throws(() => at.take(), NotFoundError);
    at.close();
  }
});

check('a process without a number left tries again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'few-'));
  const few = join(folder, 'node');
  writeFileSync(few, `#!/bin/sh\nulimit -n 100\nexec '${process.execPath}' "$@"\n`);
  chmodSync(few, 0o755);
  const [near, far] = pipe<SharedDescriptor, string[]>();
  const child = new Process({ target: takeWithoutRoom, args: [far] });
  setExecutable(few);
  try {
    await child.start();
  } finally {
    setExecutable(undefined);
    rmSync(folder, { recursive: true });
  }
  await near.send(new SharedDescriptor(0));
  const [full, first, then] = await near.recv();
  await child.join({ throw: true });
  assert.equal(full, 'EMFILE');
  assert.match(first ?? '', /^ERR_SYSTEM: .*Too many open files.*ulimit -n/);
  assert.equal(then, 'taken');
});

check('nothing stays open', async () => {
  const [reader, writer] = pipe<unknown>({ duplex: false });
  const first = await socketPair();
  const descriptor = new SharedDescriptor(numberOf(first[0]));
  await assert.rejects(writer.send([descriptor, () => 0]), SerializeError);
  await isGone(...first);
  const second = await socketPair();
  await writer.send(new SharedDescriptor(numberOf(second[0])));
  ((await reader.recv()) as SharedDescriptor).close();
  await isGone(...second);
});

/** A process that does something with what it gets; what it then says. */
async function given(
  target: typeof hold,
  socket: Socket,
  execArgv: string[] = [],
): Promise<[Process, string]> {
  const [near, far] = pipe<SharedDescriptor, string>();
  const child = new Process({ target, args: [far], execArgv });
  await child.start();
  await near.send(new SharedDescriptor(numberOf(socket)));
  return [child, await near.recv()];
}

check('a killed process keeps nothing open', async () => {
  const pair = await socketPair();
  const [child, said] = await given(hold, pair[0]);
  assert.equal(said, 'here');
  await child.kill();
  await isGone(...pair);
  await child.join();
});

check('what is dropped is closed', async () => {
  const pair = await socketPair();
  const [child, said] = await given(forget, pair[0], ['--expose-gc']);
  assert.equal(said, 'RT_DESCRIPTOR_DROPPED');
  await isGone(...pair);
  await child.join();
});

await runChecks();
