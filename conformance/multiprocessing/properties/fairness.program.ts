/** The checks of `fairness.test.ts`: who waits is served, and in a bounded order. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lock, Process, Queue } from 'dragon-runtime/multiprocessing';
import { check, runChecks, sized } from '../../harness/inside.ts';
import {
  type Hold,
  type Turn,
  takeItems,
  takeItemsSync,
  takeLock,
  takeLockSync,
} from '../../tasks/takers.ts';

const TASKS = 3;
/** Who has waited so long stands in line; before that newcomers may be faster (spec/lock.md). */
const IN_LINE_MS = 1;

/** For each long wait, how many waits that began later were long too and ended sooner. */
function overtakings(all: readonly (readonly Turn[])[]): number[] {
  const inLine = all.flatMap((turns, who) =>
    turns.filter(([sinceMs, atMs]) => atMs - sinceMs > IN_LINE_MS).map((turn) => ({ who, turn })),
  );
  return inLine.map(({ who, turn: [sinceMs, atMs] }) => {
    const later = inLine.filter((other) => other.who !== who && other.turn[0] > sinceMs);
    return later.filter(({ turn }) => turn[1] < atMs).length;
  });
}

/** A process that is not on a processor when its turn comes loses it: not one in ten may. */
function isBounded(all: readonly (readonly Turn[])[], what: string): void {
  const counts = overtakings(all).sort((a, b) => a - b);
  const most = counts[Math.floor(counts.length * 0.9)] ?? 0;
  assert.ok(most <= all.length, `${what}: ${most} overtakings, ${counts.at(-1)} at most`);
  const shares = all.map((turns) => turns.length);
  assert.ok(Math.min(...shares) > 2, `${what}: shares ${shares}`);
}

const now = (): number => performance.timeOrigin + performance.now();

check('tasks of one process', async () => {
  for (const hold of ['nothing', 'a promise', 'a turn'] satisfies Hold[]) {
    using lock = new Lock();
    const untilMs = now() + sized(100);
    const tasks = Array.from({ length: TASKS + 1 }, () => takeLock(lock, untilMs, hold));
    isBounded(await Promise.all(tasks), hold);
  }
});

check('tasks and processes', async () => {
  for (const hold of ['a promise', 'a turn'] satisfies Hold[]) {
    using lock = new Lock();
    using out = new Queue<Turn[]>();
    const untilMs = now() + 300 + sized(100);
    const blocking = new Process({ target: takeLockSync, args: [lock, untilMs, out] });
    await blocking.start();
    const tasks = Array.from({ length: TASKS }, () => takeLock(lock, untilMs, hold));
    isBounded([...(await Promise.all(tasks)), await out.get()], hold);
    await blocking.join();
  }
});

check('takers of a queue', async () => {
  using items = new Queue<number | null>();
  using out = new Queue<Turn[]>();
  const blocking = new Process({ target: takeItemsSync, args: [items, out] });
  await blocking.start();
  const takers = Array.from({ length: TASKS }, () => takeItems(items));
  for (let i = 0; i < sized(60); i++) {
    await items.put(i);
    await sleep(i % 3);
  }
  for (let i = 0; i <= TASKS; i++) await items.put(null);
  isBounded([...(await Promise.all(takers)), await out.get()], 'items');
  await blocking.join();
});

await runChecks();
