/** Bring-up and tear-down of runs on several nodes: each rule by a run of its own. */
import { describe, expect, it } from 'vitest';
import { HEAD_PUID } from '../global/state.ts';
import { Clients } from './clients.ts';
import { Cluster } from './cluster.ts';

function running(nodes: number, fanOut = 32, seed = nodes): { cluster: Cluster; clients: Clients } {
  const cluster = new Cluster(seed, { nodes, fanOut });
  const clients = new Clients(cluster);
  cluster.run(3000);
  expect(cluster.front.phase).toBe('running');
  return { cluster, clients };
}

function endHead(cluster: Cluster, status: { code?: number; signal?: number }): void {
  const head = cluster.nodes[0]?.processes.get(HEAD_PUID);
  if (head !== undefined) cluster.nodes[0]?.end(head, status);
}

function isEmpty({ nodes }: Cluster): boolean {
  return nodes.every(({ isAlive, processes }) => !isAlive && processes.size === 0);
}

describe('bring-up', () => {
  it('and tear-down take N-1 messages down and up a phase [BUP-001, BUP-002, BUP-020]', () => {
    for (const nodes of [1, 2, 256, 1024]) {
      const { cluster } = running(nodes);
      expect(cluster.global.nodes.size).toBe(nodes);
      endHead(cluster, { code: 0 });
      cluster.run(20_000);
      const names = ['connect', 'services', 'agents', 'processes', 'disconnect', 'leave'];
      expect(cluster.outcomes.map(({ name }) => name)).toEqual(names);
      for (const { phase, answered, missing, down } of cluster.outcomes) {
        expect([answered.length, missing, down]).toEqual([nodes, [], []]);
        expect(cluster.counts.get(`${phase} OverlayDown`) ?? 0).toBe(nodes - 1);
        expect(cluster.counts.get(`${phase} OverlayUp`) ?? 0).toBe(nodes - 1);
      }
      expect([cluster.exits, cluster.said, isEmpty(cluster)]).toEqual([[0], [], true]);
    }
  });

  it('names the nodes that it has waited for in vain [BUP-003]', () => {
    const attempt = (spoil: (cluster: Cluster) => void): string[] => {
      const cluster = new Cluster(5, { nodes: 20, fanOut: 3 });
      spoil(cluster);
      cluster.run(90_000);
      expect(cluster.exits).toEqual([1]);
      expect(isEmpty(cluster)).toBe(true);
      return cluster.said;
    };
    expect(attempt(({ never }) => [7, 12, 13].map((id) => never.add(id)))).toEqual([
      'nodes 7, 12-13 did not answer in 30 s (bring-up phase "launch")',
    ]);
    expect(attempt(({ hanging }) => [2, 18].map((id) => hanging.add(id)))).toEqual([
      'nodes 2, 18 did not answer in 30 s (bring-up phase "services")',
    ]);
    expect(attempt(({ failing }) => failing.add(9))).toEqual([
      'node 9 failed: no memory (bring-up phase "services")',
    ]);
    expect(attempt(({ failing }) => failing.add(-2))).toEqual([
      'the head could not be started: no reason was given',
    ]);
  });

  it('ends when it is told to, with the code that was asked for [BUP-004]', () => {
    for (const atMs of [0, 20, 60, 80, 100, 120, 140]) {
      const cluster = new Cluster(6, { nodes: 9, fanOut: 2 });
      cluster.clock.after(atMs, () => cluster.feedFront({ kind: 'end', exitCode: 130 }));
      cluster.run(30_000);
      expect([cluster.exits, cluster.said, isEmpty(cluster)]).toEqual([[130], [], true]);
    }
  });
});

describe('a run that is up', () => {
  it('goes on without a node that is lost, and says so once [BUP-010, BUP-011]', () => {
    const { cluster, clients } = running(10, 2);
    for (let i = 0; i < 40; ++i) {
      clients.act();
      cluster.run(cluster.clock.nowMs + 20);
    }
    cluster.nodes[1]?.vanish(true);
    cluster.nodes[7]?.feed({ kind: 'died', service: 'agent', text: 'signal 11' });
    cluster.run(cluster.clock.nowMs + 30_000);
    expect(cluster.said.sort()).toEqual([
      'node 1 is lost; its processes have ended',
      'the transport agent of node 7 ended: signal 11; the node leaves the run',
    ]);
    expect([...cluster.global.nodes.keys()].sort()).toEqual([0, 2, 3, 4, 5, 6, 8, 9]);
    expect(clients.overdue()).toEqual([]);
    expect(cluster.front.phase).toBe('running');
    endHead(cluster, { code: 4 });
    cluster.run(cluster.clock.nowMs + 30_000);
    expect([cluster.exits, cluster.said.length, isEmpty(cluster)]).toEqual([[4], 2, true]);
  });

  it('ends with 1 without global services or the primary node [BUP-012]', () => {
    const { cluster } = running(6);
    cluster.nodes[0]?.feed({ kind: 'died', service: 'global', text: 'exit code 3' });
    cluster.run(60_000);
    expect([cluster.exits, isEmpty(cluster)]).toEqual([[1], true]);
    expect(cluster.said).toEqual([
      'global services of node 0 ended: exit code 3; the node leaves the run',
    ]);
    const other = running(6).cluster;
    other.nodes[0]?.vanish(true);
    other.run(60_000);
    expect([other.exits, isEmpty(other)]).toEqual([[1], true]);
    expect(other.said).toEqual(['the primary node is lost; the run ends']);
  });

  it('leaves all nodes when the front end dies [BUP-013]', () => {
    const { cluster } = running(30, 3);
    cluster.loseFront();
    cluster.run(cluster.clock.nowMs + 10_000);
    expect(isEmpty(cluster)).toBe(true);
  });
});

describe('tear-down', () => {
  it('keeps how the head has ended, whatever fails then [BUP-021]', () => {
    for (const [status, code] of [
      [{ code: 9 }, 9],
      [{ signal: 11 }, 139],
    ] as const) {
      const { cluster } = running(8, 2);
      endHead(cluster, status);
      cluster.run(cluster.clock.nowMs + 15);
      cluster.nodes[0]?.vanish(true);
      cluster.run(60_000);
      expect([cluster.exits, isEmpty(cluster)]).toEqual([[code], true]);
    }
    const { cluster } = running(8, 2);
    cluster.feedFront({ kind: 'end', exitCode: 143 });
    cluster.run(60_000);
    expect([cluster.exits, cluster.said]).toEqual([[143], []]);
  });

  it('waits for nobody for ever, and leaves nothing [BUP-022]', () => {
    const { cluster } = running(12, 2);
    for (const id of [2, 9]) {
      const node = cluster.nodes[id];
      if (node !== undefined) node.isStopped = true;
    }
    const fromMs = cluster.clock.nowMs;
    endHead(cluster, { code: 5 });
    cluster.run(fromMs + 40_000);
    expect([cluster.exits, isEmpty(cluster)]).toEqual([[5], true]);
  });

  it('that is asked for a second time kills at once [BUP-023]', () => {
    const { cluster } = running(12, 2);
    const node = cluster.nodes[3];
    if (node !== undefined) node.isStopped = true;
    cluster.feedFront({ kind: 'end', exitCode: 130 });
    cluster.run(cluster.clock.nowMs + 500);
    expect(cluster.exits).toEqual([]);
    cluster.feedFront({ kind: 'end', exitCode: 130 });
    cluster.run(cluster.clock.nowMs + 200);
    expect([cluster.exits, isEmpty(cluster)]).toEqual([[130], true]);
  });
});
