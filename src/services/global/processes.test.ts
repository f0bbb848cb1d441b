/** Process records of global services: creation, ends, queries, signals, memory of the ended. */
import { describe, expect, it } from 'vitest';
import { Status } from '../../runtime/errors/codes.ts';
import { creation, Desk } from './desk.ts';
import { HEAD_PUID } from './state.ts';

describe('creating a process', () => {
  it('gives ids from the head upwards and answers when it has started [SVC-020, SVC-021]', () => {
    const desk = new Desk();
    const tag = desk.ask(HEAD_PUID, creation());
    expect(desk.answers(tag)).toEqual([]);
    const { tag: command, puid } = desk.last('LsProcessCreate');
    expect(puid).toBe(2n ** 32n + 1n);
    desk.tell({ type: 'LsProcessCreated', ref: command, err: 0, pid: 321 });
    expect(desk.answer(tag, 'GsProcessCreateReply')).toMatchObject({ err: 0, puid, pid: 321 });
    desk.exit(puid);
    expect(desk.started(HEAD_PUID)).toBe(puid + 1n);
  });

  it('that fails leaves no process, no record and no name [SVC-022]', () => {
    const desk = new Desk();
    const tag = desk.ask(HEAD_PUID, creation({ name: 'worker' }));
    const { tag: ref, puid } = desk.last('LsProcessCreate');
    const error = Uint8Array.of(1, 2);
    desk.tell({ type: 'LsProcessCreated', ref, err: Status.PROCESS, info: 'why', error });
    const answer = desk.answer(tag, 'GsProcessCreateReply');
    expect(answer).toMatchObject({ err: Status.PROCESS, info: 'why', error });
    const query = desk.ask(HEAD_PUID, { type: 'GsProcessQuery', target: puid });
    expect(desk.answer(query, 'GsReply').err).toBe(Status.NOT_FOUND);
    expect(desk.started(HEAD_PUID, { name: 'worker' })).toBe(puid + 1n);
    expect(desk.state.continuations.size).toBe(0);
    expect(desk.state.createOfRequest.size).toBe(0);
  });

  it('is refused when the request makes no sense [SVC-036]', () => {
    const desk = new Desk();
    const refused = [
      [{ ...creation(), exe: '/bin/true' }, Status.INVALID_ARGUMENT],
      [{ ...creation(), start: undefined }, Status.INVALID_ARGUMENT],
      [{ ...creation(), stdio: ['null'] as const }, Status.INVALID_ARGUMENT],
      [{ ...creation(), argv: ['a\0b'] }, Status.INVALID_ARGUMENT],
      [creation({ nodeId: 5 }), Status.NOT_FOUND],
    ] as const;
    for (const [body, status] of refused) {
      expect(desk.answer(desk.ask(HEAD_PUID, body), 'GsReply').err).toBe(status);
    }
    expect(desk.sent).toEqual([]);
  });

  it('with a name that a living process has is refused [SVC-025]', () => {
    const desk = new Desk();
    const puid = desk.started(HEAD_PUID, { name: 'one' });
    const again = desk.ask(HEAD_PUID, creation({ name: 'one' }));
    expect(desk.answer(again, 'GsReply').err).toBe(Status.EXISTS);
    desk.exit(puid);
    expect(desk.started(HEAD_PUID, { name: 'one' })).toBe(puid + 1n);
  });

  it('whose end is reported first is answered before it ends [SVC-024]', () => {
    const desk = new Desk();
    const tag = desk.ask(HEAD_PUID, creation());
    const { tag: ref, puid } = desk.last('LsProcessCreate');
    const body = { type: 'GsProcessJoin', targets: [puid], mode: 'all' } as const;
    const join = desk.ask(HEAD_PUID, body);
    desk.exit(puid, 5);
    expect(desk.answers(join)).toEqual([]);
    desk.tell({ type: 'LsProcessCreated', ref, err: 0, pid: 9 });
    expect(desk.replies.map((reply) => reply.ref)).toEqual([tag, join]);
    expect(desk.answer(join, 'GsProcessJoinReply').exits[0]).toMatchObject({ exitCode: 5 });
  });

  it('that nobody waits for any more is undone [SVC-035]', () => {
    const desk = new Desk();
    const actor = Number(HEAD_PUID % 1000n);
    const tag = desk.ask(HEAD_PUID, creation());
    const { tag: ref, puid } = desk.last('LsProcessCreate');
    desk.tell({ type: 'GsCancel', puid: HEAD_PUID, actor, cancelled: tag });
    expect(desk.last('LsProcessEnd')).toEqual({ type: 'LsProcessEnd', puid, patienceMs: 0 });
    desk.tell({ type: 'LsProcessCreated', ref, err: Status.PROCESS, info: 'killed' });
    expect(desk.answer(tag, 'GsProcessCreateReply').err).toBe(Status.PROCESS);
    desk.tell({ type: 'GsCancel', puid: HEAD_PUID, actor, cancelled: tag });
    expect(desk.answers(tag)).toHaveLength(1);
  });
});

describe('looking at processes', () => {
  it('finds a record by id and by name [SVC-026]', () => {
    const desk = new Desk();
    const puid = desk.started(HEAD_PUID, { name: 'one', daemon: true });
    for (const body of [{ target: puid }, { name: 'one' }]) {
      const tag = desk.ask(HEAD_PUID, { type: 'GsProcessQuery', ...body });
      expect(desk.answer(tag, 'GsProcessQueryReply').process).toMatchObject({
        puid,
        name: 'one',
        parent: HEAD_PUID,
        daemon: true,
        state: 'active',
        pid: 200,
      });
    }
    for (const body of [{ target: 5n }, { name: 'two' }, {}]) {
      const tag = desk.ask(HEAD_PUID, { type: 'GsProcessQuery', ...body });
      expect(desk.answer(tag, 'GsReply').err).toBe(Status.NOT_FOUND);
    }
  });

  it('lists them in the order of their creation [SVC-027]', () => {
    const desk = new Desk();
    const puids = [desk.started(HEAD_PUID), desk.started(HEAD_PUID), desk.started(HEAD_PUID)];
    desk.exit(puids[1] ?? 0n, 3);
    const list = (ended: boolean) => {
      const tag = desk.ask(HEAD_PUID, { type: 'GsProcessList', ended });
      return desk.answer(tag, 'GsProcessListReply').processes;
    };
    expect(list(false).map(({ puid }) => puid)).toEqual([HEAD_PUID, puids[0], puids[2]]);
    expect(list(true).map(({ puid }) => puid)).toEqual([HEAD_PUID, ...puids]);
    expect(list(true)[2]).toMatchObject({ state: 'dead', exitCode: 3 });
  });

  it('remembers so many ended ones and no more [SVC-034]', () => {
    const desk = new Desk({ endedMax: 3 });
    for (let i = 0; i < 10; ++i) desk.exit(desk.started(HEAD_PUID));
    const tag = desk.ask(HEAD_PUID, { type: 'GsProcessList', ended: true });
    const known = desk.answer(tag, 'GsProcessListReply').processes.map(({ puid }) => puid);
    expect(known).toEqual([HEAD_PUID, HEAD_PUID + 8n, HEAD_PUID + 9n, HEAD_PUID + 10n]);
    expect(new Desk().state.endedMax).toBe(65_536);
  });
});

describe('ending processes', () => {
  it('passes a signal on and tells what became of it [SVC-031]', () => {
    const desk = new Desk();
    const puid = desk.started(HEAD_PUID);
    const kill = (target: bigint, signal: number) =>
      desk.ask(HEAD_PUID, { type: 'GsProcessKill', target, signal });
    const delivered = kill(puid, 15);
    const { tag: ref, signal } = desk.last('LsProcessKill');
    expect(signal).toBe(15);
    desk.tell({ type: 'LsReply', ref, err: Status.SUCCESS });
    expect(desk.answer(delivered, 'GsReply').err).toBe(Status.SUCCESS);
    const crossed = kill(puid, 9);
    desk.tell({ type: 'LsReply', ref: desk.last('LsProcessKill').tag, err: Status.NOT_FOUND });
    expect(desk.answer(crossed, 'GsReply').err).toBe(Status.STATE);
    desk.exit(puid);
    expect(desk.answer(kill(puid, 9), 'GsReply').err).toBe(Status.STATE);
    expect(desk.answer(kill(77n, 9), 'GsReply').err).toBe(Status.NOT_FOUND);
    for (const bad of [0, 65, 1000]) {
      expect(desk.answer(kill(HEAD_PUID, bad), 'GsReply').err).toBe(Status.INVALID_ARGUMENT);
    }
  });

  it('ends the daemons of a process that has ended, at once or once started [SVC-032]', () => {
    const desk = new Desk();
    const parent = desk.started(HEAD_PUID);
    const daemon = desk.started(parent, { daemon: true });
    desk.started(parent, { daemon: false });
    desk.ask(parent, creation({ daemon: true }));
    const pending = desk.last('LsProcessCreate');
    desk.exit(parent);
    const ended = desk.sent.filter(({ type }) => type === 'LsProcessEnd');
    expect(ended).toMatchObject([
      { puid: daemon, patienceMs: 1000 },
      { puid: pending.puid, patienceMs: 1000 },
    ]);
  });

  it('tells the launcher how the head has ended [SVC-020]', () => {
    const desk = new Desk();
    desk.tell({ type: 'LsProcessExit', puid: HEAD_PUID, signal: 11 });
    expect(desk.others).toContainEqual({ kind: 'head-exit', exit: { signal: 11 } });
  });
});
