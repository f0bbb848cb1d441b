/** What other processes do in properties of values: return them, throw them, race for them. */
import { defineTask } from 'dragon-runtime';
import type { Connection, Lock, Queue } from 'dragon-runtime/multiprocessing';
import type { Event, Span } from '../core/queue-history.ts';

export type QueueStep = 'put' | 'putSync' | 'tryPut' | 'get' | 'getSync' | 'tryGet';
export type LockStep = 'acquire' | 'acquireSync' | 'tryAcquire';

export type Order =
  | { readonly kind: 'return'; readonly value: unknown }
  | {
      readonly kind: 'use queue';
      readonly queue: Queue<number>;
      readonly by: number;
      readonly steps: readonly QueueStep[];
    }
  | { readonly kind: 'use lock'; readonly lock: Lock; readonly steps: readonly LockStep[] };

/** From the call of acquire to the end of release; `held` is surely inside. */
export type Holding = { readonly held: Span; readonly around: Span } | { readonly refused: Span };

/** The machine's one clock. */
const nowNs = (): number => Number(process.hrtime.bigint());

const PATIENCE = { timeout: 2 };

async function usedQueue(queue: Queue<number>, step: QueueStep, item: number): Promise<number> {
  switch (step) {
    case 'put':
      await queue.put(item, PATIENCE);
      return item;
    case 'putSync':
      queue.putSync(item, PATIENCE);
      return item;
    case 'tryPut':
      return queue.tryPut(item) ? item : -1;
    case 'get':
      return await queue.get(PATIENCE);
    case 'getSync':
      return queue.getSync(PATIENCE);
    case 'tryGet':
      return queue.tryGet().value ?? -1;
  }
}

/** Takes the steps, and tells when each began, when it ended and what it found. */
export async function useQueue(
  queue: Queue<number>,
  by: number,
  steps: readonly QueueStep[],
): Promise<Event[]> {
  const events: Event[] = [];
  for (const [i, step] of steps.entries()) {
    const isPut = /put/i.test(step);
    const begin = nowNs();
    const id = await usedQueue(queue, step, 1000 * by + i).catch((error: { code: string }) => {
      if (error.code === 'ERR_QUEUE_FULL' || error.code === 'ERR_QUEUE_EMPTY') return -1;
      throw error;
    });
    const at: Span = [begin, nowNs()];
    if (id < 0) events.push({ kind: isPut ? 'full' : 'empty', at, by });
    else events.push({ kind: isPut ? 'send' : 'receive', id, at, by });
  }
  return events;
}

export async function useLock(lock: Lock, steps: readonly LockStep[]): Promise<Holding[]> {
  const holdings: Holding[] = [];
  for (const step of steps) {
    const begin = nowNs();
    const isHeld = step === 'acquire' ? await lock.acquire() : lock[step]();
    const from = nowNs();
    if (!isHeld) {
      holdings.push({ refused: [begin, from] });
      continue;
    }
    const to = nowNs();
    lock.release();
    holdings.push({ held: [from, to], around: [begin, nowNs()] });
  }
  return holdings;
}

async function carryOut(order: Order): Promise<unknown> {
  switch (order.kind) {
    case 'return':
      return order.value;
    case 'use queue': {
      using queue = order.queue;
      return await useQueue(queue, order.by, order.steps);
    }
    case 'use lock': {
      const holdings = await useLock(order.lock, order.steps);
      order.lock.close();
      return holdings;
    }
  }
}

/** Orders in, what they gave out. */
export const companion = defineTask(
  import.meta.url,
  'companion',
  async (line: Connection<unknown, Order>): Promise<void> => {
    for await (const order of line) await line.send(await carryOut(order));
  },
);

export const thrower = defineTask(import.meta.url, 'thrower', (value: unknown): never => {
  throw value;
});
