/**
 * ZeroMQ between two processes over a Unix socket: half of a round trip, or, with
 * `--kind stream`, messages a second one way of which the receiver reads every byte.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { count, halfRoundTrips, option, report } from '../../programs/measure.ts';
import { load } from './packages.ts';

interface Socket {
  bind(address: string): Promise<void>;
  connect(address: string): void;
  send(message: Uint8Array): Promise<void>;
  receive(): Promise<[Uint8Array]>;
  close(): void;
}

const { Pair } = await load<{ readonly Pair: new () => Socket }>('zeromq');
const isStream = option('kind', 'latency') === 'stream';
const bytes = count('bytes', 64);
const rounds = count('rounds', isStream ? 5 : 2000);
const share = count('count', 20_000);
/** What no message holds: looking for it reads all of one. */
const ABSENT = 0xff;
const SMALL_BYTES = 8;

async function echo(socket: Socket): Promise<void> {
  for (;;) {
    const [message] = await socket.receive();
    await socket.send(message);
    if (message.length === 0) return;
  }
}

async function drain(socket: Socket): Promise<void> {
  for (let round = 0; round <= rounds; round += 1) {
    for (let i = 0; i < share; i += 1) {
      const [message] = await socket.receive();
      if (bytes > SMALL_BYTES && message.includes(ABSENT)) throw new Error('a changed message');
    }
    await socket.send(new Uint8Array(1));
  }
}

async function stream(socket: Socket): Promise<number[]> {
  const message = new Uint8Array(bytes).fill(7);
  const rates: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const begin = performance.now();
    for (let i = 0; i < share; i += 1) await socket.send(message);
    await socket.receive();
    const seconds = (performance.now() - begin) / 1000;
    // The first round is the warm-up.
    if (round > 0) rates.push((share * (bytes === SMALL_BYTES ? 1 : bytes)) / seconds);
  }
  return rates;
}

async function latency(socket: Socket): Promise<number[]> {
  const message = new Uint8Array(bytes).fill(7);
  const samples = await halfRoundTrips(rounds, async () => {
    await socket.send(message);
    await socket.receive();
  });
  await socket.send(new Uint8Array(0));
  await socket.receive();
  return samples;
}

const socket = new Pair();
if (process.send === undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'zeromq-'));
  const address = `ipc://${join(folder, 'socket')}`;
  await socket.bind(address);
  const child = fork(fileURLToPath(import.meta.url), [...process.argv.slice(2), '--at', address]);
  const samples = isStream ? await stream(socket) : await latency(socket);
  await once(child, 'exit');
  rmSync(folder, { recursive: true });
  report(isStream ? (bytes === SMALL_BYTES ? '1/s' : 'B/s') : 'ns', samples, isStream ? share : 1);
} else {
  socket.connect(option('at', ''));
  await (isStream ? drain(socket) : echo(socket));
  // What was sent last goes out before the socket is gone.
  socket.close();
  process.disconnect();
}
