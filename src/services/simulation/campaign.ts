/**
 * One seeded run on several nodes from launch to exit code, with faults in the middle of it,
 * and what must hold of it. Used by tests only.
 */
import { HEAD_PUID } from '../global/state.ts';
import { Clients } from './clients.ts';
import { Cluster } from './cluster.ts';
import { Random } from './random.ts';

/** How long after the last fault everything that can settle has settled. */
export const SETTLE_MS = 30_000;
/** How long a run may take from when it is to end. */
const END_MS = 120_000;
const FAULTS_MIN = 5;
const HEAD_CODE = 7;

export interface Verdict {
  readonly nodes: number;
  readonly faults: readonly string[];
  /** What does not hold; nothing if all is well. */
  readonly broken: readonly string[];
  readonly answered: number;
  readonly exitCode: number | undefined;
  /** What was said and when the run was over, to compare replays. */
  readonly trace: string;
}

/** Few nodes as a rule, since faults matter more than numbers; now and then many. */
function nodesOf(random: Random): number {
  if (random.chance(0.9)) return 4 + random.below(20);
  return random.chance(0.8) ? 24 + random.below(60) : 84 + random.below(173);
}

class Campaign {
  readonly cluster: Cluster;
  readonly clients: Clients;
  readonly faults: string[] = [];
  readonly broken: string[] = [];
  #headCode: number | undefined;
  #healedMs = 0;

  constructor(seed: number, nodes: number, fanOut: number, taken: (row: string) => void) {
    this.cluster = new Cluster(seed, { nodes, fanOut, taken });
    this.clients = new Clients(this.cluster);
  }

  play(): void {
    const { cluster, clients } = this;
    const { random } = cluster;
    const isEarly = random.chance(0.35);
    this.#plan(isEarly);
    for (let i = 0; i < 60; ++i) {
      cluster.clock.after(200 + random.below(6000), () => clients.act());
    }
    cluster.run(6500);
    cluster.run(this.#healedMs + SETTLE_MS);
    if (cluster.front.phase === 'running' && cluster.isFrontAlive) this.#checkSettled();
    this.#end();
    cluster.run(cluster.clock.nowMs + END_MS);
    this.#checkEnd();
  }

  /** At least five faults: when, where and for how long. */
  #plan(isEarly: boolean) {
    const { cluster } = this;
    const { random, clock } = cluster;
    const count = FAULTS_MIN + random.below(4);
    const isCalm = isEarly && random.chance(0.3);
    // What is to be waited for in vain is not to be forestalled by something else.
    const calmMs = isCalm ? 40_000 : 0;
    if (isCalm) this.#planSilence();
    for (let i = 0; i < count; ++i) {
      const atMs = calmMs + (isEarly ? random.below(600) : 700 + random.below(5000));
      clock.after(atMs, () => this.#fault(isEarly));
      this.#healedMs = Math.max(this.#healedMs, atMs);
    }
    if (isEarly && random.chance(0.15)) {
      clock.after(random.below(200), () => cluster.feedFront({ kind: 'end', exitCode: 130 }));
    }
    if (isEarly && random.chance(0.2)) cluster.failing.add(random.below(cluster.count));
  }

  /** Something of the bring-up never answers, or says that it can't. */
  #planSilence() {
    const { cluster } = this;
    const { random, clock } = cluster;
    const nodeId = random.below(cluster.count);
    const choice = random.below(4);
    if (choice === 0) cluster.never.add(nodeId);
    else if (choice === 1) cluster.hanging.add(nodeId);
    else if (choice === 2) cluster.failing.add(random.pick([-2, -3]));
    else {
      const stop = (): void => {
        const primary = cluster.nodes[0];
        if (primary === undefined) return;
        primary.isStopped = true;
        this.#lasting('stopped primary node', 50_000, () => primary.goOn());
      };
      clock.after(60 + random.below(60), stop);
    }
  }

  #lasting(name: string, forMs: number, undo: () => void) {
    const { clock } = this.cluster;
    this.faults.push(name);
    this.#healedMs = Math.max(this.#healedMs, clock.nowMs + forMs);
    clock.after(forMs, undo);
  }

  #fault(isEarly: boolean) {
    const { cluster } = this;
    const { random, network, count } = cluster;
    const nodeId = random.below(count);
    const node = cluster.nodes[nodeId];
    const choice = random.next();
    if (choice < 0.2) {
      network.twice = 0.3;
      this.#lasting('duplicates', 500 + random.below(2000), () => {
        network.twice = 0;
      });
    } else if (choice < 0.35) {
      network.delayMs = 400;
      this.#lasting('delay', 500 + random.below(2000), () => {
        network.delayMs = 3;
      });
    } else if (choice < 0.5) {
      network.slowMs.set(nodeId, 1000);
      this.#lasting('slow node', 500 + random.below(8000), () => network.slowMs.delete(nodeId));
    } else if (choice < 0.62) {
      const apart = cluster.nodes.map((one) => one.nodeId).filter(() => random.chance(0.2));
      network.part(apart.filter((id) => id > 0));
      this.#lasting('partition', 200 + random.below(9000), () => network.heal());
    } else if (choice < 0.72 && node !== undefined) {
      node.isStopped = true;
      this.#lasting('stopped node', 100 + random.below(8000), () => node.goOn());
    } else if (choice < 0.9 && (nodeId > 0 || random.chance(0.3))) {
      this.faults.push('lost node');
      node?.vanish(true);
    } else if (choice < 0.96 && (nodeId > 0 || random.chance(0.3))) {
      const service = nodeId === 0 ? 'global' : random.pick(['local', 'agent'] as const);
      this.faults.push('lost service');
      node?.feed({ kind: 'died', service, text: 'signal 11' });
    } else if (choice < 0.98) {
      this.faults.push('lost front end');
      if (random.chance(0.3)) cluster.loseFront();
      else if (isEarly) cluster.feedFront({ kind: 'end', exitCode: 130 });
    } else {
      this.faults.push('delay of one link');
      network.slowMs.set(nodeId, 50);
    }
  }

  #checkSettled() {
    const { clients, cluster } = this;
    for (const { request, sinceMs } of clients.overdue()) {
      this.broken.push(`${request.type} of ${request.puid} is open since ${sinceMs}`);
    }
    const { global, nodes } = cluster;
    for (const record of global.processes.values()) {
      const isThere = nodes[record.nodeId]?.processes.has(record.puid) === true;
      if (record.state === 'active' && !isThere) {
        this.broken.push(`process ${record.puid} of node ${record.nodeId} counts as active`);
      }
    }
    for (const node of nodes) {
      if (node.isAlive !== global.nodes.has(node.nodeId)) {
        const is = node.isAlive ? 'lives and counts as down' : 'is gone and counts as up';
        this.broken.push(`node ${node.nodeId} ${is}`);
      }
    }
  }

  /** The head ends, or somebody wants the end; some want it twice. */
  #end() {
    const { cluster } = this;
    const { random, clock } = cluster;
    if (cluster.isOver) return;
    const head = cluster.nodes[0]?.processes.get(HEAD_PUID);
    const isRunning = cluster.front.phase === 'running';
    if (head !== undefined && isRunning && random.chance(0.7)) {
      this.#headCode = HEAD_CODE;
      cluster.nodes[0]?.end(head, { code: HEAD_CODE });
    } else {
      cluster.feedFront({ kind: 'end', exitCode: 130 });
    }
    // The front end is to have heard of the head's end before anything else goes wrong.
    const laterMs = (this.#headCode === undefined ? 0 : 1500) + random.below(3000);
    if (random.chance(0.2)) clock.after(laterMs, () => this.#fault(false));
    if (random.chance(0.2)) {
      clock.after(laterMs, () => cluster.feedFront({ kind: 'end', exitCode: 130 }));
    }
  }

  #checkEnd() {
    const { cluster, clients, broken } = this;
    broken.push(...clients.faults);
    if (!cluster.isOver) broken.push(`the run does not end: it is ${cluster.front.phase}`);
    if (cluster.exits.length > 1) broken.push('the run has ended twice');
    for (const node of cluster.nodes) {
      if (node.isAlive) broken.push(`node ${node.nodeId} is left, ${node.machine.phase}`);
      if (node.processes.size > 0) broken.push(`processes are left on node ${node.nodeId}`);
    }
    for (const { request } of clients.open.values()) {
      broken.push(`${request.type} of ${request.puid} was never answered`);
    }
    const ends = cluster.said.flatMap(
      (line) => /node (\d+)(?: is lost| ended)/.exec(line)?.[1] ?? [],
    );
    if (new Set(ends).size < ends.length) broken.push(`said twice: ${cluster.said.join('; ')}`);
    const [exitCode] = cluster.exits;
    if (this.#headCode !== undefined && cluster.isFrontAlive && exitCode !== this.#headCode) {
      broken.push(`the head's exit code became ${exitCode}`);
    }
    if (exitCode === 0) broken.push('exit code 0, and nobody ended so');
  }

  verdict(): Verdict {
    const { cluster, faults, broken, clients } = this;
    const { said, exits, clock, network } = cluster;
    const trace = [...said, exits.join(), clock.nowMs, network.sent, clients.answered].join('\n');
    const [exitCode] = exits;
    return { nodes: cluster.count, faults, broken, answered: clients.answered, exitCode, trace };
  }
}

export function playSeed(
  seed: number,
  options: { nodes?: number; taken?: (row: string) => void } = {},
): Verdict {
  const chooser = new Random(seed ^ 0x5eed);
  const nodes = options.nodes ?? nodesOf(chooser);
  const fanOut = chooser.chance(0.5) ? 32 : 2 + chooser.below(3);
  const campaign = new Campaign(seed, nodes, fanOut, options.taken ?? (() => undefined));
  campaign.play();
  return campaign.verdict();
}
