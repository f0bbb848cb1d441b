/** Joins, names, nodes, teardown, and messages of no use: what else global services answer. */
import { describe, expect, it } from 'vitest';
import { Status } from '../../runtime/errors/codes.ts';
import { creation, Desk } from './desk.ts';
import { HEAD_PUID } from './state.ts';

const HEAD_ACTOR = Number(HEAD_PUID % 1000n);

function join(desk: Desk, targets: bigint[], mode: 'all' | 'any', timeoutMs?: number): number {
  return desk.ask(HEAD_PUID, { type: 'GsProcessJoin', targets, mode, timeoutMs });
}

describe('joining processes', () => {
  it('of all waits for the last, of any for the first [SVC-028]', () => {
    const desk = new Desk();
    const [a, b] = [desk.started(HEAD_PUID), desk.started(HEAD_PUID)];
    const all = join(desk, [b, a, b], 'all');
    const any = join(desk, [a, b], 'any');
    desk.tell({ type: 'LsProcessExit', puid: a, exitCode: 1, error: Uint8Array.of(9) });
    expect(desk.answer(any, 'GsProcessJoinReply')).toMatchObject({
      err: 0,
      exits: [
        { puid: a, alive: false, exitCode: 1, error: Uint8Array.of(9) },
        { puid: b, alive: true },
      ],
    });
    expect(desk.answers(all)).toEqual([]);
    desk.tell({ type: 'LsProcessExit', puid: b, signal: 9 });
    const exits = desk.answer(all, 'GsProcessJoinReply').exits;
    expect(exits.map(({ puid, signal }) => [puid, signal])).toEqual([
      [b, 9],
      [a, undefined],
      [b, 9],
    ]);
    expect(desk.state.waits.size).toBe(0);
  });

  it('answers at once when it is decided already [SVC-028]', () => {
    const desk = new Desk();
    const puid = desk.started(HEAD_PUID);
    desk.exit(puid, 4);
    expect(desk.answer(join(desk, [puid], 'all'), 'GsProcessJoinReply').err).toBe(0);
    expect(desk.answer(join(desk, [], 'any'), 'GsProcessJoinReply').err).toBe(0);
    const both = join(desk, [puid, desk.started(HEAD_PUID)], 'any');
    expect(desk.answer(both, 'GsProcessJoinReply').exits[1]).toMatchObject({ alive: true });
  });

  it('ends at its deadline and tells what is known [SVC-029]', () => {
    const desk = new Desk();
    const [a, b] = [desk.started(HEAD_PUID), desk.started(HEAD_PUID)];
    desk.nowMs = 100;
    const tag = join(desk, [a, b], 'all', 50);
    desk.exit(a);
    expect(desk.others).toEqual([{ kind: 'timer', id: 1, atMs: 150 }]);
    desk.feed({ kind: 'timer', id: 1 });
    const answer = desk.answer(tag, 'GsProcessJoinReply');
    expect(answer.err).toBe(Status.TIMEOUT);
    expect(answer.exits.map(({ alive }) => alive)).toEqual([false, true]);
    desk.feed({ kind: 'timer', id: 1 });
    const poll = desk.answer(join(desk, [b], 'any', 0), 'GsProcessJoinReply');
    expect(poll).toMatchObject({ err: Status.TIMEOUT, exits: [{ alive: true }] });
  });

  it('refuses the asker itself and who is not known [SVC-030]', () => {
    const desk = new Desk();
    const self = join(desk, [HEAD_PUID], 'all');
    expect(desk.answer(self, 'GsReply').err).toBe(Status.INVALID_ARGUMENT);
    expect(desk.answer(join(desk, [5n], 'any'), 'GsReply').err).toBe(Status.NOT_FOUND);
  });

  it('is forgotten when it is cancelled or its asker has ended [SVC-013]', () => {
    const desk = new Desk();
    const [target, asker] = [desk.started(HEAD_PUID), desk.started(HEAD_PUID)];
    const cancelled = join(desk, [target], 'all', 1000);
    desk.tell({ type: 'GsCancel', puid: HEAD_PUID, actor: HEAD_ACTOR, cancelled });
    expect(desk.answer(cancelled, 'GsProcessJoinReply').err).toBe(Status.TIMEOUT);
    const body = { type: 'GsProcessJoin', targets: [target], mode: 'all' } as const;
    const orphan = desk.ask(asker, body);
    desk.exit(asker);
    desk.exit(target);
    expect(desk.answers(orphan)).toEqual([]);
    expect([desk.state.waits.size, desk.state.waitOfRequest.size]).toEqual([0, 0]);
    expect(desk.others.filter(({ kind }) => kind === 'clear-timer')).toHaveLength(2);
  });
});

describe('names of objects', () => {
  const register = (desk: Desk, puid: bigint, name: string, bytes = [1], keep = false) =>
    desk.ask(puid, {
      type: 'GsNameRegister',
      name,
      kind: 'channel',
      descriptor: Uint8Array.from(bytes),
      keep,
    });
  const lookup = (desk: Desk, puid: bigint, name: string, options: object = {}) =>
    desk.ask(puid, { type: 'GsNameLookup', name, hold: false, wait: false, ...options });
  const release = (desk: Desk, puid: bigint, name: string) =>
    desk.answer(desk.ask(puid, { type: 'GsNameRelease', name }), 'GsReply').err;

  it('belong to who comes first [SVC-040, SVC-041]', () => {
    const desk = new Desk();
    expect(desk.answer(register(desk, HEAD_PUID, 'n'), 'GsReply').err).toBe(0);
    const second = desk.answer(register(desk, HEAD_PUID, 'n', [2]), 'GsNameReply');
    const found = { kind: 'channel', descriptor: Uint8Array.of(1) };
    expect(second).toMatchObject({ err: Status.EXISTS, ...found });
    expect(desk.answer(lookup(desk, HEAD_PUID, 'n'), 'GsNameReply')).toMatchObject(found);
    expect(desk.answer(lookup(desk, HEAD_PUID, 'm'), 'GsReply').err).toBe(Status.NOT_FOUND);
  });

  it('stay without holders when they are kept [SVC-046]', () => {
    const desk = new Desk();
    const maker = desk.started(HEAD_PUID);
    register(desk, maker, 'n', [1], true);
    desk.exit(maker);
    expect(desk.answer(lookup(desk, HEAD_PUID, 'n', { hold: true }), 'GsNameReply').err).toBe(0);
    expect(release(desk, HEAD_PUID, 'n')).toBe(0);
    expect(desk.answer(lookup(desk, HEAD_PUID, 'n'), 'GsNameReply').err).toBe(0);
    const unlink = desk.ask(HEAD_PUID, { type: 'GsNameUnlink', name: 'n' });
    expect(desk.answer(unlink, 'GsReply').err).toBe(0);
    expect([desk.state.names.size, desk.state.namesOfPuid.size]).toEqual([0, 0]);
  });

  it('can be waited for [SVC-042]', () => {
    const desk = new Desk();
    const waiting = lookup(desk, HEAD_PUID, 'n', { wait: true, hold: true });
    const late = lookup(desk, HEAD_PUID, 'm', { wait: true, timeoutMs: 5 });
    const poll = lookup(desk, HEAD_PUID, 'm', { wait: true, timeoutMs: 0 });
    expect(desk.answer(poll, 'GsReply').err).toBe(Status.TIMEOUT);
    desk.feed({ kind: 'timer', id: 2 });
    expect(desk.answer(late, 'GsReply').err).toBe(Status.TIMEOUT);
    register(desk, desk.started(HEAD_PUID), 'n');
    expect(desk.answer(waiting, 'GsNameReply').err).toBe(0);
    expect(desk.state.nameWaits.size).toBe(0);
  });

  it('live until the last reference is given back [SVC-043]', () => {
    const desk = new Desk();
    const [a, b] = [desk.started(HEAD_PUID), desk.started(HEAD_PUID)];
    register(desk, a, 'n');
    lookup(desk, b, 'n', { hold: true });
    lookup(desk, b, 'n', { hold: true });
    const tag = desk.ask(HEAD_PUID, { type: 'GsNameList' });
    const { names } = desk.answer(tag, 'GsNameListReply');
    expect(names).toEqual([{ name: 'n', kind: 'channel', nodeId: 0, holders: 3 }]);
    expect(release(desk, a, 'n')).toBe(0);
    expect(release(desk, a, 'n')).toBe(Status.NOT_FOUND);
    expect(release(desk, b, 'n')).toBe(0);
    expect(desk.answer(lookup(desk, a, 'n'), 'GsNameReply').err).toBe(0);
    desk.exit(b);
    expect(desk.answer(lookup(desk, a, 'n'), 'GsReply').err).toBe(Status.NOT_FOUND);
    expect(desk.state.namesOfPuid.size).toBe(0);
  });

  it('are freed for everybody by an unlink, which may mean one object [SVC-044]', () => {
    const desk = new Desk();
    const [a, b] = [desk.started(HEAD_PUID), desk.started(HEAD_PUID)];
    const [one, two] = [Uint8Array.of(1), Uint8Array.of(2)];
    const ask = (puid: bigint, type: 'GsNameUnlink' | 'GsNameRelease', descriptor?: Uint8Array) =>
      desk.answer(desk.ask(puid, { type, name: 'n', descriptor }), 'GsReply').err;
    expect(ask(a, 'GsNameUnlink')).toBe(Status.NOT_FOUND);
    register(desk, a, 'n', [1]);
    lookup(desk, b, 'n', { hold: true });
    expect(ask(b, 'GsNameUnlink', two)).toBe(Status.NOT_FOUND);
    expect(ask(b, 'GsNameUnlink', one)).toBe(0);
    expect(desk.answer(lookup(desk, a, 'n'), 'GsReply').err).toBe(Status.NOT_FOUND);
    expect(desk.state.namesOfPuid.size).toBe(0);
    register(desk, b, 'n', [2]);
    expect(ask(b, 'GsNameRelease', one)).toBe(Status.NOT_FOUND);
    expect(desk.answer(lookup(desk, a, 'n'), 'GsNameReply').err).toBe(0);
    expect(ask(b, 'GsNameRelease', two)).toBe(0);
    expect(ask(a, 'GsNameUnlink')).toBe(Status.NOT_FOUND);
  });

  it('are given back by a process that ends, all of its references at once [SVC-043]', () => {
    const desk = new Desk();
    const [a, b] = [desk.started(HEAD_PUID), desk.started(HEAD_PUID)];
    for (const name of ['m', 'n']) {
      register(desk, a, name);
      lookup(desk, a, name, { hold: true });
    }
    lookup(desk, b, 'n', { hold: true });
    desk.exit(a);
    expect(desk.answer(lookup(desk, b, 'm'), 'GsReply').err).toBe(Status.NOT_FOUND);
    const tag = desk.ask(HEAD_PUID, { type: 'GsNameList' });
    expect(desk.answer(tag, 'GsNameListReply').names).toMatchObject([{ name: 'n', holders: 1 }]);
    expect(desk.answer(register(desk, b, 'm'), 'GsReply').err).toBe(0);
  });
});

describe('global services', () => {
  it('list the nodes [SVC-050]', () => {
    const desk = new Desk({ nodes: 2 });
    const tag = desk.ask(HEAD_PUID, { type: 'GsNodeList' });
    const { nodes } = desk.answer(tag, 'GsNodeListReply');
    expect(nodes.map(({ hostname }) => hostname)).toEqual(['n0', 'n1']);
    expect(nodes[0]).toMatchObject({ hostId: 7n, cpus: 2, memoryBytes: 1n });
  });

  it('answer what they cannot read, and count what is not for them [SVC-005]', () => {
    const desk = new Desk();
    const sender = { tag: 77, actor: 1, replyTo: new Uint8Array() };
    desk.feed({ kind: 'unreadable', what: 'rubbish', sender });
    expect(desk.answer(77, 'GsReply')).toMatchObject({
      err: Status.INVALID_MESSAGE,
      info: 'rubbish',
    });
    desk.feed({ kind: 'unreadable', what: 'rubbish', sender: undefined });
    desk.tell({ type: 'ProcessStarted', puid: 1n });
    desk.tell({ type: 'LsReply', ref: 1234, err: 0 });
    expect(desk.state.invalidMessages).toBe(4);
    expect(desk.logs.filter((line) => line.startsWith('error: '))).toHaveLength(4);
  });

  it('serve others meanwhile, and the clock decides nothing [SVC-010, SVC-012]', () => {
    const run = (nowMs: number) => {
      const desk = new Desk();
      desk.nowMs = nowMs;
      desk.ask(HEAD_PUID, creation());
      const { puid } = desk.last('LsProcessCreate');
      desk.ask(HEAD_PUID, { type: 'GsProcessJoin', targets: [puid], mode: 'all' });
      const tag = desk.ask(HEAD_PUID, { type: 'GsNodeList' });
      expect(desk.answers(tag)).toHaveLength(1);
      desk.started(HEAD_PUID);
      return [desk.replies, desk.sent, desk.others];
    };
    expect(run(0)).toEqual(run(1e9));
  });

  it('end in order, and then answer who is left [SVC-060, SVC-061]', () => {
    const desk = new Desk({ nodes: 2 });
    const waiting = desk.ask(HEAD_PUID, {
      type: 'GsNameLookup',
      name: 'n',
      hold: false,
      wait: true,
    });
    desk.feed({ kind: 'teardown', patienceMs: 50 });
    expect(desk.sent).toEqual([0, 1].map(() => ({ type: 'LsTeardown', patienceMs: 50 })));
    const refused = desk.ask(HEAD_PUID, creation());
    expect(desk.answer(refused, 'GsReply').err).toBe(Status.STATE);
    desk.tell({ type: 'LsHalted', nodeId: 1 });
    desk.feed({ kind: 'teardown', patienceMs: 1 });
    expect(desk.sent.filter(({ type }) => type === 'LsTeardown')).toHaveLength(3);
    expect(desk.state.phase).toBe('halting');
    desk.tell({ type: 'LsHalted', nodeId: 0 });
    expect(desk.answer(waiting, 'GsReply').err).toBe(Status.RUNTIME_GONE);
    expect(desk.others.at(-1)).toEqual({ kind: 'halted' });
    desk.feed({ kind: 'teardown', patienceMs: 1 });
    expect(desk.others.filter(({ kind }) => kind === 'halted')).toHaveLength(1);
  });
});
