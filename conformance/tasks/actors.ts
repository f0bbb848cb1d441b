/**
 * Actors: processes that wait for scripts and carry them out.
 *
 * Goals: a property over several processes starts them once and then only sends scripts, so
 * that hundreds of runs take seconds. A script holds handles and says what to do with them.
 * Non-goals: judging. An actor reports what it saw.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask } from 'dragon-runtime';
import type { Connection, Lock, Queue } from 'dragon-runtime/multiprocessing';
import { Process, pipe } from 'dragon-runtime/multiprocessing';

/** An item that tells where it comes from. */
export interface Tagged {
  readonly producer: number;
  readonly sequence: number;
  /** Every byte is the low byte of the sequence number. */
  readonly payload: Uint8Array;
}

export type Flavour = 'async' | 'sync';

export type Script =
  | {
      readonly kind: 'produce';
      readonly queue: Queue<Tagged | null>;
      readonly producer: number;
      readonly sizes: readonly number[];
      readonly flavour: Flavour;
    }
  | {
      readonly kind: 'consume';
      readonly queue: Queue<Tagged | null>;
      readonly flavour: Flavour;
    }
  | {
      readonly kind: 'count';
      readonly lock: Lock;
      readonly file: string;
      readonly times: number;
      readonly flavours: readonly Flavour[];
      readonly delayMs: number;
    }
  | {
      readonly kind: 'write';
      readonly end: Connection<Uint8Array>;
      readonly writer: number;
      readonly sizes: readonly number[];
    }
  | {
      readonly kind: 'pass on';
      readonly handle: Connection<never, never>;
      readonly queue: Queue<unknown>;
    }
  | { readonly kind: 'hold'; readonly lock: Lock; readonly queue: Queue<string> }
  | { readonly kind: 'take'; readonly lock: Lock };

/** What a consumer saw of one item. */
export type Seen = readonly [producer: number, sequence: number, bytes: number, intact: boolean];

export function tagged(producer: number, sequence: number, bytes: number): Tagged {
  return { producer, sequence, payload: new Uint8Array(bytes).fill(sequence & 0xff) };
}

function seen({ producer, sequence, payload }: Tagged): Seen {
  const intact = payload.every((byte) => byte === (sequence & 0xff));
  return [producer, sequence, payload.length, intact];
}

async function produce(script: Extract<Script, { kind: 'produce' }>): Promise<number> {
  const { queue, producer, sizes, flavour } = script;
  for (const [sequence, bytes] of sizes.entries()) {
    const item = tagged(producer, sequence, bytes);
    if (flavour === 'async') await queue.put(item);
    else queue.putSync(item);
  }
  queue.close();
  return sizes.length;
}

async function consume(script: Extract<Script, { kind: 'consume' }>): Promise<Seen[]> {
  const { queue, flavour } = script;
  const all: Seen[] = [];
  for (;;) {
    const item = flavour === 'async' ? await queue.get() : queue.getSync();
    if (item === null) break;
    all.push(seen(item));
  }
  queue.close();
  return all;
}

/** Adds to a number in a file, in a way that loses additions unless the lock excludes others. */
async function count(script: Extract<Script, { kind: 'count' }>): Promise<number> {
  const { lock, file, times, flavours, delayMs } = script;
  for (let i = 0; i < times; i++) {
    const flavour = flavours[i % flavours.length];
    if (flavour === 'async') await lock.acquire();
    else lock.acquireSync();
    const before = Number(readFileSync(file, 'utf8'));
    if (delayMs > 0) await sleep(delayMs);
    writeFileSync(file, String(before + 1));
    lock.release();
  }
  lock.close();
  return times;
}

async function write(script: Extract<Script, { kind: 'write' }>): Promise<number> {
  const { end, writer, sizes } = script;
  for (const [sequence, bytes] of sizes.entries()) {
    const message = new Uint8Array(2 + bytes).fill(sequence & 0xff, 2);
    message[0] = writer;
    message[1] = sequence & 0xff;
    await end.sendBytes(message);
  }
  end.close();
  return sizes.length;
}

/** Takes the lock, begins a large put, and stays so until it is killed. */
async function hold(script: Extract<Script, { kind: 'hold' }>): Promise<never> {
  await script.lock.acquire();
  await script.queue.put('held');
  for (;;) await script.queue.put('x'.repeat(1 << 20));
}

async function carryOut(script: Script): Promise<unknown> {
  switch (script.kind) {
    case 'produce':
      return await produce(script);
    case 'consume':
      return await consume(script);
    case 'count':
      return await count(script);
    case 'write':
      return await write(script);
    case 'hold':
      return await hold(script);
    case 'pass on':
      await script.queue.put(script.handle);
      return script.handle.close();
    case 'take':
      return await script.lock.acquire();
  }
}

/** An actor's main function: scripts in, what they returned out. */
export const act = defineTask(
  import.meta.url,
  'act',
  async (line: Connection<unknown, Script>): Promise<void> => {
    for await (const script of line) await line.send(await carryOut(script));
  },
);

/** One started actor. */
export interface Actor {
  readonly process: Process;
  /** Begins a script; resolves with what it returned. */
  play(script: Script): Promise<unknown>;
}

/** Starts actors; dispose them to end them. */
export async function startActors(size: number): Promise<Actor[] & AsyncDisposable> {
  const actors = await Promise.all(
    Array.from({ length: size }, async () => {
      const [near, far] = pipe<Script, unknown>();
      // A daemon, so that a check program that fails ends at once.
      const process = new Process({ target: act, args: [far], daemon: true });
      await process.start();
      far.close();
      const play = async (script: Script): Promise<unknown> => {
        await near.send(script);
        return await near.recv();
      };
      return { process, play, close: () => near.close() };
    }),
  );
  const dispose = async (): Promise<void> => {
    for (const actor of actors) actor.close();
    await Promise.all(actors.map(({ process }) => process[Symbol.asyncDispose]()));
  };
  return Object.assign(actors, { [Symbol.asyncDispose]: dispose });
}
