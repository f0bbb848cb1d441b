/**
 * How soon `dragon ps --blocked` tells of a deadlock: three processes of which each waits for
 * the next, over a channel, a lock and a pool that is full.
 *
 * One receives from a channel to which the second alone sends, the second wants a lock that the
 * third holds, the third wants memory of a pool that the first has filled.
 */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { defineTask, isRoot } from 'dragon-runtime';
import { Channel, Node, Pool, RobustLock } from 'dragon-runtime/core';
import { Process } from 'dragon-runtime/multiprocessing';
import { count, option, report } from './measure.ts';

const POOL_BYTES = 8 * 1024 * 1024;
const PIECE_BYTES = 64 * 1024;
/** After this long nobody would wait for the answer. */
const PATIENCE_MS = 20_000;

interface Handles {
  readonly pool: Uint8Array;
  readonly channel: Uint8Array;
  readonly lock: Uint8Array;
  readonly ready: Uint8Array;
}

function attach(): Node {
  return Node.attach(process.env['DRAGON_RUNTIME_DIR'] ?? '');
}

/** Tells the head that this process has what the others will want, and waits for all to be. */
async function meet(node: Node, ready: Uint8Array, others: () => boolean): Promise<void> {
  Channel.attach(node, ready).openSender().sendSync(new Uint8Array(1));
  while (!others()) await sleep(5);
}

export const fills = defineTask(
  import.meta.url,
  'fills',
  async ({ pool, channel, ready }: Handles): Promise<void> => {
    const node = attach();
    const memory = Pool.attach(node, pool);
    while (memory.tryAllocate(PIECE_BYTES) !== undefined);
    const messages = Channel.attach(node, channel);
    const receiver = messages.openReceiver();
    await meet(node, ready, () => messages.senders > 0);
    receiver.receiveSync();
  },
);

export const sends = defineTask(
  import.meta.url,
  'sends',
  async ({ channel, lock, ready }: Handles): Promise<void> => {
    const node = attach();
    const sender = Channel.attach(node, channel).openSender();
    const mutex = RobustLock.attach(node, lock);
    await meet(node, ready, () => mutex.locked);
    mutex.acquireSync();
    sender.sendSync(new Uint8Array(1));
  },
);

export const locks = defineTask(
  import.meta.url,
  'locks',
  async ({ pool, lock, ready }: Handles): Promise<void> => {
    const node = attach();
    const memory = Pool.attach(node, pool);
    RobustLock.attach(node, lock).acquireSync();
    await meet(node, ready, () => memory.stats().freeBytes < PIECE_BYTES);
    memory.allocateSync(PIECE_BYTES);
  },
);

/** Nanoseconds until the command has printed the cycle, looking again when it has not. */
async function printedAfterNs(dragon: string): Promise<number> {
  const start = process.hrtime.bigint();
  for (;;) {
    const { stdout } = await promisify(execFile)(dragon, ['ps', '--blocked']);
    const elapsedNs = Number(process.hrtime.bigint() - start);
    if (stdout.includes('DEADLOCK')) return elapsedNs;
    if (elapsedNs > PATIENCE_MS * 1e6) throw new Error(`there is no deadlock in:\n${stdout}`);
  }
}

async function main(): Promise<void> {
  const node = attach();
  const infrastructure = Pool.default(node);
  const pool = Pool.create(node, { limitBytes: POOL_BYTES, initialBytes: POOL_BYTES });
  const [channel, ready] = [Channel.create(infrastructure), Channel.create(infrastructure)];
  const lock = RobustLock.create(infrastructure);
  const handles: Handles = {
    pool: pool.serialize(),
    channel: channel.serialize(),
    lock: lock.serialize(),
    ready: ready.serialize(),
  };
  const receiver = ready.openReceiver();
  const processes = [fills, sends, locks].map((target) => new Process({ target, args: [handles] }));
  await Promise.all(processes.map((one) => one.start()));
  for (const _ of processes) await receiver.receive();
  while (node.waiting().filter(({ blocked }) => blocked).length < processes.length) await sleep(1);
  const samples: number[] = [];
  for (let i = 0; i < count('rounds', 3); i += 1) {
    samples.push(await printedAfterNs(option('dragon', 'dragon')));
  }
  report('ns', samples);
  await Promise.all(processes.map((one) => one.kill()));
  await Promise.all(processes.map((one) => one.join()));
  // Open until here: what nobody names any more may be collected, and closed with that.
  for (const each of [channel, ready, lock]) each.close();
}

if (isRoot()) await main();
