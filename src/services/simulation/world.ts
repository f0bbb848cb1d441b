/**
 * A run in virtual time: the real state machines of global and local services, with links,
 * processes and a clock that exist only here. Used by tests only.
 *
 * Every choice comes from one seed: which link delivers next, what a process does, in which
 * order its end and its actor's end are seen. Time moves only when no message is under way,
 * so a deadline in virtual time is exact. Every message passes through its bytes.
 */
import {
  type GlobalEffect,
  type GlobalEvent,
  type GlobalState,
  globalState,
} from '../global/state.ts';
import { step as stepGlobal } from '../global/step.ts';
import { type LocalEffect, type LocalState, localState, SIGKILL, SIGTERM } from '../local/state.ts';
import { step as stepLocal } from '../local/step.ts';
import { decodeMessage, encodeMessage, type Message, type Reply } from '../messages/index.ts';
import { Random } from './random.ts';

export interface VirtualProcess {
  readonly puid: bigint;
  readonly nodeId: number;
  pid: number;
  started: boolean;
  /** Its actor was seen. */
  attached: boolean;
  /** Ignores SIGTERM. */
  readonly stubborn: boolean;
}

interface Timer {
  readonly atMs: number;
  strike(): void;
}

type Deliver = (message: Message) => void;

export class World {
  readonly random: Random;
  readonly global: GlobalState = globalState();
  readonly locals: LocalState[];
  readonly processes = new Map<bigint, VirtualProcess>();
  nowMs = 0;
  halts = 0;
  onReply: (reply: Reply, actor: number) => void = () => undefined;
  onEnd: (process: VirtualProcess) => void = () => undefined;
  readonly #links = new Map<string, { queue: Uint8Array[]; deliver: Deliver }>();
  readonly #timers = new Map<string, Timer>();
  /** Things that happen to virtual processes, soon and in any order. */
  readonly #soon: (() => void)[] = [];
  #lastPid = 100;

  constructor(seed: number, nodes: number) {
    this.random = new Random(seed);
    this.locals = Array.from({ length: nodes }, (_, nodeId) => localState(nodeId));
    for (const { nodeId } of this.locals) {
      const rest = { hostId: 1n, hostname: 'h', cpus: 1, memoryBytes: 1n };
      this.post(`${nodeId}>g`, { type: 'LsNodeUp', node: { nodeId, ...rest } });
    }
    this.settle();
    const puid = 2n ** 32n;
    const pid = ++this.#lastPid;
    this.processes.set(puid, {
      puid,
      nodeId: 0,
      pid,
      started: true,
      attached: true,
      stubborn: false,
    });
    this.#local(0, { kind: 'adopt', puid, pid });
    this.feedGlobal({ kind: 'head', pid, nodeId: 0, label: 'head' });
    this.#local(0, { kind: 'actor', actorId: actorOf(puid), pid });
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Puts a message on a link: `g>0` global to node 0, `0>g` back, `p7>g`, `p7>0`. */
  post(link: string, message: Message): void {
    let found = this.#links.get(link);
    if (found === undefined) {
      found = { queue: [], deliver: this.#receiver(link.slice(link.indexOf('>') + 1)) };
      this.#links.set(link, found);
    }
    found.queue.push(new Uint8Array(Buffer.concat(encodeMessage(message))));
  }

  feedGlobal(event: GlobalEvent): void {
    for (const effect of stepGlobal(this.global, event)) this.#globalEffect(effect);
  }

  /** One delivery, one happening or one timer; false when nothing is left to happen. */
  advance(): boolean {
    const links = [...this.#links.values()].filter(({ queue }) => queue.length > 0);
    const choices = links.length + this.#soon.length;
    if (choices > 0) {
      const choice = this.random.below(choices);
      const link = links[choice];
      if (link !== undefined) deliverNext(link);
      else this.#soon.splice(choice - links.length, 1)[0]?.();
      return true;
    }
    const next = [...this.#timers].sort(([, a], [, b]) => a.atMs - b.atMs)[0];
    if (next === undefined) return false;
    const [key, timer] = next;
    this.#timers.delete(key);
    this.nowMs = Math.max(this.nowMs, timer.atMs);
    timer.strike();
    return true;
  }

  /** Lets everything under way arrive, without moving the time. */
  settle(): void {
    const busy = (): boolean =>
      this.#soon.length > 0 || [...this.#links.values()].some(({ queue }) => queue.length > 0);
    while (busy()) this.advance();
  }

  after(delayMs: number, strike: () => void): void {
    this.#timers.set(`w${this.#timers.size}:${this.random.next()}`, {
      atMs: this.nowMs + delayMs,
      strike,
    });
  }

  /** A process ends: what it sent arrives first, then its two ends in either order. */
  end(process: VirtualProcess, status: { code?: number; signal?: number }): void {
    if (this.processes.get(process.puid) !== process) return;
    this.processes.delete(process.puid);
    this.onEnd(process);
    const { nodeId, pid, puid } = process;
    const actorDead = (): void => {
      // An actor's beginning and end are seen in this order.
      if (!process.attached) this.#soon.push(actorDead);
      else this.#local(nodeId, { kind: 'actor-dead', actorId: actorOf(puid), pid });
    };
    const exit = (): void => {
      const link = this.#links.get(`p${puid}>${nodeId}`);
      while (link !== undefined && link.queue.length > 0) deliverNext(link);
      this.#local(nodeId, { kind: 'exit', pid, status });
    };
    this.#soon.push(actorDead, exit);
  }

  #receiver(to: string): Deliver {
    if (to !== 'g') {
      return (message) => this.#local(Number(to), { kind: 'message', message, nowMs: this.nowMs });
    }
    return (message) => this.feedGlobal({ kind: 'message', message, nowMs: this.nowMs });
  }

  #local(nodeId: number, event: Parameters<typeof stepLocal>[1]): void {
    const state = this.locals[nodeId];
    if (state === undefined) throw new Error(`no node ${nodeId}`);
    for (const effect of stepLocal(state, event)) this.#localEffect(nodeId, effect);
  }

  #globalEffect(effect: GlobalEffect) {
    switch (effect.kind) {
      case 'reply':
        return this.onReply(effect.message, effect.to.actor);
      case 'send':
        return this.post(`g>${effect.nodeId}`, effect.message);
      case 'timer': {
        const strike = (): void => this.feedGlobal({ kind: 'timer', id: effect.id });
        this.#timers.set(`g${effect.id}`, { atMs: effect.atMs, strike });
        break;
      }
      case 'clear-timer':
        this.#timers.delete(`g${effect.id}`);
        break;
      case 'halted':
        this.halts += 1;
        break;
      default:
        break;
    }
  }

  #localEffect(nodeId: number, effect: LocalEffect) {
    switch (effect.kind) {
      case 'send':
        return this.post(`${nodeId}>g`, effect.message);
      case 'spawn':
        return this.#spawn(nodeId, effect.puid, effect.exe === undefined);
      case 'signal':
        return this.#signal(effect.pid, effect.signal);
      case 'timer': {
        const { id, atMs } = effect;
        const strike = (): void => this.#local(nodeId, { kind: 'timer', id, nowMs: this.nowMs });
        this.#timers.set(`${nodeId}.${id}`, { atMs, strike });
        break;
      }
      case 'clear-timer':
        this.#timers.delete(`${nodeId}.${effect.id}`);
        break;
      default:
        break;
    }
  }

  #spawn(nodeId: number, puid: bigint, scripted: boolean): void {
    if (this.random.chance(0.05)) {
      const failed = { kind: 'spawn-failed', puid, status: 19, info: 'no memory' } as const;
      this.#soon.push(() => this.#local(nodeId, failed));
      return;
    }
    const pid = ++this.#lastPid;
    const stubborn = this.random.chance(0.2);
    const process: VirtualProcess = {
      puid,
      nodeId,
      pid,
      started: !scripted,
      attached: false,
      stubborn,
    };
    this.processes.set(puid, process);
    this.#soon.push(
      () => this.#local(nodeId, { kind: 'spawned', puid, pid }),
      () => {
        process.attached = true;
        this.#local(nodeId, { kind: 'actor', actorId: actorOf(puid), pid });
      },
    );
    if (scripted) this.after(this.random.below(20), () => this.#load(process));
  }

  /** What a new process does with its target. */
  #load(process: VirtualProcess): void {
    if (this.processes.get(process.puid) !== process) return;
    const { puid, nodeId } = process;
    const error = Uint8Array.of(1, 2, 3);
    const link = `p${puid}>${nodeId}`;
    const fate = this.random.next();
    if (fate < 0.8) {
      process.started = true;
      this.post(link, { type: 'ProcessStarted', puid });
    } else if (fate < 0.9) {
      this.post(link, { type: 'ProcessStartFailed', puid, error });
      if (!process.stubborn) this.end(process, { code: 1 });
    } else if (fate < 0.97) {
      this.end(process, this.random.chance(0.5) ? { code: 3 } : { signal: 11 });
    }
    // Else it hangs until somebody ends it.
  }

  #signal(pid: number, signal: number): void {
    const process = [...this.processes.values()].find((one) => one.pid === pid);
    if (process === undefined) return;
    if (signal === SIGKILL || (signal === SIGTERM && !process.stubborn)) {
      this.#soon.push(() => this.end(process, { signal }));
    }
  }
}

function deliverNext(link: { queue: Uint8Array[]; deliver: Deliver }): void {
  const frame = link.queue.shift();
  if (frame !== undefined) link.deliver(decodeMessage(frame));
}

/** The one actor of a virtual process. */
export function actorOf(puid: bigint): number {
  return Number(puid - 2n ** 32n) + 1;
}
