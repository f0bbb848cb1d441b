/**
 * A run on several nodes in virtual time: the front end's table, a virtual node for each node,
 * global services on the primary, and a network between them. Used by tests only.
 *
 * Every choice comes from one seed. A part of the runs sends every message as bytes; the others
 * hand it over as it is, since thousands of runs are to take seconds.
 */
import {
  type FrontEffect,
  type FrontEvent,
  type FrontState,
  frontState,
  step as stepFront,
} from '../bring-up/front.ts';
import {
  type GlobalEffect,
  type GlobalEvent,
  type GlobalState,
  globalState,
  HEAD_PUID,
} from '../global/state.ts';
import { step as stepGlobal } from '../global/step.ts';
import { decodeMessage, encodeMessage, type Message, type Reply } from '../messages/index.ts';
import { membersOf, rangesOf } from '../overlay/ranges.ts';
import type { OverlayMessage, PhaseOutcome } from '../overlay/state.ts';
import { Clock } from './clock.ts';
import { FRONT, Network } from './network.ts';
import { Random } from './random.ts';
import { type Surroundings, VirtualNode, type VirtualProcess } from './virtual-node.ts';

export interface ClusterOptions {
  readonly nodes: number;
  readonly fanOut?: number;
  readonly taken?: (row: string) => void;
}

const LATE_MS = 10;
const DOUBLED: ReadonlySet<string> = new Set([
  ...['LsProcessCreated', 'LsReply', 'LsProcessExit', 'OverlayUp', 'OverlayDown', 'OverlayBeat'],
]);

export class Cluster {
  readonly clock = new Clock();
  readonly random: Random;
  readonly network: Network;
  readonly count: number;
  readonly front: FrontState;
  readonly nodes: VirtualNode[] = [];
  readonly global: GlobalState = globalState();
  readonly said: string[] = [];
  readonly exits: number[] = [];
  readonly outcomes: PhaseOutcome[] = [];
  /** Messages of the overlay by phase and direction. */
  readonly counts = new Map<string, number>();
  /** Back ends that never come up, that fail, and that never answer. */
  readonly never = new Set<number>();
  readonly failing = new Set<number>();
  readonly hanging = new Set<number>();
  isFrontAlive = true;
  halts = 0;
  onReply: (reply: Reply, puid: bigint) => void = () => undefined;
  onEnd: (process: VirtualProcess) => void = () => undefined;
  readonly #surroundings: Surroundings;
  readonly #options: ClusterOptions;
  readonly #asBytes: boolean;
  readonly #timers = new Map<string, () => void>();
  #hasGlobal = false;

  constructor(seed: number, options: ClusterOptions) {
    this.random = new Random(seed);
    this.network = new Network(this.clock, this.random);
    this.count = options.nodes;
    this.front = frontState(options.nodes);
    this.#options = options;
    this.#asBytes = this.random.chance(0.1);
    this.#surroundings = this.#makeSurroundings();
    this.clock.after(0, () => this.feedFront({ kind: 'begin' }));
  }

  get isOver(): boolean {
    return this.exits.length > 0 || !this.isFrontAlive;
  }

  /** Processes that can ask for something. */
  able(): VirtualProcess[] {
    if (!this.#hasGlobal) return [];
    return this.nodes.flatMap(({ isAlive, isStopped, processes }) =>
      isAlive && !isStopped ? [...processes.values()].filter(({ started }) => started) : [],
    );
  }

  /** A process sends global services a message. */
  ask(process: VirtualProcess, message: Message): void {
    this.#surroundings.toGlobal(process.nodeId, message);
  }

  run(untilMs: number): void {
    while (this.clock.advance(untilMs));
    if (Number.isFinite(untilMs)) this.clock.nowMs = Math.max(this.clock.nowMs, untilMs);
  }

  feedFront(event: FrontEvent): void {
    if (!this.isFrontAlive) return;
    const taken = (row: string): void => this.#options.taken?.(`front: ${row}`);
    for (const effect of stepFront(this.front, event, taken)) this.#frontEffect(effect);
  }

  feedGlobal(event: GlobalEvent): void {
    const primary = this.nodes[0];
    primary?.whenRunning(() => {
      if (!this.#hasGlobal) return;
      for (const effect of stepGlobal(this.global, event)) this.#globalEffect(effect);
    });
  }

  /** The front end dies: the primary node sees it. */
  loseFront(): void {
    this.isFrontAlive = false;
    for (const cancel of this.#timers.values()) cancel();
    // Back ends that never came up end with the warden that watched the launcher.
    for (const nodeId of this.never) this.nodes[nodeId]?.vanish(true);
    this.clock.after(this.random.below(LATE_MS), () => this.nodes[0]?.feed({ kind: 'front-gone' }));
  }

  /** A message as the other side gets it. */
  #carried<M extends Message>(message: M): M {
    if (!this.#asBytes) return message;
    return decodeMessage(new Uint8Array(Buffer.concat(encodeMessage(message)))) as M;
  }

  #makeSurroundings(): Surroundings {
    const { clock, random, network } = this;
    return {
      clock,
      random,
      count: this.count,
      fanOut: this.#options.fanOut ?? 32,
      sendOverlay: (from, to, message) => this.#sendOverlay(from, to, message),
      toGlobal: (from, message) => {
        const carried = this.#carried(message);
        const arrive = (): void =>
          this.feedGlobal({ kind: 'message', message: carried, nowMs: clock.nowMs });
        network.send(from, 0, arrive, DOUBLED.has(message.type));
      },
      toFront: (from, message) => this.#toFront(from, message),
      phaseOver: (outcome) => this.#phaseOver(outcome),
      nodeDown: (nodeId) => {
        this.feedGlobal({ kind: 'node-down', nodeId });
        this.#toFront(0, { type: 'NodeLost', nodeId });
      },
      endGlobal: (patienceMs) => this.feedGlobal({ kind: 'teardown', patienceMs, told: true }),
      ended: (process) => this.onEnd(process),
      left: (nodeId, isCrash) => this.#left(nodeId, isCrash),
      taken: (row) => this.#options.taken?.(row),
      serviceMs: (nodeId) => (this.hanging.has(nodeId) ? undefined : 1 + random.below(20)),
      failsToStart: (nodeId) => this.failing.has(nodeId),
    };
  }

  #sendOverlay(from: number, to: number, message: OverlayMessage) {
    if (message.type === 'OverlayDown' || message.type === 'OverlayUp') {
      const key = `${message.phase} ${message.type}`;
      this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    }
    const carried = this.#carried(message);
    const arrive = (): void =>
      this.nodes[to]?.feedOverlay({ kind: 'message', from, message: carried });
    this.network.send(from, to, arrive, DOUBLED.has(message.type));
  }

  #toFront(from: number, message: Message) {
    const carried = this.#carried(message);
    // From another node over the primary.
    const pass = (): void => this.network.send(0, FRONT, () => this.#atFront(carried));
    if (from === 0) pass();
    else this.network.send(from, 0, () => this.nodes[0]?.whenRunning(pass));
  }

  #atFront(message: Message) {
    switch (message.type) {
      case 'FrontOutcome': {
        const { phase, parts } = message;
        const [down, missing] = [message.down, message.missing].map((ranges) =>
          membersOf(ranges, this.count),
        ) as [number[], number[]];
        return this.feedFront({ kind: 'outcome', outcome: { phase, down, missing, parts } });
      }
      case 'FrontAnswer': {
        const { what, err, info } = message;
        return this.feedFront({ kind: 'answer', what, err, info });
      }
      case 'NodeTrouble': {
        const { nodeId, service, text } = message;
        return this.feedFront({ kind: 'trouble', nodeId, service, text });
      }
      case 'NodeLost':
        return this.feedFront({ kind: 'node-lost', nodeId: message.nodeId });
      case 'HeadEnded': {
        const { exitCode, signal } = message;
        const code = signal === undefined ? (exitCode ?? 0) : 128 + signal;
        return this.feedFront({ kind: 'head-exit', code });
      }
      default:
        throw new Error(`${message.type} is not for the front end`);
    }
  }

  #phaseOver(outcome: PhaseOutcome) {
    this.outcomes.push(outcome);
    const { phase, name, answered, down, missing, parts } = outcome;
    if (name === 'processes') {
      for (const nodeId of answered) {
        const message = { type: 'LsHalted', nodeId } as const;
        this.feedGlobal({ kind: 'message', message, nowMs: this.clock.nowMs });
      }
      for (const nodeId of missing) this.feedGlobal({ kind: 'node-down', nodeId });
    }
    this.#toFront(0, {
      type: 'FrontOutcome',
      phase,
      parts,
      answered: rangesOf(answered),
      down: rangesOf(down),
      missing: rangesOf(missing),
    });
  }

  #left(nodeId: number, isCrash: boolean) {
    const { clock, random, network } = this;
    if (isCrash) network.crash(nodeId);
    else network.leave(nodeId);
    if (nodeId === 0) this.#hasGlobal = false;
    // Neighbours that have a connection see it break, most of the time.
    const near = [
      0,
      this.nodes[nodeId]?.overlay.parent,
      ...(this.nodes[nodeId]?.overlay.children ?? []),
    ];
    for (const other of new Set(near)) {
      if (other === undefined || other === nodeId || (isCrash && random.chance(0.3))) continue;
      clock.after(LATE_MS + random.below(LATE_MS), () =>
        this.nodes[other]?.feedOverlay({ kind: 'link-down', nodeId }),
      );
    }
    const how = isCrash ? 'signal 9' : 'exit code';
    clock.after(LATE_MS + random.below(50), () => {
      if (nodeId === 0) this.feedFront({ kind: 'primary-lost' });
      this.feedFront({ kind: 'back-end-exit', nodeId, how });
    });
  }

  #frontEffect(effect: FrontEffect) {
    switch (effect.kind) {
      case 'launch':
        return this.#launch();
      case 'tell-primary': {
        const message = this.#carried(effect.message);
        this.network.send(FRONT, 0, () =>
          this.nodes[0]?.whenRunning(() => this.#atPrimary(message)),
        );
        return;
      }
      case 'kill':
        for (const node of this.nodes) node?.vanish(true);
        return;
      case 'say':
        this.said.push(effect.text);
        return;
      case 'timer':
        this.#timers.get('front')?.();
        if (!Number.isFinite(effect.afterMs)) return;
        this.#timers.set(
          'front',
          this.clock.after(effect.afterMs, () => this.feedFront({ kind: 'timer' })),
        );
        return;
      case 'exit':
        this.exits.push(effect.code);
        for (const cancel of this.#timers.values()) cancel();
        return;
    }
  }

  #launch() {
    for (let nodeId = 0; nodeId < this.count; ++nodeId) {
      const node = new VirtualNode(nodeId, this.#surroundings);
      this.nodes.push(node);
      if (this.never.has(nodeId)) {
        node.isStopped = true;
        continue;
      }
      const up = { kind: 'back-end-up', nodeId, address: `10.0.0.1:${nodeId}` } as const;
      this.clock.after(this.random.below(50), () => {
        if (node.isAlive) this.feedFront(up);
      });
    }
  }

  #atPrimary(message: Extract<FrontEffect, { kind: 'tell-primary' }>['message']) {
    if (message.type === 'FrontBegin') {
      const { phase, name, patienceMs, body } = message;
      this.nodes[0]?.feedOverlay({ kind: 'begin', phase, name, patienceMs, body });
      return;
    }
    const { what } = message;
    const delayMs = this.hanging.has(0) ? undefined : 1 + this.random.below(20);
    if (delayMs === undefined) return;
    const isFailure = this.failing.has(0) || this.failing.has(what === 'head' ? -2 : -3);
    const err = isFailure ? 19 : 0;
    this.clock.after(delayMs, () =>
      this.nodes[0]?.whenRunning(() => {
        if (err === 0) this.#start(what);
        this.#toFront(0, { type: 'FrontAnswer', what, err });
      }),
    );
  }

  #start(what: 'global' | 'head') {
    if (what === 'head') {
      const { pid } = this.nodes[0]?.adopt(HEAD_PUID) ?? { pid: 0 };
      return this.feedGlobal({ kind: 'head', pid, nodeId: 0, label: 'head' });
    }
    this.#hasGlobal = true;
    const services = this.outcomes.findLast(({ name }) => name === 'services');
    for (const { body } of services?.parts ?? []) {
      if (body === undefined) continue;
      this.feedGlobal({ kind: 'message', message: decodeMessage(body), nowMs: this.clock.nowMs });
    }
    for (const nodeId of this.nodes[0]?.overlay.dead ?? []) {
      this.feedGlobal({ kind: 'node-down', nodeId });
    }
  }

  #globalEffect(effect: GlobalEffect) {
    switch (effect.kind) {
      case 'reply': {
        const puid = HEAD_PUID + BigInt(effect.to.actor) - 1n;
        const nodeId = this.global.processes.get(puid)?.nodeId ?? 0;
        this.network.send(0, nodeId, () => this.onReply(effect.message, puid));
        return;
      }
      case 'send': {
        const message = this.#carried(effect.message);
        this.network.send(0, effect.nodeId, () =>
          this.nodes[effect.nodeId]?.feedLocal({ kind: 'message', message }),
        );
        return;
      }
      case 'timer': {
        const strike = (): void => this.feedGlobal({ kind: 'timer', id: effect.id });
        const delayMs = effect.atMs - this.clock.nowMs;
        this.#timers.set(`g${effect.id}`, this.clock.after(delayMs, strike));
        return;
      }
      case 'clear-timer':
        this.#timers.get(`g${effect.id}`)?.();
        this.#timers.delete(`g${effect.id}`);
        return;
      case 'head-exit': {
        const { exitCode, signal } = effect.exit;
        return this.#toFront(0, { type: 'HeadEnded', exitCode, signal });
      }
      case 'halted':
        this.halts += 1;
        return;
      default:
        return;
    }
  }
}
