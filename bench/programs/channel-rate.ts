/**
 * Messages a second through one channel from TypeScript, in batches: P processes send and C
 * receive. `--form packed` (the default) makes no object, `--form messages` one for each message.
 */
import { defineTask, isRoot } from 'dragon-runtime';
import { Channel, Node, Pool } from 'dragon-runtime/core';
import { Process } from 'dragon-runtime/multiprocessing';
import { count, option, pin, report } from './measure.ts';

interface Order {
  readonly form: string;
  readonly bytes: number;
  readonly batch: number;
  /** Messages of one sender in one round. */
  readonly share: number;
  readonly rounds: number;
  readonly cpus: string;
}

/**
 * Of the channel that is measured, what starts this process's rounds, and what says that it is
 * done. A start that all shared could be taken twice by one that is quick.
 */
type Handles = readonly Uint8Array[];

/** A message of this length ends a receiver's round; the measured ones are longer. */
const END_BYTES = 1;
const PLACES = 1024;
const BLOCK_ROOM_BYTES = 64 * 1024;

function open(handles: Handles) {
  const node = Node.current();
  const [data, go, done] = handles.map((handle) => Channel.attach(node, handle)) as [
    Channel,
    Channel,
    Channel,
  ];
  return { data, go: go.openReceiver(), done: done.openSender() };
}

/** The time, which all processes of the machine read alike, as bytes. */
function nowBytes(): Uint8Array {
  return new Uint8Array(Float64Array.of(Number(process.hrtime.bigint())).buffer);
}

export const send = defineTask(import.meta.url, 'send', (handles: Handles, order: Order): void => {
  const { data, go, done } = open(handles);
  if (order.cpus !== '') pin('first', order.cpus);
  const sender = data.openSender();
  const bytes = new Uint8Array(order.batch * order.bytes).fill(7);
  const lengths = new Uint32Array(order.batch).fill(order.bytes);
  const payloads = Array.from(lengths, (_, i) =>
    bytes.slice(i * order.bytes, (i + 1) * order.bytes),
  );
  done.sendSync(nowBytes());
  for (let round = 0; round < order.rounds; round += 1) {
    go.receiveSync();
    const start = nowBytes();
    for (let sent = 0; sent < order.share; sent += order.batch) {
      if (order.form === 'packed') sender.sendPackedSync(bytes, lengths);
      else sender.sendManySync(payloads);
    }
    done.sendSync(start);
  }
});

export const receive = defineTask(
  import.meta.url,
  'receive',
  (handles: Handles, order: Order): void => {
    const { data, go, done } = open(handles);
    if (order.cpus !== '') pin('second', order.cpus);
    const receiver = data.openReceiver();
    const giveBack = data.openSender();
    const bytes = new Uint8Array(order.batch * order.bytes + BLOCK_ROOM_BYTES);
    const lengths = new Uint32Array(order.batch);
    const next = (): number => {
      if (order.form === 'packed') return receiver.receivePacked(bytes, lengths, undefined, -1);
      const messages = receiver.receiveManySync(order.batch);
      for (const [i, message] of messages.entries()) lengths[i] = message.bytes.byteLength;
      return messages.length;
    };
    done.sendSync(nowBytes());
    for (let round = 0; round < order.rounds; round += 1) {
      go.receiveSync();
      let ends = 0;
      while (ends === 0) {
        const got = next();
        for (let i = 0; i < got; i += 1) if (lengths[i] === END_BYTES) ends += 1;
      }
      done.sendSync(nowBytes());
      for (; ends > 1; ends -= 1) giveBack.sendSync(new Uint8Array(END_BYTES));
    }
  },
);

async function main(): Promise<void> {
  const senders = count('senders', 1);
  const receivers = count('receivers', 1);
  const batch = count('batch', 64);
  const share = Math.ceil(count('count', 200_000) / senders / batch) * batch;
  const rounds = count('rounds', 5) + 1;
  const pool = Pool.default();
  const data = Channel.create(pool, { capacity: PLACES, blockBytes: 64 });
  const done = Channel.create(pool);
  const starts = Array.from({ length: senders + receivers }, () => Channel.create(pool));
  const cpus = senders === 1 && receivers === 1 ? option('cpus', '') : '';
  const order = {
    form: option('form', 'packed'),
    bytes: count('bytes', 64),
    batch,
    share,
    rounds,
    cpus,
  };
  const partners = starts.map((go, i) => {
    const handles = [data, go, done].map((channel) => channel.serialize());
    return new Process({ target: i < senders ? send : receive, args: [handles, order] });
  });
  for (const partner of partners) await partner.start();
  const [ends, answers] = [data.openSender(), done.openReceiver()];
  const starters = starts.map((go) => go.openSender());
  const times = (wanted: number): number[] =>
    Array.from({ length: wanted }, () => {
      return new Float64Array(answers.receiveSync().bytes.buffer as ArrayBuffer)[0] as number;
    });
  times(partners.length);
  const rates: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const start of starters) start.sendSync(Uint8Array.of(1));
    const begin = Math.min(...times(senders));
    for (let i = 0; i < receivers; i += 1) ends.sendSync(new Uint8Array(END_BYTES));
    const seconds = (Math.max(...times(receivers)) - begin) / 1e9;
    // The first round is the warm-up.
    if (round > 0) rates.push((share * senders) / seconds);
  }
  for (const partner of partners) await partner.join();
  for (const channel of [data, done, ...starts]) channel.close();
  report('1/s', rates, share * senders);
}

if (isRoot()) await main();
