/**
 * Processes that use one channel at the same time and write down what they saw.
 *
 * Goals: every form of sending and receiving, each with the time before and after it, by the clock
 * that all processes share. Non-goals: judging (`core/queue-history.ts`).
 */
import { DragonError, defineTask } from 'dragon-runtime';
import type { ReceiveHandle, SendHandle } from 'dragon-runtime/core';
import { Allocation, Channel, Node, Pool } from 'dragon-runtime/core';
import { type Connection, Process, pipe } from 'dragon-runtime/multiprocessing';
import type { Event, Span } from '../core/queue-history.ts';

export type SendForm =
  | 'try'
  | 'sync'
  | 'async'
  | 'many'
  | 'packed'
  | 'allocation'
  | 'handle'
  | 'receipt'
  | 'lent';
export type ReceiveForm = 'try' | 'sync' | 'async' | 'into' | 'to' | 'many' | 'packed';

export type Step =
  | { readonly send: SendForm; readonly sizes: readonly number[] }
  | { readonly receive: ReceiveForm; readonly max: number };

export interface CoreScript {
  readonly channel: Uint8Array;
  /** Number of the process; its messages have ids from 2^20 times it on. */
  readonly by: number;
  /** When to begin, so that all begin at once. */
  readonly beginNs: number;
  readonly steps: readonly Step[];
}

/** Hints with this bit: the payload is the handle of memory that holds the bytes. */
const BY_HANDLE = 2 ** 31;
const IDS = 2 ** 20;
const PATIENCE_MS = 5;
/** As many packed messages as a step asks for, each of the longest. */
const ROOM = 1024 * 1024;

export const nowNs = (): number => Number(process.hrtime.bigint());

const fillOf = (id: number): number => (id * 7 + (id >> 20)) & 0xff;

/** What scripts have lent. Who has received it may be copying it until all have ended. */
const lentBefore: Allocation[] = [];

class Player {
  readonly #node = Node.current();
  readonly #pool = Pool.default();
  readonly #by: number;
  readonly #sender: SendHandle;
  readonly #receiver: ReceiveHandle;
  readonly #room = new Uint8Array(ROOM);
  readonly events: Event[] = [];
  #next: number;

  constructor(channel: Channel, by: number) {
    this.#by = by;
    this.#next = by * IDS;
    this.#sender = channel.openSender();
    this.#receiver = channel.openReceiver();
  }

  #note(kind: 'send' | 'receive', ids: readonly number[], begin: number): void {
    const at: Span = [begin, nowNs()];
    for (const id of ids) this.events.push({ kind, id, at, by: this.#by });
  }

  /** Notes that nothing was there, or no room, if that is why the call gave up at once. */
  #noteNothing(kind: 'empty' | 'full', begin: number): void {
    this.events.push({ kind, at: [begin, nowNs()], by: this.#by });
  }

  async send(form: SendForm, sizes: readonly number[]): Promise<void> {
    const ids = sizes.map((_, i) => this.#next + i);
    this.#next += sizes.length;
    const bytes = sizes.map((size, i) => new Uint8Array(size).fill(fillOf(ids[i] as number)));
    if (form === 'many' || form === 'packed') return this.#sendMany(form, bytes, ids);
    for (const [i, payload] of bytes.entries())
      await this.#sendOne(form, payload, ids[i] as number);
  }

  // One message at a time has its own hints, so a batch carries its ids in the payload.
  #sendMany(form: SendForm, bytes: readonly Uint8Array[], ids: readonly number[]): void {
    const tagged = bytes.map((payload, i) => {
      const id = Uint32Array.of(ids[i] as number);
      return Buffer.concat([new Uint8Array(id.buffer), payload]);
    });
    const begin = nowNs();
    const lengths = Uint32Array.from(tagged, ({ length }) => length);
    const sent =
      form === 'many'
        ? this.#sender.trySendMany(tagged)
        : this.#sender.trySendPacked(Buffer.concat(tagged), lengths);
    this.#note('send', ids.slice(0, sent), begin);
  }

  async #sendOne(form: SendForm, bytes: Uint8Array, id: number): Promise<void> {
    const options = { hints: id, timeout: PATIENCE_MS };
    if (form === 'receipt' || form === 'lent') return await this.#sendReceived(form, bytes, id);
    let begin = nowNs();
    let sent = true;
    try {
      if (form === 'try') sent = this.#sender.trySend(bytes, id);
      else if (form === 'sync') this.#sender.sendSync(bytes, options);
      else if (form === 'async') await this.#sender.send(bytes, options);
      else {
        using memory = this.#pool.allocateSync(bytes.length + 1);
        memory.write(bytes);
        memory.write(Uint8Array.of(fillOf(id)), bytes.length);
        const handle = memory.serialize();
        begin = nowNs();
        if (form === 'allocation') sent = this.#sender.trySend(memory, id);
        else sent = this.#sender.trySend(handle, id + BY_HANDLE);
        if (form === 'handle' && sent) memory.detach();
      }
    } catch (error) {
      if (!DragonError.is(error) || error.code !== 'ERR_TIMEOUT') throw error;
      return;
    }
    if (sent) this.#note('send', [id], begin);
    else this.#noteNothing('full', begin);
  }

  /** Back when somebody has received it; else it was taken back. */
  async #sendReceived(form: SendForm, bytes: Uint8Array, id: number): Promise<void> {
    const options = { hints: id, timeout: PATIENCE_MS, mode: 'whenReceived' } as const;
    const lent = form === 'lent' ? this.#pool.allocateSync(bytes.length + 1) : undefined;
    lent?.bytes.fill(fillOf(id));
    const begin = nowNs();
    try {
      if (lent === undefined) await this.#sender.send(bytes, options);
      else this.#sender.sendSync(lent, { ...options, readOnly: true });
      this.#note('send', [id], begin);
    } catch (error) {
      if (!DragonError.is(error) || error.code !== 'ERR_TIMEOUT') throw error;
      this.events.push({ kind: 'withdrawn', at: [begin, nowNs()], by: this.#by });
    }
    if (lent !== undefined) lentBefore.push(lent);
  }

  /** The id of a received message, whose bytes have to be those of the id. */
  #open(bytes: Uint8Array, hints: number): number {
    if (hints >= BY_HANDLE) {
      const memory = Allocation.attach(this.#node, bytes);
      const id = this.#open(memory.read(), hints - BY_HANDLE);
      memory.free();
      return id;
    }
    if (hints !== 0) return this.#checked(bytes, hints);
    const id = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    return this.#checked(bytes.subarray(4), id);
  }

  #checked(bytes: Uint8Array, id: number): number {
    const fill = fillOf(id);
    if (!bytes.every((byte) => byte === fill)) throw new Error(`message ${id} has other bytes`);
    return id;
  }

  async receive(form: ReceiveForm, max: number): Promise<void> {
    const begin = nowNs();
    try {
      const ids = await this.#receive(form, max);
      if (ids.length > 0) this.#note('receive', ids, begin);
      else this.#noteNothing('empty', begin);
    } catch (error) {
      if (!DragonError.is(error) || error.code !== 'ERR_TIMEOUT') throw error;
    }
  }

  async #receive(form: ReceiveForm, max: number): Promise<number[]> {
    const options = { timeout: PATIENCE_MS };
    const receiver = this.#receiver;
    if (form === 'into') {
      const length = receiver.tryReceiveInto(this.#room);
      return length < 0 ? [] : [this.#open(this.#room.subarray(0, length), receiver.hints)];
    }
    if (form === 'to') {
      const received = receiver.tryReceiveTo(this.#pool);
      if (received === undefined) return [];
      using memory = received.memory;
      return [this.#open(memory.bytes.subarray(0, received.byteLength), received.hints)];
    }
    if (form === 'packed') return this.#receivePacked(max);
    if (form === 'many') {
      return receiver.tryReceiveMany(max).map((message) => {
        const id = this.#open(message.bytes, message.hints);
        message.release();
        return id;
      });
    }
    const message =
      form === 'try'
        ? receiver.tryReceive()
        : form === 'sync'
          ? receiver.receiveSync(options)
          : await receiver.receive(options);
    if (message === undefined) return [];
    using received = message;
    return [this.#open(received.bytes, received.hints)];
  }

  #receivePacked(max: number): number[] {
    const lengths = new Uint32Array(max);
    const hints = new Float64Array(max);
    const count = this.#receiver.receivePacked(this.#room, lengths, hints);
    const ids: number[] = [];
    let at = 0;
    for (let i = 0; i < count; i++) {
      const end = at + (lengths[i] as number);
      ids.push(this.#open(this.#room.subarray(at, end), hints[i] as number));
      at = end;
    }
    return ids;
  }

  close(): void {
    this.#sender.close();
    this.#receiver.close();
  }
}

async function play({ channel: handle, by, beginNs, steps }: CoreScript): Promise<Event[]> {
  for (const memory of lentBefore.splice(0)) memory.free();
  const channel = Channel.attach(Node.current(), handle);
  const player = new Player(channel, by);
  while (nowNs() < beginNs);
  for (const step of steps) {
    if ('send' in step) await player.send(step.send, step.sizes);
    else await player.receive(step.receive, step.max);
  }
  player.close();
  channel.close();
  return player.events;
}

/** Receives everything that is left. */
export async function drain(channel: Channel, by: number): Promise<Event[]> {
  const player = new Player(channel, by);
  while (channel.messageCount > 0) await player.receive('try', 1);
  player.close();
  return player.events;
}

export const playScripts = defineTask(
  import.meta.url,
  'playScripts',
  async (line: Connection<Event[], CoreScript>): Promise<void> => {
    for await (const script of line) await line.send(await play(script));
  },
);

/** Processes that play scripts, one each. */
export class Players implements AsyncDisposable {
  readonly #lines: Connection<CoreScript, Event[]>[] = [];
  readonly #processes: Process[] = [];

  async start(size: number): Promise<void> {
    for (let i = 0; i < size; i++) {
      const [near, far] = pipe<CoreScript, Event[]>();
      const process = new Process({ target: playScripts, args: [far], daemon: true });
      await process.start();
      far.close();
      this.#lines.push(near);
      this.#processes.push(process);
    }
  }

  /** Plays the scripts at the same time; what they all saw. */
  async play(scripts: readonly CoreScript[]): Promise<Event[]> {
    for (const [i, script] of scripts.entries()) await this.#lines[i]?.send(script);
    const seen = await Promise.all(scripts.map((_, i) => this.#lines[i]?.recv()));
    return seen.flatMap((events) => events ?? []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const line of this.#lines) line.close();
    for (const process of this.#processes) await process.join();
  }
}
