/** What other processes do with descriptors that are sent to them. */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DragonError, defineTask } from 'dragon-runtime';
import { type Connection, SharedDescriptor } from 'dragon-runtime/multiprocessing';

/** An open file that has no name (any more). */
export function openFile(text = ''): number {
  const folder = mkdtempSync(join(tmpdir(), 'descriptors-'));
  const fd = openSync(join(folder, 'file'), 'wx+');
  rmSync(folder, { recursive: true });
  if (text !== '') writeSync(fd, text);
  return fd;
}

/** Two ends of a connection: one of them shows when nobody has the other open any more. */
export async function socketPair(): Promise<readonly [near: Socket, far: Socket]> {
  const folder = mkdtempSync(join(tmpdir(), 'descriptors-'));
  const server = createServer();
  const path = join(folder, 'socket');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const near = connect(path);
  const far = await accepted;
  server.close();
  rmSync(folder, { recursive: true });
  return [near, far];
}

export function numberOf(socket: Socket): number {
  return (socket as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;
}

export const codeOf = (error: unknown): string =>
  DragonError.is(error) ? error.code : String(error);

/** Sends a file that only this process has open, and dies. */
export const sendAndDie = defineTask(
  import.meta.url,
  'sendAndDie',
  async (to: Connection<unknown>, text: string) => {
    const fd = openFile(text);
    await to.send(new SharedDescriptor(fd));
    process.kill(process.pid, 'SIGKILL');
  },
);

/** Writes to what comes as an argument. */
export const write = defineTask(
  import.meta.url,
  'write',
  (descriptor: SharedDescriptor, text: string) => {
    const fd = descriptor.take();
    writeSync(fd, text);
    closeSync(fd);
  },
);

export const openWithText = defineTask(import.meta.url, 'openWithText', (text: string) => {
  const fd = openFile(text);
  return new SharedDescriptor(fd);
});

/** Says "here" and waits for its death with what it has taken. */
export const hold = defineTask(
  import.meta.url,
  'hold',
  async (line: Connection<string, SharedDescriptor>) => {
    (await line.recv()).take();
    await line.send('here');
    await line.recv();
  },
);

/** Receives, and forgets what it has received; says what it was warned of. */
export const forget = defineTask(
  import.meta.url,
  'forget',
  async (line: Connection<string, SharedDescriptor>) => {
    const warned = new Promise<string>((resolve) => {
      process.once('warning', (warning) => resolve((warning as { code?: string }).code ?? ''));
    });
    await (async () => void (await line.recv()))();
    const timer = setInterval(() => globalThis.gc?.(), 5);
    await line.send(await warned);
    clearInterval(timer);
  },
);

/** Receives with no number left, and again with some; what `take` said each time. */
export const takeWithoutRoom = defineTask(
  import.meta.url,
  'takeWithoutRoom',
  async (line: Connection<string[], SharedDescriptor>) => {
    const all: number[] = [];
    const said: string[] = [];
    try {
      for (;;) all.push(openSync('/dev/null', 'r'));
    } catch (error) {
      said.push(String((error as { code?: unknown }).code));
    }
    const descriptor = await line.recv();
    for (const isLast of [false, true]) {
      if (isLast) for (const fd of all) closeSync(fd);
      try {
        closeSync(descriptor.take());
        said.push('taken');
      } catch (error) {
        said.push(`${codeOf(error)}: ${(error as Error).message}`);
      }
    }
    await line.send(said);
  },
);
