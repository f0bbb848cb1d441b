/**
 * Parties: processes that meet at the objects of `dragon-runtime/core`, as scripts tell them.
 *
 * Goals: a property over several processes starts them once; a script holds handles and says what
 * to do, and its result says when each step began and ended, on a clock that all share.
 * Non-goals: judging.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { currentNode, defineTask } from 'dragon-runtime';
import {
  Barrier,
  Broadcast,
  Channel,
  ChannelSet,
  Condition,
  RobustLock,
  RwLock,
  Semaphore,
} from 'dragon-runtime/core';
import { type Connection, Process, pipe } from 'dragon-runtime/multiprocessing';

export type SemaphoreStep =
  | {
      readonly kind: 'acquire';
      readonly flavour: 'async' | 'sync' | 'try';
      readonly timeoutMs: number;
    }
  | { readonly kind: 'release'; readonly permits: number };

export interface RwStep {
  readonly kind: 'read' | 'write';
  readonly flavour: 'async' | 'sync' | 'try';
  readonly timeoutMs: number;
  readonly holdMs: number;
}

/** A step of reading or writing: when the call was, and from when until when it was in. */
export interface RwHappened extends Happened<RwStep> {
  readonly inNs: readonly [from: number, to: number];
}

/** What a step did, and when. */
export interface Happened<Step> {
  readonly step: Step;
  readonly startNs: number;
  readonly endNs: number;
  /** False where it was refused or timed out. */
  readonly done: boolean;
}

export interface Passed {
  readonly index: number;
  readonly startNs: number;
  readonly endNs: number;
}

export type Script =
  | {
      readonly kind: 'semaphore';
      readonly handle: Uint8Array;
      readonly steps: readonly SemaphoreStep[];
    }
  | {
      readonly kind: 'barrier';
      readonly handle: Uint8Array;
      readonly rounds: number;
      readonly flavour: 'async' | 'sync';
      readonly delayMs: number;
    }
  | {
      readonly kind: 'produce';
      readonly channels: readonly Uint8Array[];
      readonly producer: number;
      readonly count: number;
    }
  | {
      readonly kind: 'watch';
      readonly channels: readonly Uint8Array[];
      readonly stop: Uint8Array;
      readonly flavour: 'async' | 'sync';
    }
  | {
      readonly kind: 'condition';
      readonly handle: Uint8Array;
      readonly lock: Uint8Array;
      readonly flavour: 'async' | 'sync';
    }
  | { readonly kind: 'rwlock'; readonly handle: Uint8Array; readonly steps: readonly RwStep[] }
  | { readonly kind: 'hold'; readonly handle: Uint8Array; readonly holds: 'read' | 'write' }
  | { readonly kind: 'write for ever'; readonly handle: Uint8Array }
  | { readonly kind: 'read'; readonly handle: Uint8Array; readonly count: number };

function nowNs(): number {
  return Number(process.hrtime.bigint());
}

async function acquire(semaphore: Semaphore, step: SemaphoreStep & { kind: 'acquire' }) {
  if (step.flavour === 'try') return semaphore.tryAcquire();
  const options = { timeout: step.timeoutMs };
  return step.flavour === 'sync'
    ? semaphore.acquireSync(options)
    : await semaphore.acquire(options);
}

async function useSemaphore(handle: Uint8Array, steps: readonly SemaphoreStep[]) {
  using semaphore = Semaphore.attach(currentNode(), handle);
  const history: Happened<SemaphoreStep>[] = [];
  for (const step of steps) {
    const startNs = nowNs();
    let done = true;
    try {
      if (step.kind === 'acquire') done = await acquire(semaphore, step);
      else semaphore.release(step.permits);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_STATE') throw error;
      done = false;
    }
    history.push({ step, startNs, endNs: nowNs(), done });
  }
  return history;
}

async function useBarrier(script: Extract<Script, { kind: 'barrier' }>): Promise<Passed[]> {
  using barrier = Barrier.attach(currentNode(), script.handle);
  const passed: Passed[] = [];
  for (let round = 0; round < script.rounds; round++) {
    if (script.delayMs > 0) await sleep(script.delayMs);
    const startNs = nowNs();
    const index = script.flavour === 'sync' ? barrier.waitSync() : await barrier.wait();
    passed.push({ index, startNs, endNs: nowNs() });
  }
  return passed;
}

async function produce(script: Extract<Script, { kind: 'produce' }>): Promise<void> {
  const channels = script.channels.map((handle) => Channel.attach(currentNode(), handle));
  const senders = channels.map((channel) => channel.openSender());
  for (let number = 0; number < script.count; number++) {
    const sender = senders[number % senders.length];
    await sender?.send(Uint8Array.of(script.producer, number >> 8, number & 0xff));
  }
  for (const channel of channels) channel.close();
}

/** Takes what comes, until the channel `stop` has a message and the others are empty. */
async function watch(script: Extract<Script, { kind: 'watch' }>): Promise<[number, number][]> {
  using set = new ChannelSet(currentNode());
  const channels = script.channels.map((handle) => Channel.attach(currentNode(), handle));
  const receivers = new Map(channels.map((channel) => [channel, channel.openReceiver()]));
  const stop = Channel.attach(currentNode(), script.stop);
  for (const channel of [...channels, stop]) set.add(channel);
  const taken: [number, number][] = [];
  const next = () => (script.flavour === 'sync' ? set.pollSync() : set.poll());
  for (let ready = await next(); ready !== undefined; ) {
    // Another watcher may have been quicker.
    const message = receivers.get(ready.channel)?.tryReceive();
    const [producer = 0, high = 0, low = 0] = message?.bytes ?? [];
    if (message !== undefined) taken.push([producer, (high << 8) | low]);
    if (ready.channel === stop) set.delete(stop);
    ready = set.has(stop) ? await next() : set.tryPoll();
  }
  for (const channel of [...channels, stop]) channel.close();
  return taken;
}

async function useCondition(script: Extract<Script, { kind: 'condition' }>): Promise<boolean> {
  using condition = Condition.attach(currentNode(), script.handle);
  const lock = RobustLock.attach(currentNode(), script.lock);
  await lock.acquire();
  const isNotified =
    script.flavour === 'sync' ? condition.waitSync(lock) : await condition.wait(lock);
  lock.release();
  lock.close();
  return isNotified;
}

async function enter(lock: RwLock, { kind, flavour, timeoutMs }: RwStep): Promise<boolean> {
  const options = { timeout: timeoutMs };
  if (kind === 'read') {
    if (flavour === 'try') return lock.tryRead();
    return flavour === 'sync' ? lock.readSync(options) : await lock.read(options);
  }
  if (flavour === 'try') return lock.tryWrite();
  return flavour === 'sync' ? lock.writeSync(options) : await lock.write(options);
}

async function useRwLock(handle: Uint8Array, steps: readonly RwStep[]): Promise<RwHappened[]> {
  using lock = RwLock.attach(currentNode(), handle);
  const history: RwHappened[] = [];
  for (const step of steps) {
    const startNs = nowNs();
    const done = await enter(lock, step);
    const endNs = nowNs();
    if (done && step.holdMs > 0) await sleep(step.holdMs);
    history.push({ step, startNs, endNs, done, inNs: [endNs, nowNs()] });
    if (done && step.kind === 'read') lock.endRead();
    if (done && step.kind === 'write') lock.endWrite();
  }
  return history;
}

/** Reads or writes until it is killed. */
async function hold(script: Extract<Script, { kind: 'hold' }>): Promise<never> {
  const lock = RwLock.attach(currentNode(), script.handle);
  if (script.holds === 'read') lock.readSync();
  else lock.writeSync();
  for (;;) await sleep(1000);
}

/** Rounds of 100 equal bytes. */
async function writeForEver(handle: Uint8Array): Promise<never> {
  const broadcast = Broadcast.attach(currentNode(), handle);
  for (let i = 0; ; i++) {
    broadcast.publishSync(new Uint8Array(100).fill(i));
    if (i % 16 === 0) await sleep(0);
  }
}

/** Whether each of the next rounds was whole and later than the one before. */
async function read(handle: Uint8Array, count: number): Promise<boolean> {
  using broadcast = Broadcast.attach(currentNode(), handle);
  let last = 0;
  for (let i = 0; i < count; i++) {
    const { bytes, round } = await broadcast.wait();
    const isWhole = bytes.length === 100 && bytes.every((byte) => byte === bytes[0]);
    if (!isWhole || round <= last) return false;
    last = round;
  }
  return true;
}

function carryOut(script: Script): Promise<unknown> {
  switch (script.kind) {
    case 'semaphore':
      return useSemaphore(script.handle, script.steps);
    case 'barrier':
      return useBarrier(script);
    case 'produce':
      return produce(script);
    case 'watch':
      return watch(script);
    case 'condition':
      return useCondition(script);
    case 'rwlock':
      return useRwLock(script.handle, script.steps);
    case 'hold':
      return hold(script);
    case 'write for ever':
      return writeForEver(script.handle);
    case 'read':
      return read(script.handle, script.count);
  }
}

/** A party's main function: scripts in; what they returned, or the code of their error, out. */
export const party = defineTask(
  import.meta.url,
  'party',
  async (line: Connection<unknown, Script>): Promise<void> => {
    for await (const script of line) {
      await line.send(await carryOut(script).catch((error) => error.code ?? String(error)));
    }
  },
);

export interface Party {
  readonly process: Process;
  /** Begins a script; resolves with what it returned, or the code of the error that it threw. */
  play<Result>(script: Script): Promise<Result>;
}

/** Starts parties; dispose them to end them. */
export async function startParties(size: number): Promise<Party[] & AsyncDisposable> {
  const parties = await Promise.all(
    Array.from({ length: size }, async () => {
      const [near, far] = pipe<Script, unknown>();
      const process = new Process({ target: party, args: [far], daemon: true });
      await process.start();
      far.close();
      const play = async <Result>(script: Script): Promise<Result> => {
        await near.send(script);
        return (await near.recv()) as Result;
      };
      return { process, play, close: () => near.close() };
    }),
  );
  const dispose = async (): Promise<void> => {
    for (const one of parties) one.close();
    await Promise.all(parties.map(({ process }) => process[Symbol.asyncDispose]()));
  };
  return Object.assign(parties, { [Symbol.asyncDispose]: dispose });
}
