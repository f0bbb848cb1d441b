/**
 * What 200 pending waits do to the rest of a process: how long a timer or a file read takes
 * with them, over how long it takes without any, in turns.
 */
import { setMaxListeners } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRoot } from 'dragon-runtime';
import { Channel, Node, Pool, type ReceiveHandle } from 'dragon-runtime/core';
import { count, option, quantile, report } from './measure.ts';

const FILE_BYTES = 4096;

type Operation = () => Promise<unknown>;

/** Waits for messages that never come; the function ends them all. */
function pend(receivers: readonly ReceiveHandle[]): () => Promise<void> {
  const end = new AbortController();
  setMaxListeners(receivers.length, end.signal);
  const waits = receivers.map((receiver) => receiver.receive({ signal: end.signal }));
  return async () => {
    end.abort();
    await Promise.allSettled(waits);
  };
}

/** The median of several operations, one after the other, in nanoseconds. */
async function medianNs(times: number, operation: Operation): Promise<number> {
  const samples: number[] = [];
  for (let i = 0; i < times; i += 1) {
    const start = process.hrtime.bigint();
    await operation();
    samples.push(Number(process.hrtime.bigint() - start));
  }
  samples.sort((a, b) => a - b);
  return quantile(samples, 0.5);
}

async function operationOf(kind: string): Promise<Operation> {
  if (kind === 'timer') return () => new Promise((resolve) => setTimeout(resolve, 1));
  const path = join(process.env['DRAGON_RUNTIME_DIR'] ?? '', 'pending-waits.data');
  await writeFile(path, new Uint8Array(FILE_BYTES));
  return () => readFile(path);
}

async function main(): Promise<void> {
  const pool = Pool.default(Node.attach(process.env['DRAGON_RUNTIME_DIR'] ?? ''));
  const channels = Array.from({ length: count('waits', 200) }, () => Channel.create(pool));
  const receivers = channels.map((channel) => channel.openReceiver());
  const operation = await operationOf(option('work', 'timer'));
  const times = count('times', 50);
  const ratios: number[] = [];
  let noneNs = await medianNs(times, operation);
  for (let turn = 0; turn < count('rounds', 9); turn += 1) {
    noneNs = await medianNs(times, operation);
    const end = pend(receivers);
    ratios.push((await medianNs(times, operation)) / noneNs);
    await end();
  }
  for (const channel of channels) channel.destroy();
  report('x', ratios, times, { noneNs });
}

if (isRoot()) await main();
