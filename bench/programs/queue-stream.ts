/**
 * How much one process takes from another through a Queue or a Connection, `--over`, message by
 * message or, `--form many`, in batches. Numbers of 8 bytes are counted; larger messages are
 * byte arrays, of which the receiver reads every byte. It gives back each before it takes the next,
 * or with `--release no` leaves them to the collector.
 */
import { defineTask, isRoot } from 'dragon-runtime';
import {
  type ConnectionReader,
  Process,
  pipe,
  Queue,
  release,
} from 'dragon-runtime/multiprocessing';
import { count, option, report } from './measure.ts';

interface Order {
  readonly bytes: number;
  readonly form: string;
  readonly releases: boolean;
  /** Messages of one round. */
  readonly share: number;
  readonly rounds: number;
}

type Item = number | Uint8Array;
type Source = Queue<Item> | ConnectionReader<unknown>;

const NUMBER_BYTES = 8;
const BATCH = 256;
/** So many large messages are on their way at a time: they stay in the cache. */
const LARGE_IN_FLIGHT = 4;
/** What no message holds: looking for it reads all of one. */
const ABSENT = 0xff;

/** 1 for a whole message; a message that was cut or changed gives something else. */
function read(item: Item, bytes: number): number {
  if (typeof item === 'number') return item;
  const found = Buffer.from(item.buffer, item.byteOffset, item.byteLength).indexOf(ABSENT);
  return item.byteLength === bytes && found < 0 ? 1 : 0;
}

async function takeMany(queue: Queue<Item>, { share }: Order): Promise<number> {
  let sum = 0;
  for (let got = 0; got < share; ) {
    const items = await queue.getMany(share - got);
    for (const item of items) sum += item as number;
    got += items.length;
  }
  return sum;
}

function take(source: Source, { bytes, releases, share }: Order): number {
  const isCount = bytes === NUMBER_BYTES;
  let sum = 0;
  for (let i = 0; i < share; i += 1) {
    const item = source instanceof Queue ? source.getSync() : source.recvBytesSync();
    if (isCount) {
      sum += typeof item === 'number' ? item : Number(item.byteLength === bytes);
      continue;
    }
    sum += read(item, bytes);
    if (releases) release(item);
  }
  return sum;
}

export const receive = defineTask(
  import.meta.url,
  'receive',
  async (source: Source, done: Queue<number>, order: Order): Promise<void> => {
    for (let round = 0; round < order.rounds; round += 1) {
      const isBatch = source instanceof Queue && order.form === 'many';
      done.putSync(isBatch ? await takeMany(source, order) : take(source, order));
    }
  },
);

/** A pipe or a queue: what the receiver gets, and what sends one round. */
function ends(over: string, { bytes, form, share }: Order) {
  const isCount = bytes === NUMBER_BYTES;
  const bulk = new Uint8Array(bytes).fill(7);
  if (over === 'pipe') {
    const [reader, writer] = isCount
      ? pipe({ duplex: false })
      : pipe({ duplex: false, capacity: LARGE_IN_FLIGHT });
    const send = (): void => {
      for (let i = 0; i < share; i += 1) writer.sendBytesSync(bulk);
    };
    return { source: reader, send, end: () => writer.close() };
  }
  const queue = new Queue<Item>({ maxsize: isCount ? 4096 : LARGE_IN_FLIGHT });
  const item = isCount ? 1 : bulk;
  const send = (): void => {
    for (let i = 0; i < share; i += 1) queue.putSync(item);
  };
  const batch = Array.from({ length: BATCH }, () => item);
  const sendMany = async (): Promise<void> => {
    for (let sent = 0; sent < share; sent += BATCH) {
      await queue.putMany(sent + BATCH > share ? batch.slice(0, share - sent) : batch);
    }
  };
  return { source: queue, send: form === 'many' ? sendMany : send, end: () => queue.close() };
}

async function main(): Promise<void> {
  const order: Order = {
    bytes: count('bytes', NUMBER_BYTES),
    form: option('form', 'one'),
    releases: option('release', 'yes') === 'yes',
    share: count('count', 20_000),
    rounds: count('rounds', 5) + 1,
  };
  const isCount = order.bytes === NUMBER_BYTES;
  const { source, send, end } = ends(option('over', 'queue'), order);
  const done = new Queue<number>();
  const receiver = new Process({ target: receive, args: [source, done, order] });
  await receiver.start();
  const rates: number[] = [];
  for (let round = 0; round < order.rounds; round += 1) {
    const begin = performance.now();
    await send();
    if (done.getSync() !== order.share) throw new Error('messages were lost or changed');
    const seconds = (performance.now() - begin) / 1000;
    // The first round is the warm-up.
    if (round > 0) rates.push((order.share * (isCount ? 1 : order.bytes)) / seconds);
  }
  await receiver.join();
  end();
  report(isCount ? '1/s' : 'B/s', rates, order.share);
}

if (isRoot()) await main();
