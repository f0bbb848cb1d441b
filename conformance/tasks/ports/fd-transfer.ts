/** Bodies of the ported tests that send descriptors through a connection. */
import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { defineTask, NotFoundError } from 'dragon-runtime';
import { type Connection, Process, pipe, SharedDescriptor } from 'dragon-runtime/multiprocessing';
import { openFile } from '../descriptor-tasks.ts';
import { type Flavour, talk } from './flavours.ts';

const LARGE = 256;

/** Takes a descriptor, all numbers below `above` being used, and writes to it; says its number. */
export const writeFd = defineTask(
  import.meta.url,
  'writeFd',
  async (end: Connection<unknown>, text: string, above: number, flavour: Flavour) => {
    const used: number[] = [];
    while (above > 0 && (used.at(-1) ?? 0) < above) used.push(openSync('/dev/null', 'r'));
    const { recv, send } = talk(end, flavour);
    try {
      const fd = ((await recv()) as SharedDescriptor).take();
      writeSync(fd, text);
      closeSync(fd);
      await send(fd);
    } catch (error) {
      await send(error);
    }
    for (const fd of used) closeSync(fd);
  },
);

async function transfer(above: number, flavour: Flavour): Promise<void> {
  const [near, far] = pipe<unknown>();
  const child = new Process({ target: writeFd, args: [far, 'foo', above, flavour], daemon: true });
  await child.start();
  const file = openFile();
  const { send, recv } = talk(near, flavour);
  await send(new SharedDescriptor(file));
  const number = await recv();
  assert.ok(typeof number === 'number', String(number));
  if (above > 0) assert.ok(number > above);
  await child.join({ throw: true });
  const room = Buffer.alloc(10);
  assert.equal(room.toString('utf8', 0, readSync(file, room, 0, 10, 0)), 'foo');
  assert.ok(fstatSync(file).isFile(), 'ours stays open');
  closeSync(file);
  near.close();
}

export async function testFdTransfer(flavour: Flavour): Promise<void> {
  await transfer(0, flavour);
}

export async function testLargeFdTransfer(flavour: Flavour): Promise<void> {
  await transfer(LARGE, flavour);
}

/** The bytes of a message come, its descriptor has gone elsewhere. */
export async function testMissingFdTransfer(flavour: Flavour): Promise<void> {
  const [reader, writer] = pipe<unknown>({ duplex: false });
  await talk(writer as Connection<unknown>, flavour).send(new SharedDescriptor(0));
  const bytes = await talk(reader as Connection<unknown>, flavour).recvBytes();
  const [near, far] = pipe<unknown>();
  const child = new Process({ target: writeFd, args: [far, 'bar', 0, flavour], daemon: true });
  await child.start();
  const { sendBytes, recv } = talk(near, flavour);
  await writer.sendBytes(bytes);
  closeSync(((await reader.recv()) as SharedDescriptor).take());
  await sendBytes(bytes);
  assert.ok((await recv()) instanceof NotFoundError);
  await child.join({ throw: true });
}
