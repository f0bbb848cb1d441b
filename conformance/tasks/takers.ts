/** Those who take a lock, or the items of a queue, again and again. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Lock, Queue } from 'dragon-runtime/multiprocessing';

/** When somebody began to wait and when it got what it waited for, in ms since 1970. */
export type Turn = readonly [sinceMs: number, atMs: number];

/** What a holder does before it gives the lock back. */
export type Hold = 'nothing' | 'a promise' | 'a turn';

const now = (): number => performance.timeOrigin + performance.now();

/** Takes the lock until the time is over. */
export async function takeLock(lock: Lock, untilMs: number, hold: Hold): Promise<Turn[]> {
  const turns: Turn[] = [];
  while (now() < untilMs) {
    const sinceMs = now();
    await lock.acquire();
    turns.push([sinceMs, now()]);
    if (hold === 'a promise') await Promise.resolve();
    else if (hold === 'a turn') await nextTurn();
    lock.release();
  }
  return turns;
}

export function takeLockSync(lock: Lock, untilMs: number, out: Queue<Turn[]>): void {
  const turns: Turn[] = [];
  while (now() < untilMs) {
    const sinceMs = now();
    lock.acquireSync();
    turns.push([sinceMs, now()]);
    lock.release();
  }
  out.putSync(turns);
}

/** Takes items until one is null. */
export async function takeItems(queue: Queue<number | null>): Promise<Turn[]> {
  const turns: Turn[] = [];
  for (let sinceMs = now(); (await queue.get()) !== null; sinceMs = now()) {
    turns.push([sinceMs, now()]);
  }
  return turns;
}

export function takeItemsSync(queue: Queue<number | null>, out: Queue<Turn[]>): void {
  const turns: Turn[] = [];
  for (let sinceMs = now(); queue.getSync() !== null; sinceMs = now()) {
    turns.push([sinceMs, now()]);
  }
  out.putSync(turns);
}
