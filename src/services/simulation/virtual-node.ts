/**
 * A node of a virtual run: the real state machines of its overlay, its bring-up and its local
 * services, and processes that exist only in virtual time. Used by tests only.
 */
import { type NodeEvent, type NodeState, nodeState, step as stepNode } from '../bring-up/node.ts';
import { type LocalEffect, type LocalState, localState, SIGKILL, SIGTERM } from '../local/state.ts';
import { step as stepLocal } from '../local/step.ts';
import { encodeMessage, type Message } from '../messages/index.ts';
import {
  type OverlayEffect,
  type OverlayEvent,
  type OverlayMessage,
  type OverlayState,
  overlayState,
  type PhaseOutcome,
} from '../overlay/state.ts';
import { step as stepOverlay } from '../overlay/step.ts';
import type { Clock } from './clock.ts';
import type { Random } from './random.ts';

export interface VirtualProcess {
  readonly puid: bigint;
  readonly nodeId: number;
  readonly pid: number;
  started: boolean;
  readonly stubborn: boolean;
}

/** What a node needs of the run that it is part of. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly count: number;
  readonly fanOut: number;
  sendOverlay(from: number, to: number, message: OverlayMessage): void;
  toGlobal(from: number, message: Message): void;
  toFront(from: number, message: Message): void;
  phaseOver(outcome: PhaseOutcome): void;
  nodeDown(nodeId: number): void;
  /** The primary's part of the end of processes. */
  endGlobal(patienceMs: number): void;
  ended(process: VirtualProcess): void;
  left(nodeId: number, isCrash: boolean): void;
  taken(row: string): void;
  /** How long a service takes to start or stop; undefined when it never does. */
  serviceMs(nodeId: number): number | undefined;
  failsToStart(nodeId: number): boolean;
}

type Fresh<E> = E extends { readonly nowMs: number } ? Omit<E, 'nowMs'> : E;

export function actorOf(puid: bigint): number {
  return Number(puid - 2n ** 32n) + 1;
}

export class VirtualNode {
  readonly nodeId: number;
  readonly overlay: OverlayState;
  readonly machine: NodeState;
  readonly local: LocalState;
  readonly processes = new Map<bigint, VirtualProcess>();
  isAlive = true;
  /** Stopped for a while: what arrives waits. */
  isStopped = false;
  readonly #waiting: (() => void)[] = [];
  readonly #run: Surroundings;
  readonly #timers = new Map<string, () => void>();
  #hasLocal = false;
  #lastPid: number;

  constructor(nodeId: number, run: Surroundings) {
    this.nodeId = nodeId;
    this.#run = run;
    this.overlay = overlayState(nodeId, { count: run.count, fanOut: run.fanOut });
    this.machine = nodeState(nodeId);
    this.local = localState(nodeId);
    this.#lastPid = nodeId * 100_000;
    this.feedOverlay({ kind: 'start' });
  }

  /** Does something now, or when the node goes on. */
  whenRunning(run: () => void): void {
    if (!this.isAlive) return;
    if (this.isStopped) this.#waiting.push(run);
    else run();
  }

  goOn(): void {
    this.isStopped = false;
    for (const run of this.#waiting.splice(0)) this.whenRunning(run);
  }

  feedOverlay(event: Fresh<OverlayEvent>): void {
    this.whenRunning(() => {
      const isLeaving = this.machine.phase === 'leaving';
      // Who leaves expects that the others do.
      if (isLeaving && event.kind === 'link-down') return;
      const whole = { ...event, nowMs: this.#run.clock.nowMs } as OverlayEvent;
      for (const effect of stepOverlay(this.overlay, whole)) this.#overlayEffect(effect);
    });
  }

  feed(event: NodeEvent): void {
    this.whenRunning(() => {
      const taken = (row: string): void => this.#run.taken(`node: ${row}`);
      for (const effect of stepNode(this.machine, event, taken)) this.#nodeEffect(effect);
    });
  }

  feedLocal(event: Fresh<Parameters<typeof stepLocal>[1]>): void {
    this.whenRunning(() => {
      if (!this.#hasLocal) return;
      const whole = { ...event, nowMs: this.#run.clock.nowMs } as Parameters<typeof stepLocal>[1];
      for (const effect of stepLocal(this.local, whole)) this.#localEffect(effect);
    });
  }

  /** The head, or any process that local services did not start. */
  adopt(puid: bigint): VirtualProcess {
    const process = { puid, nodeId: this.nodeId, pid: ++this.#lastPid, started: true };
    const whole: VirtualProcess = { ...process, stubborn: false };
    this.processes.set(puid, whole);
    this.feedLocal({ kind: 'adopt', puid, pid: whole.pid });
    return whole;
  }

  /** A process ends and local services see it. */
  end(process: VirtualProcess, status: { code?: number; signal?: number }): void {
    if (this.processes.get(process.puid) !== process) return;
    this.processes.delete(process.puid);
    this.#run.ended(process);
    this.#after(this.#run.random.below(5), () =>
      this.feedLocal({ kind: 'exit', pid: process.pid, status }),
    );
  }

  /** The node is no more, with everything on it. */
  vanish(isCrash: boolean): void {
    if (!this.isAlive) return;
    this.#endAll();
    this.isAlive = false;
    for (const cancel of this.#timers.values()) cancel();
    this.#run.left(this.nodeId, isCrash);
  }

  #endAll() {
    this.#hasLocal = false;
    for (const process of [...this.processes.values()]) {
      this.processes.delete(process.puid);
      this.#run.ended(process);
    }
  }

  #after(delayMs: number, happen: () => void): void {
    this.#run.clock.after(delayMs, () => this.whenRunning(happen));
  }

  #setTimer(key: string, delayMs: number, strike: () => void): void {
    this.#timers.get(key)?.();
    if (Number.isFinite(delayMs)) {
      this.#timers.set(
        key,
        this.#run.clock.after(delayMs, () => this.whenRunning(strike)),
      );
    }
  }

  #overlayEffect(effect: OverlayEffect) {
    const run = this.#run;
    switch (effect.kind) {
      case 'send':
        return run.sendOverlay(this.nodeId, effect.to, effect.message);
      case 'deliver': {
        const { phase, name, patienceMs, body } = effect.message;
        return this.feed({ kind: 'deliver', phase, name, patienceMs, body });
      }
      case 'gathered':
        return this.feed(effect);
      case 'done':
        return run.phaseOver(effect.outcome);
      case 'node-down':
        return run.nodeDown(effect.nodeId);
      case 'cut-off':
        return this.feed(effect);
      case 'timer': {
        const strike = (): void => this.feedOverlay({ kind: 'timer', id: effect.id });
        return this.#setTimer(effect.id, effect.atMs - run.clock.nowMs, strike);
      }
      case 'clear-timer':
        return this.#timers.get(effect.id)?.();
    }
  }

  #nodeEffect(effect: ReturnType<typeof stepNode>[number]) {
    const run = this.#run;
    switch (effect.kind) {
      case 'answer':
        return this.feedOverlay({ kind: 'answer', phase: effect.phase, part: effect.part });
      case 'start-local':
        return this.#service(() => {
          this.#hasLocal = true;
          this.feed({ kind: 'local-up', body: this.#description() });
        });
      case 'start-agent':
        return this.#service(() => this.feed({ kind: 'agent-up' }));
      case 'stop-agent':
        return this.#service(() => this.feed({ kind: 'agent-stopped' }));
      case 'end-processes': {
        const { patienceMs } = effect;
        if (this.nodeId === 0) run.endGlobal(patienceMs);
        return this.feedLocal({ kind: 'message', message: { type: 'LsTeardown', patienceMs } });
      }
      case 'kill':
        return this.#endAll();
      case 'trouble': {
        const { service, text } = effect;
        return run.toFront(this.nodeId, {
          type: 'NodeTrouble',
          nodeId: this.nodeId,
          service,
          text,
        });
      }
      case 'begin-leave': {
        const phase = 1_000_000;
        return this.feedOverlay({ kind: 'begin', phase, name: 'leave', patienceMs: 2000 });
      }
      case 'timer':
        return this.#setTimer('node', effect.afterMs, () => this.feed({ kind: 'timer' }));
      case 'exit':
        return this.vanish(false);
      default:
        return undefined;
    }
  }

  #service(isDone: () => void) {
    const delayMs = this.#run.serviceMs(this.nodeId);
    if (delayMs === undefined) return;
    const hasFailed = this.#run.failsToStart(this.nodeId);
    const failed = { kind: 'start-failed', err: 19, info: 'no memory' } as const;
    this.#after(delayMs, () => (hasFailed ? this.feed(failed) : isDone()));
  }

  #description(): Uint8Array {
    const { nodeId } = this;
    const node = { nodeId, hostId: 1n, hostname: `h${nodeId}`, cpus: 1, memoryBytes: 1n };
    return new Uint8Array(Buffer.concat(encodeMessage({ type: 'LsNodeUp', node })));
  }

  #localEffect(effect: LocalEffect) {
    switch (effect.kind) {
      case 'send':
        if (effect.message.type === 'LsHalted') this.feed({ kind: 'local-halted' });
        else this.#run.toGlobal(this.nodeId, effect.message);
        return;
      case 'spawn':
        return this.#spawn(effect.puid, effect.exe === undefined);
      case 'signal':
        return this.#signal(effect.pid, effect.signal);
      case 'timer': {
        const { id, atMs } = effect;
        const strike = (): void => this.feedLocal({ kind: 'timer', id });
        return this.#setTimer(`l${id}`, atMs - this.#run.clock.nowMs, strike);
      }
      case 'clear-timer':
        return this.#timers.get(`l${effect.id}`)?.();
      default:
        return undefined;
    }
  }

  #spawn(puid: bigint, scripted: boolean): void {
    const { random } = this.#run;
    if (random.chance(0.05)) {
      const failed = { kind: 'spawn-failed', puid, status: 19, info: 'no memory' } as const;
      return this.#after(1, () => this.feedLocal(failed));
    }
    const pid = ++this.#lastPid;
    const stubborn = random.chance(0.2);
    const process = { puid, nodeId: this.nodeId, pid, started: !scripted, stubborn };
    this.processes.set(puid, process);
    this.#after(random.below(3), () => this.feedLocal({ kind: 'spawned', puid, pid }));
    if (scripted) this.#after(random.below(20), () => this.#load(process));
  }

  /** What a new process does with its target. */
  #load(process: VirtualProcess): void {
    if (this.processes.get(process.puid) !== process) return;
    const { puid } = process;
    const fate = this.#run.random.next();
    if (fate < 0.85) {
      process.started = true;
      this.feedLocal({ kind: 'message', message: { type: 'ProcessStarted', puid } });
    } else if (fate < 0.95) {
      const error = Uint8Array.of(1);
      this.feedLocal({ kind: 'message', message: { type: 'ProcessStartFailed', puid, error } });
      if (!process.stubborn) this.end(process, { code: 1 });
    } else {
      this.end(process, { signal: 11 });
    }
  }

  #signal(pid: number, signal: number): void {
    const process = [...this.processes.values()].find((one) => one.pid === pid);
    if (process === undefined) return;
    if (signal === SIGKILL || (signal === SIGTERM && !process.stubborn)) {
      this.#after(1, () => this.end(process, { signal }));
    }
  }
}
