/** One way through a channel from TypeScript: half of a round trip between two processes. */
import { defineTask, isRoot } from 'dragon-runtime';
import { Channel, Node, Pool, type ReceiveHandle, type SendHandle } from 'dragon-runtime/core';
import { Process } from 'dragon-runtime/multiprocessing';
import { count, halfRoundTrips, option, pin, report } from './measure.ts';

/** Enough for a block of the channel, so that a message is copied straight into the room. */
const ROOM_BYTES = 1024;
const MESSAGE_BYTES_MAX = 8 << 20;

type Wait = 'spin' | 'block' | 'async';

/** A hand-off in each direction, in the way that `wait` says. */
function trip(wait: Wait, asks: Channel, answers: Channel, message: Uint8Array) {
  const sender = asks.openSender();
  const receiver = answers.openReceiver();
  if (wait === 'block') {
    return () => {
      sender.sendSync(message);
      receiver.receiveSync();
    };
  }
  if (wait === 'spin') {
    const room = new Uint8Array(Math.max(message.byteLength, ROOM_BYTES));
    return () => {
      while (!sender.trySend(message));
      while (receiver.tryReceiveInto(room) < 0);
    };
  }
  return async () => {
    await sender.send(message);
    await receiver.receive();
  };
}

export const echo = defineTask(
  import.meta.url,
  'echo',
  async (handles: Uint8Array[], wait: Wait, trips: number, cpus: string): Promise<void> => {
    pin('second', cpus);
    const node = Node.current();
    const [asks, answers] = handles.map((handle) => Channel.attach(node, handle));
    if (asks === undefined || answers === undefined) return;
    const receiver = asks.openReceiver();
    const sender = answers.openSender();
    if (wait === 'spin') return spin(receiver, sender, trips);
    for (let i = 0; i < trips; i += 1) {
      const message = wait === 'block' ? receiver.receiveSync() : await receiver.receive();
      sender.sendSync(message.bytes);
    }
  },
);

/** Sends back what comes without making an object, as the other side does. */
function spin(receiver: ReceiveHandle, sender: SendHandle, trips: number): void {
  const room = new Uint8Array(MESSAGE_BYTES_MAX);
  let message = room;
  for (let i = 0; i < trips; i += 1) {
    let length = receiver.tryReceiveInto(room);
    while (length < 0) length = receiver.tryReceiveInto(room);
    if (message.byteLength !== length) message = room.subarray(0, length);
    while (!sender.trySend(message));
  }
}

async function main(): Promise<void> {
  const wait = option('wait', 'block') as Wait;
  const rounds = count('rounds', 2000);
  const cpus = option('cpus', '');
  const pool = Pool.default();
  const [asks, answers] = [Channel.create(pool), Channel.create(pool)];
  const handles = [asks.serialize(), answers.serialize()];
  const trips = rounds + Math.ceil(rounds / 10);
  const partner = new Process({ target: echo, args: [handles, wait, trips, cpus] });
  await partner.start();
  pin('first', cpus);
  const message = new Uint8Array(count('bytes', 64)).fill(7);
  const samples = await halfRoundTrips(rounds, trip(wait, asks, answers, message));
  await partner.join();
  asks.close();
  answers.close();
  report('ns', samples);
}

if (isRoot()) await main();
