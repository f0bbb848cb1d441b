/** Global services over several nodes: places of processes, and what goes with a lost node. */
import { describe, expect, it } from 'vitest';
import { Status } from '../../runtime/errors/codes.ts';
import { creation, Desk } from './desk.ts';
import { HEAD_PUID } from './state.ts';

function register(desk: Desk, puid: bigint, name: string, nodeId?: number): number {
  const descriptor = Uint8Array.of(9);
  return desk.ask(puid, {
    type: 'GsNameRegister',
    name,
    kind: 'channel',
    descriptor,
    nodeId,
    keep: false,
  });
}

function lookup(desk: Desk, puid: bigint, name: string): number {
  return desk.ask(puid, { type: 'GsNameLookup', name, hold: true, wait: false });
}

describe('a process', () => {
  it('that names no node goes to the next one that is up [SVC-037]', () => {
    const desk = new Desk({ nodes: 4 });
    for (let n = 0; n < 5; ++n) desk.started(HEAD_PUID);
    expect(desk.sentTo).toEqual([0, 1, 2, 3, 0]);
    desk.started(HEAD_PUID, { nodeId: 3 });
    desk.feed({ kind: 'node-down', nodeId: 1 });
    for (let n = 0; n < 3; ++n) desk.started(HEAD_PUID);
    expect(desk.sentTo.slice(5)).toEqual([3, 2, 3, 0]);
    const tag = desk.ask(HEAD_PUID, { type: 'GsProcessList', ended: true });
    const { processes } = desk.answer(tag, 'GsProcessListReply');
    expect(processes.map(({ nodeId }) => nodeId)).toEqual([0, 0, 1, 2, 3, 0, 3, 2, 3, 0]);
  });
});

describe('a name', () => {
  it('knows the node of its object [SVC-045]', () => {
    const desk = new Desk({ nodes: 3 });
    const a = desk.started(HEAD_PUID, { nodeId: 2 });
    register(desk, a, 'mine');
    register(desk, a, 'placed', 1);
    expect(desk.answer(lookup(desk, HEAD_PUID, 'mine'), 'GsNameReply').nodeId).toBe(2);
    const tag = desk.ask(HEAD_PUID, { type: 'GsNameList' });
    const { names } = desk.answer(tag, 'GsNameListReply');
    expect(names.map(({ name, nodeId }) => [name, nodeId])).toEqual([
      ['mine', 2],
      ['placed', 1],
    ]);
    expect(desk.answer(register(desk, a, 'lost', 3), 'GsReply').err).toBe(Status.NOT_FOUND);
  });
});

describe('a node that is down', () => {
  it('takes its processes with it, and whoever asks about them is told [SVC-051]', () => {
    const desk = new Desk({ nodes: 3 });
    const gone = desk.started(HEAD_PUID, { nodeId: 1 });
    const stays = desk.started(HEAD_PUID, { nodeId: 2 });
    const targets = [gone, stays];
    const all = desk.ask(HEAD_PUID, { type: 'GsProcessJoin', targets, mode: 'all' });
    const any = desk.ask(HEAD_PUID, { type: 'GsProcessJoin', targets, mode: 'any' });
    const own = desk.ask(gone, { type: 'GsProcessJoin', targets: [stays], mode: 'all' });
    const create = desk.ask(HEAD_PUID, creation({ nodeId: 1, name: 'half' }));
    const kill = desk.ask(HEAD_PUID, { type: 'GsProcessKill', target: gone, signal: 10 });
    desk.feed({ kind: 'node-down', nodeId: 1 });
    expect(desk.answer(create, 'GsReply')).toMatchObject({
      err: Status.NODE_GONE,
      info: 'node 1 has left the run',
    });
    expect(desk.answer(kill, 'GsReply').err).toBe(Status.NODE_GONE);
    expect(desk.answer(any, 'GsProcessJoinReply')).toMatchObject({
      err: 0,
      exits: [
        { puid: gone, alive: false, signal: 9, err: Status.NODE_GONE },
        { puid: stays, alive: true },
      ],
    });
    expect(desk.answers(all)).toEqual([]);
    expect(desk.answers(own)).toEqual([]);
    desk.exit(stays, 3);
    const { exits } = desk.answer(all, 'GsProcessJoinReply');
    expect(exits.map(({ signal, exitCode }) => signal ?? exitCode)).toEqual([9, 3]);
    const query = desk.ask(HEAD_PUID, { type: 'GsProcessQuery', target: gone });
    expect(desk.answer(query, 'GsProcessQueryReply').process?.err).toBe(Status.NODE_GONE);
    const named = desk.ask(HEAD_PUID, { type: 'GsProcessQuery', name: 'half' });
    expect(desk.answer(named, 'GsReply').err).toBe(Status.NOT_FOUND);
  });

  it('frees the names of its objects, and gives back what its processes held [SVC-051]', () => {
    const desk = new Desk({ nodes: 3 });
    const gone = desk.started(HEAD_PUID, { nodeId: 1 });
    register(desk, gone, 'there');
    register(desk, gone, 'elsewhere', 2);
    register(desk, HEAD_PUID, 'shared', 0);
    for (const name of ['there', 'elsewhere']) lookup(desk, HEAD_PUID, name);
    lookup(desk, gone, 'shared');
    desk.feed({ kind: 'node-down', nodeId: 1 });
    const tag = desk.ask(HEAD_PUID, { type: 'GsNameList' });
    expect(desk.answer(tag, 'GsNameListReply').names).toMatchObject([
      { name: 'elsewhere', holders: 1 },
      { name: 'shared', holders: 1 },
    ]);
    expect(desk.answer(register(desk, HEAD_PUID, 'there'), 'GsReply').err).toBe(0);
  });

  it('stays down, whatever arrives from it [SVC-052]', () => {
    const desk = new Desk({ nodes: 2 });
    const gone = desk.started(HEAD_PUID, { nodeId: 1 });
    desk.ask(HEAD_PUID, creation({ nodeId: 1 }));
    const { tag: ref } = desk.last('LsProcessCreate');
    desk.feed({ kind: 'node-down', nodeId: 1 });
    desk.feed({ kind: 'node-down', nodeId: 1 });
    const answers = desk.replies.length;
    desk.tell({ type: 'LsProcessCreated', ref, err: 0, pid: 7 });
    desk.exit(gone, 0);
    const node = { nodeId: 1, hostId: 1n, hostname: 'n1', cpus: 1, memoryBytes: 1n };
    desk.tell({ type: 'LsNodeUp', node });
    desk.tell({ type: 'LsHalted', nodeId: 1 });
    register(desk, gone, 'late');
    expect(desk.replies).toHaveLength(answers);
    const list = desk.ask(HEAD_PUID, { type: 'GsNodeList' });
    expect(desk.answer(list, 'GsNodeListReply').nodes.map(({ nodeId }) => nodeId)).toEqual([0]);
    const refused = desk.ask(HEAD_PUID, creation({ nodeId: 1 }));
    expect(desk.answer(refused, 'GsReply').err).toBe(Status.NODE_GONE);
    expect(desk.logs.filter((line) => line.includes('node 1 has left'))).toHaveLength(1);
  });

  it('is not waited for at the end, and local services may be told by others [SVC-062]', () => {
    const desk = new Desk({ nodes: 3 });
    desk.feed({ kind: 'teardown', patienceMs: 50, told: true });
    expect(desk.sent).toEqual([]);
    const refused = desk.ask(HEAD_PUID, creation());
    expect(desk.answer(refused, 'GsReply').err).toBe(Status.STATE);
    for (const nodeId of [0, 2]) desk.tell({ type: 'LsHalted', nodeId });
    expect(desk.state.phase).toBe('halting');
    desk.feed({ kind: 'node-down', nodeId: 1 });
    expect(desk.state.phase).toBe('halted');
    expect(desk.others.at(-1)).toEqual({ kind: 'halted' });
  });
});
