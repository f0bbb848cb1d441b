/** One way through a channel from TypeScript: half of a round trip between two processes. */
import { defineTask, isRoot } from 'dragon-runtime';
import { Channel, Node, Pool } from 'dragon-runtime/core';
import { Process } from 'dragon-runtime/multiprocessing';
import { count, halfRoundTrips, option, pin, report } from './measure.ts';

type Wait = 'spin' | 'block' | 'async';

function attach(): Node {
  return Node.attach(process.env['DRAGON_RUNTIME_DIR'] ?? '');
}

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
    return () => {
      while (!sender.trySend(message));
      while (receiver.tryReceive() === undefined);
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
    const node = attach();
    const [asks, answers] = handles.map((handle) => Channel.attach(node, handle));
    if (asks === undefined || answers === undefined) return;
    const receiver = asks.openReceiver();
    const sender = answers.openSender();
    for (let i = 0; i < trips; i += 1) {
      let message = wait === 'spin' ? receiver.tryReceive() : undefined;
      while (message === undefined) {
        if (wait === 'spin') message = receiver.tryReceive();
        else message = wait === 'block' ? receiver.receiveSync() : await receiver.receive();
      }
      sender.sendSync(message.bytes);
    }
  },
);

async function main(): Promise<void> {
  const wait = option('wait', 'block') as Wait;
  const rounds = count('rounds', 2000);
  const cpus = option('cpus', '');
  const pool = Pool.default(attach());
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
