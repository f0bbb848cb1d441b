/**
 * The processes of a virtual run on several nodes as clients, and the book of their requests.
 * Used by tests only.
 *
 * A request is in the book from when it is asked until it is answered or its asker has ended;
 * an answer that is not expected is a fault of the services.
 */
import { creation } from '../global/desk.ts';
import { HEAD_PUID } from '../global/state.ts';
import type { Reply, Request } from '../messages/index.ts';
import type { Cluster } from './cluster.ts';
import { actorOf, type VirtualProcess } from './virtual-node.ts';

export interface OpenRequest {
  readonly puid: bigint;
  readonly request: Request;
  readonly sinceMs: number;
}

type Fields<R> = R extends Request ? Omit<R, 'tag' | 'puid' | 'actor' | 'replyTo'> : never;

const NAMES = ['a', 'b', 'c', 'd'];

export class Clients {
  readonly cluster: Cluster;
  readonly open = new Map<string, OpenRequest>();
  readonly living = new Map<bigint, VirtualProcess>();
  readonly faults: string[] = [];
  answered = 0;
  #tag = 0;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
    cluster.onReply = (reply, puid) => this.#onReply(reply, puid);
    cluster.onEnd = ({ puid }) => {
      this.living.delete(puid);
      for (const [key, { puid: asker }] of this.open) if (asker === puid) this.open.delete(key);
    };
  }

  /** Some process does something. */
  act(): void {
    const { cluster } = this;
    const { random } = cluster;
    const able = cluster.able();
    if (able.length === 0) return;
    const self = random.pick(able);
    this.living.set(self.puid, self);
    const choice = random.next();
    if (choice < 0.35) this.#create(self);
    else if (choice < 0.55) this.#join(self);
    else if (choice < 0.65) this.#kill(self);
    else if (choice < 0.85) this.#name(self);
    else if (choice < 0.9) this.#cancel(self);
    else if (choice < 0.94) this.ask(self, { type: 'GsNodeList' });
    else if (self.puid !== HEAD_PUID) this.#leave(self);
  }

  ask(self: VirtualProcess, body: Fields<Request>): void {
    const { puid } = self;
    const tag = ++this.#tag;
    const actor = actorOf(puid);
    const request = { ...body, tag, puid, actor, replyTo: Uint8Array.of(1) } as Request;
    this.open.set(`${puid}:${tag}`, { puid, request, sinceMs: this.cluster.clock.nowMs });
    this.cluster.ask(self, request);
  }

  /** Requests that should have been answered, given who is still alive. */
  overdue(): OpenRequest[] {
    const { global } = this.cluster;
    return [...this.open.values()].filter(({ request }) => {
      if (request.type === 'GsNameLookup' && request.wait) return request.timeoutMs !== undefined;
      if (request.type !== 'GsProcessJoin' || request.timeoutMs !== undefined) return true;
      const alive = this.cluster.nodes.flatMap(({ processes }) => [...processes.keys()]);
      const ended = request.targets.filter(
        (puid) => !alive.includes(puid) && global.processes.get(puid)?.state !== undefined,
      );
      return request.mode === 'all' ? ended.length === request.targets.length : ended.length > 0;
    });
  }

  #onReply(reply: Reply, puid: bigint): void {
    const key = `${puid}:${reply.ref}`;
    const open = this.open.get(key);
    this.open.delete(key);
    this.answered += 1;
    const isAlive = this.cluster.nodes.some(({ processes }) => processes.has(puid));
    // Only who has ended may be answered without having a request open.
    if (open === undefined && isAlive) this.faults.push(`${key} was answered twice: ${reply.type}`);
  }

  #create(self: VirtualProcess): void {
    const { random, count } = this.cluster;
    const name = random.chance(0.2) ? { name: random.pick(NAMES) } : {};
    const node = random.chance(0.5) ? { nodeId: random.below(count) } : {};
    const native = random.chance(0.1) ? { exe: '/bin/true', start: undefined } : {};
    this.ask(self, { ...creation({ daemon: random.chance(0.3), ...name, ...node }), ...native });
  }

  #someone(): bigint {
    const { random, global } = this.cluster;
    return random.chance(0.05) ? 5n : random.pick([...global.processes.keys(), HEAD_PUID]);
  }

  #join(self: VirtualProcess): void {
    const { random } = this.cluster;
    const targets = Array.from({ length: random.below(4) }, () => this.#someone());
    const timeoutMs = random.chance(0.5) ? random.below(300) : undefined;
    const mode = random.chance(0.5) ? 'all' : 'any';
    this.ask(self, { type: 'GsProcessJoin', targets, mode, timeoutMs });
  }

  #kill(self: VirtualProcess): void {
    const target = this.#someone();
    if (target === HEAD_PUID) return;
    const signal = this.cluster.random.pick([9, 15, 15, 10, 0, 99]);
    this.ask(self, { type: 'GsProcessKill', target, signal });
  }

  #name(self: VirtualProcess): void {
    const { random, count } = this.cluster;
    const name = random.pick(NAMES);
    const choice = random.next();
    if (choice < 0.3) {
      const nodeId = random.chance(0.5) ? random.below(count) : undefined;
      const descriptor = Uint8Array.of(7);
      const keep = false;
      this.ask(self, { type: 'GsNameRegister', name, kind: 'channel', descriptor, nodeId, keep });
    } else if (choice < 0.5) {
      this.ask(self, { type: 'GsNameRelease', name });
    } else {
      const wait = random.chance(0.5);
      const timeoutMs = wait && random.chance(0.7) ? random.below(300) : undefined;
      this.ask(self, { type: 'GsNameLookup', name, hold: random.chance(0.5), wait, timeoutMs });
    }
  }

  #cancel(self: VirtualProcess): void {
    const own = [...this.open.values()].filter(({ puid }) => puid === self.puid);
    if (own.length === 0) return;
    const { tag: cancelled } = this.cluster.random.pick(own).request;
    const { puid } = self;
    this.cluster.ask(self, { type: 'GsCancel', puid, actor: actorOf(puid), cancelled });
  }

  #leave(self: VirtualProcess): void {
    const { random, nodes } = this.cluster;
    const status = random.chance(0.5) ? { code: random.below(256) } : { signal: 9 };
    nodes[self.nodeId]?.end(self, status);
  }
}
