/**
 * What a runtime costs that does nothing: the share of one core that all its processes use
 * while a hundred of them are blocked.
 *
 * Half of them block their thread in a receive, half await one, as programs do.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask, isRoot } from 'dragon-runtime';
import { Channel, Node, Pool } from 'dragon-runtime/core';
import { Process } from 'dragon-runtime/multiprocessing';
import { count, report } from './measure.ts';

/** The collector of V8 tidies up until some fifteen seconds after the start: that is not idle. */
const SETTLE_MS = 20_000;
/** How many processes are started at a time: more would only wait for each other. */
const STARTED_AT_ONCE = 4;

function attach(): Node {
  return Node.attach(process.env['DRAGON_RUNTIME_DIR'] ?? '');
}

export const blocked = defineTask(
  import.meta.url,
  'blocked',
  async (handle: Uint8Array, sync: boolean): Promise<void> => {
    const receiver = Channel.attach(attach(), handle).openReceiver();
    if (sync) receiver.receiveSync();
    else await receiver.receive();
  },
);

/** Nanoseconds that all threads of a process have run. */
function runNs(pid: string): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.reduce((sum, thread) => sum + threadNs(pid, thread), 0);
  } catch {
    return 0;
  }
}

function threadNs(pid: string, thread: string): number {
  const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1');
  return Number(text.split(' ')[0]);
}

/** The process and everything that it started. */
function descendants(ancestor: string): string[] {
  const parents = new Map<string, string>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const stat = statOf(pid).split(') ').at(-1)?.split(' ') ?? [];
    parents.set(pid, stat[1] ?? '');
  }
  const below = (pid: string): string[] => {
    const children = [...parents].filter(([, parent]) => parent === pid).map(([child]) => child);
    return [pid, ...children.flatMap(below)];
  };
  return below(ancestor);
}

function statOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return '';
  }
}

/** What share of a core each process of this run uses while this one sleeps. */
async function sharesOf(windowMs: number) {
  // Itself last and then first, so that its reading of the others is not in the window.
  const own = String(process.pid);
  const others = descendants(String(process.ppid)).filter((pid) => pid !== own);
  const pids = [...others, own];
  const before = new Map(pids.map((pid) => [pid, runNs(pid)]));
  const start = process.hrtime.bigint();
  await sleep(windowMs);
  const elapsedNs = Number(process.hrtime.bigint() - start);
  const used = pids.reverse().map((pid) => runNs(pid) - (before.get(pid) ?? 0));
  return { shares: used.map((ns) => ns / elapsedNs), processes: pids.length };
}

async function main(): Promise<void> {
  const wanted = count('processes', 100);
  const channel = Channel.create(Pool.default(attach()));
  const handle = channel.serialize();
  const processes = Array.from(
    { length: wanted },
    (_, index) => new Process({ target: blocked, args: [handle, index % 2 === 0] }),
  );
  for (let at = 0; at < wanted; at += STARTED_AT_ONCE) {
    await Promise.all(processes.slice(at, at + STARTED_AT_ONCE).map((one) => one.start()));
  }
  while (channel.receivers < wanted) await sleep(10);
  await sleep(count('settle', SETTLE_MS));
  const { shares, processes: seen } = await sharesOf(count('window', 3000));
  const sender = channel.openSender();
  for (let i = 0; i < wanted; i += 1) sender.sendSync(new Uint8Array(1));
  await Promise.all(processes.map((one) => one.join()));
  const percent = 100 * shares.reduce((sum, share) => sum + share, 0);
  const detail = { processes: seen, largestPercent: 100 * Math.max(...shares) };
  report('%', [percent], seen, detail);
}

if (isRoot()) await main();
