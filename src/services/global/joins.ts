/**
 * Waiting for processes to end.
 *
 * A join is answered at once when it can be; else it is a wait that the exits of its targets
 * or its deadline end. Every answer describes every target.
 */
import { Status } from '../../runtime/errors/codes.ts';
import type { GsProcessJoin, ProcessExit } from '../messages/index.ts';
import { beginWait, endWait, refuse, reply } from './answer.ts';
import { askerOf, type GlobalState, type GlobalStep, type JoinWait } from './state.ts';

export function join(step: GlobalStep, request: GsProcessJoin) {
  const { state } = step;
  const open = new Set<bigint>();
  for (const puid of request.targets) {
    const record = state.processes.get(puid);
    if (puid === request.puid) {
      return refuse(step, request, Status.INVALID_ARGUMENT, 'a process cannot join itself');
    }
    if (record === undefined) {
      return refuse(step, request, Status.NOT_FOUND, `no process ${puid} is known`);
    }
    if (record.state !== 'dead') open.add(puid);
  }
  const { targets, mode } = request;
  const wait: JoinWait = { kind: 'join', asker: askerOf(request), targets, mode, open };
  if (isOver(wait)) return answer(step, wait, Status.SUCCESS);
  if (request.timeoutMs === 0) return answer(step, wait, Status.TIMEOUT);
  const id = beginWait(step, wait, request.timeoutMs);
  for (const puid of open) state.processes.get(puid)?.joins.add(id);
}

/** Ends the joins that the end of a process decides. */
export function joinedProcessEnded(step: GlobalStep, puid: bigint) {
  const { state } = step;
  const record = state.processes.get(puid);
  for (const id of [...(record?.joins ?? [])]) {
    const wait = state.waits.get(id);
    if (wait?.kind !== 'join') continue;
    wait.open.delete(puid);
    if (!isOver(wait)) continue;
    endWait(step, id);
    answer(step, wait, Status.SUCCESS);
  }
  record?.joins.clear();
}

export function answer(step: GlobalStep, wait: JoinWait, status: number, info?: string) {
  const exits = wait.targets.map((puid) => describe(step.state, puid));
  const ref = wait.asker.tag;
  reply(step, wait.asker, { type: 'GsProcessJoinReply', ref, err: status, info, exits });
}

function isOver({ targets, open, mode }: JoinWait): boolean {
  return open.size === 0 || (mode === 'any' && targets.some((puid) => !open.has(puid)));
}

function describe(state: GlobalState, puid: bigint): ProcessExit {
  const record = state.processes.get(puid);
  return { puid, alive: record?.state !== 'dead', ...record?.exit };
}
