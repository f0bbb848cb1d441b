/**
 * Names of objects, with a counted reference for each process that holds one.
 *
 * A name lives until its last reference is given back or its last holder has ended, or until it is
 * unlinked if it is kept. The object behind it lives by the native core's own counts; services only
 * remember its handle.
 */
import { Status } from '../../runtime/errors/codes.ts';
import type {
  GsNameList,
  GsNameLookup,
  GsNameRegister,
  GsNameRelease,
  GsNameUnlink,
} from '../messages/index.ts';
import { addTo, beginWait, endWait, refuse, removeFrom, reply, succeed } from './answer.ts';
import { type Asker, askerOf, type GlobalStep, type NameRecord, PRIMARY } from './state.ts';

export function register(step: GlobalStep, request: GsNameRegister) {
  const { state } = step;
  const { name, kind, descriptor, keep } = request;
  const nodeId = request.nodeId ?? state.processes.get(request.puid)?.nodeId ?? PRIMARY;
  const taken = state.names.get(name);
  if (taken !== undefined) return found(step, request, taken, false, Status.EXISTS);
  if (request.nodeId !== undefined && !state.nodes.has(nodeId)) {
    return refuse(step, request, Status.NOT_FOUND, `there is no node ${nodeId}`);
  }
  const holders = new Map<bigint, number>();
  const record: NameRecord = {
    name,
    kind,
    descriptor: descriptor.slice(),
    nodeId,
    holders,
    kept: keep,
  };
  state.names.set(name, record);
  addHolder(step, record, request.puid);
  succeed(step, request);
  for (const id of [...(state.nameWaits.get(name) ?? [])]) {
    const wait = endWait(step, id);
    if (wait?.kind === 'name') found(step, wait.asker, record, wait.hold, Status.SUCCESS);
  }
}

export function lookup(step: GlobalStep, request: GsNameLookup) {
  const { state } = step;
  const { name, hold, timeoutMs } = request;
  const record = state.names.get(name);
  if (record !== undefined) return found(step, request, record, hold, Status.SUCCESS);
  if (!request.wait) return refuse(step, request, Status.NOT_FOUND, `no object is named ${name}`);
  if (timeoutMs === 0) return refuse(step, request, Status.TIMEOUT);
  const id = beginWait(step, { kind: 'name', asker: askerOf(request), name, hold }, timeoutMs);
  addTo(state.nameWaits, name, id);
}

export function release(step: GlobalStep, request: GsNameRelease) {
  const record = meant(step, request);
  const held = record?.holders.get(request.puid);
  if (record === undefined || held === undefined) {
    return refuse(step, request, Status.NOT_FOUND, `${request.name} is not held by the caller`);
  }
  if (held > 1) record.holders.set(request.puid, held - 1);
  else dropHolder(step, record, request.puid);
  succeed(step, request);
}

/** The references of its holders end with the name; a later object of this name is another one. */
export function unlink(step: GlobalStep, request: GsNameUnlink) {
  const record = meant(step, request);
  if (record === undefined) {
    return refuse(step, request, Status.NOT_FOUND, `no object is named ${request.name}`);
  }
  free(step, record);
  succeed(step, request);
}

/** The objects of a node are gone with it, whoever holds references to them. */
export function objectsLost(step: GlobalStep, nodeId: number) {
  for (const record of [...step.state.names.values()]) {
    if (record.nodeId === nodeId) free(step, record);
  }
}

function free(step: GlobalStep, record: NameRecord) {
  for (const puid of [...record.holders.keys()]) dropHolder(step, record, puid);
  step.state.names.delete(record.name);
}

/** The record of the name, unless another object is meant than the one that has it now. */
function meant({ state }: GlobalStep, request: GsNameRelease | GsNameUnlink) {
  const record = state.names.get(request.name);
  const { descriptor } = request;
  if (record === undefined || descriptor === undefined) return record;
  return Buffer.compare(record.descriptor, descriptor) === 0 ? record : undefined;
}

export function list(step: GlobalStep, request: GsNameList) {
  const names = [...step.state.names.values()].map(({ name, kind, nodeId, holders }) => ({
    name,
    kind,
    nodeId,
    holders: [...holders.values()].reduce((sum, count) => sum + count, 0),
  }));
  reply(step, request, { type: 'GsNameListReply', ref: request.tag, err: Status.SUCCESS, names });
}

/** Gives back every reference of a process that has ended. */
export function holderEnded(step: GlobalStep, puid: bigint) {
  const { names, namesOfPuid } = step.state;
  for (const name of [...(namesOfPuid.get(puid) ?? [])]) {
    const record = names.get(name);
    if (record !== undefined) dropHolder(step, record, puid);
  }
}

function addHolder({ state }: GlobalStep, { name, holders }: NameRecord, puid: bigint) {
  holders.set(puid, (holders.get(puid) ?? 0) + 1);
  addTo(state.namesOfPuid, puid, name);
}

function dropHolder({ state }: GlobalStep, { name, holders, kept }: NameRecord, puid: bigint) {
  holders.delete(puid);
  removeFrom(state.namesOfPuid, puid, name);
  if (holders.size === 0 && !kept) state.names.delete(name);
}

function found(step: GlobalStep, asker: Asker, record: NameRecord, hold: boolean, status: number) {
  const { kind, descriptor, nodeId } = record;
  if (hold) addHolder(step, record, asker.puid);
  const ref = asker.tag;
  reply(step, asker, { type: 'GsNameReply', ref, err: status, kind, descriptor, nodeId });
}
