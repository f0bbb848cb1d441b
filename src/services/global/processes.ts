/**
 * Process records: creation, signals, ends, and what can be asked about them.
 *
 * A record is made when a creation is accepted and becomes active when local services tell
 * that the process has started; a creation that fails leaves nothing. An ended process is
 * remembered until enough others have ended after it.
 */
import { Status } from '../../runtime/errors/codes.ts';
import type {
  GsProcessCreate,
  GsProcessKill,
  GsProcessList,
  GsProcessQuery,
  LsProcessCreated,
  LsProcessExit,
  ProcessInfo,
} from '../messages/index.ts';
import { endWait, refuse, reply } from './answer.ts';
import { joinedProcessEnded } from './joins.ts';
import { holderEnded } from './names.ts';
import { nextPlace } from './nodes.ts';
import {
  askerOf,
  type Continuation,
  DAEMON_PATIENCE_MS,
  type Exit,
  type GlobalState,
  type GlobalStep,
  HEAD_PUID,
  type ProcessRecord,
  requestKey,
} from './state.ts';

const LAST_SIGNAL = 64;
/** What a standard stream can be; a file is opened for reading, writing or appending. */
const STREAM = /^(inherit|null|[rwa]:\/.*)$/s;

/** What is wrong with a creation, if anything: a status and its text. */
function objection(step: GlobalStep, request: GsProcessCreate): [number, string] | undefined {
  const { state } = step;
  const { name, exe, start, stdio, nodeId, argv, env, interpreter } = request;
  if (state.phase !== 'up') return [Status.STATE, 'the runtime is shutting down'];
  if (name !== undefined && state.processNames.has(name)) {
    return [Status.EXISTS, `a process named ${name} exists`];
  }
  if ((exe === undefined) === (start === undefined)) {
    return [Status.INVALID_ARGUMENT, 'a process needs either an executable or a target'];
  }
  if (stdio.length !== 3 || !stdio.every((stream) => STREAM.test(stream))) {
    return [Status.INVALID_ARGUMENT, 'stdio takes three entries: inherit, null or a file'];
  }
  if (
    [exe ?? '', interpreter ?? '', ...stdio, ...argv, ...env].some((text) => text.includes('\0'))
  ) {
    return [Status.INVALID_ARGUMENT, 'an argument or environment entry contains a NUL'];
  }
  if (nodeId !== undefined && !state.nodes.has(nodeId)) {
    if (state.down.has(nodeId)) return [Status.NODE_GONE, `node ${nodeId} has left the run`];
    return [Status.NOT_FOUND, `there is no node ${nodeId}`];
  }
  if (state.nodes.size === 0) return [Status.STATE, 'no node is up'];
  return undefined;
}

export function create(step: GlobalStep, request: GsProcessCreate) {
  const { state } = step;
  const refused = objection(step, request);
  if (refused !== undefined) return refuse(step, request, ...refused);
  const parent = state.processes.get(request.puid);
  const puid = state.nextPuid++;
  const record: ProcessRecord = {
    puid,
    name: request.name,
    label: request.label,
    parent: parent?.puid,
    daemon: request.daemon,
    nodeId: request.nodeId ?? nextPlace(state),
    state: 'pending',
    pid: undefined,
    exit: undefined,
    parkedExit: undefined,
    children: new Set(),
    joins: new Set(),
  };
  enter(step, record);
  state.createOfRequest.set(requestKey(request.puid, request.actor, request.tag), puid);
  const { exe, argv, env, cwd, stdio, interpreter, start } = request;
  const work = { exe, argv, env, cwd, stdio, interpreter, start };
  const tag = remember(step, { kind: 'create', puid, asker: askerOf(request) });
  step.effects.push({
    kind: 'send',
    nodeId: record.nodeId,
    message: { type: 'LsProcessCreate', tag, puid, ...work },
  });
}

function enter({ state }: GlobalStep, record: ProcessRecord) {
  state.processes.set(record.puid, record);
  if (record.name !== undefined) state.processNames.set(record.name, record.puid);
  if (record.parent !== undefined) {
    state.processes.get(record.parent)?.children.add(record.puid);
  }
}

/** Whether an id belongs to a process that is no more. The head has no record at first. */
export function hasEnded({ processes, nextPuid }: GlobalState, puid: bigint): boolean {
  const record = processes.get(puid);
  if (record !== undefined) return record.state === 'dead';
  return puid > HEAD_PUID && puid < nextPuid;
}

/** Stores what to do with a command's answer, and gives the command's tag. */
function remember({ state }: GlobalStep, continuation: Continuation): number {
  const tag = state.nextTag;
  state.nextTag = (state.nextTag % (2 ** 32 - 1)) + 1;
  state.continuations.set(tag, continuation);
  return tag;
}

/** The head is started by the launcher, so its record begins active. */
export function enterHead(step: GlobalStep, pid: number, nodeId: number, label: string) {
  enter(step, {
    puid: HEAD_PUID,
    name: undefined,
    label,
    parent: undefined,
    daemon: false,
    nodeId,
    state: 'active',
    pid,
    exit: undefined,
    parkedExit: undefined,
    children: new Set(),
    joins: new Set(),
  });
}

/** Local services have answered a creation. */
export function created(step: GlobalStep, { puid, asker }: Continuation, answer: LsProcessCreated) {
  const { state } = step;
  const record = state.processes.get(puid);
  state.createOfRequest.delete(requestKey(asker.puid, asker.actor, asker.tag));
  if (record === undefined) return;
  const { err, info, pid, error } = answer;
  const ref = asker.tag;
  if (err !== Status.SUCCESS) {
    conclude(step, record, undefined);
    state.processes.delete(puid);
    note(step, `process ${puid} (${record.label}) could not be started: ${info}`);
    return reply(step, asker, { type: 'GsProcessCreateReply', ref, err, info, error });
  }
  record.state = 'active';
  record.pid = pid;
  note(step, `process ${puid} (${record.label}) has started with pid ${pid}`);
  reply(step, asker, { type: 'GsProcessCreateReply', ref, err, puid, pid });
  const parent = record.parent === undefined ? undefined : state.processes.get(record.parent);
  if (record.daemon && parent?.state === 'dead') endDaemon(step, record);
  if (record.parkedExit !== undefined) ended(step, record, record.parkedExit);
}

/** Local services report that a process has ended. */
export function exited(step: GlobalStep, { puid, exitCode, signal, error }: LsProcessExit) {
  const record = step.state.processes.get(puid);
  if (record === undefined || record.state === 'dead') return;
  const exit: Exit = signal !== undefined ? { signal, error } : { exitCode: exitCode ?? 0, error };
  if (record.state === 'pending') record.parkedExit = exit;
  else ended(step, record, exit);
}

/** The node of a process is down: whatever it was doing has ended. */
export function lost(step: GlobalStep, record: ProcessRecord) {
  const { state } = step;
  const info = `node ${record.nodeId} has left the run`;
  for (const [tag, { puid, asker, kind }] of state.continuations) {
    if (puid !== record.puid) continue;
    state.continuations.delete(tag);
    if (kind === 'create')
      state.createOfRequest.delete(requestKey(asker.puid, asker.actor, asker.tag));
    refuse(step, asker, Status.NODE_GONE, info);
  }
  if (record.state === 'active') return ended(step, record, { signal: 9, err: Status.NODE_GONE });
  conclude(step, record, undefined);
  state.processes.delete(record.puid);
}

function ended(step: GlobalStep, record: ProcessRecord, exit: Exit) {
  const { state, effects } = step;
  conclude(step, record, exit);
  const how = exit.signal === undefined ? `exit code ${exit.exitCode}` : `signal ${exit.signal}`;
  note(step, `process ${record.puid} (${record.label}) has ended with ${how}`);
  state.ended.add(record.puid);
  if (state.ended.size > state.endedMax) {
    const [oldest] = state.ended;
    if (oldest !== undefined) {
      state.ended.delete(oldest);
      state.processes.delete(oldest);
    }
  }
  if (record.puid === HEAD_PUID) effects.push({ kind: 'head-exit', exit });
}

function note({ effects }: GlobalStep, text: string) {
  effects.push({ kind: 'log', level: 'info', text });
}

/** Settles everything that others have with a process that is no more. */
function conclude(step: GlobalStep, record: ProcessRecord, exit: Exit | undefined) {
  const { state } = step;
  record.state = 'dead';
  record.exit = exit;
  record.parkedExit = undefined;
  forget(step, record);
  joinedProcessEnded(step, record.puid);
  for (const childPuid of record.children) {
    const child = state.processes.get(childPuid);
    if (child?.daemon) endDaemon(step, child);
  }
  holderEnded(step, record.puid);
  for (const id of [...(state.waitsOfPuid.get(record.puid) ?? [])]) endWait(step, id);
}

/** Frees a process's name and takes it from its parent's living children. */
function forget({ state }: GlobalStep, { puid, name, parent }: ProcessRecord) {
  if (name !== undefined) state.processNames.delete(name);
  if (parent !== undefined) state.processes.get(parent)?.children.delete(puid);
}

function endDaemon({ effects }: GlobalStep, { puid, nodeId }: ProcessRecord) {
  const message = { type: 'LsProcessEnd', puid, patienceMs: DAEMON_PATIENCE_MS } as const;
  effects.push({ kind: 'send', nodeId, message });
}

/** The asker of a creation has given up: the process is killed, and so the creation fails. */
export function abandonCreate(step: GlobalStep, key: string) {
  const { createOfRequest, processes } = step.state;
  const record = processes.get(createOfRequest.get(key) ?? -1n);
  if (record === undefined) return;
  const message = { type: 'LsProcessEnd', puid: record.puid, patienceMs: 0 } as const;
  step.effects.push({ kind: 'send', nodeId: record.nodeId, message });
}

export function query(step: GlobalStep, request: GsProcessQuery) {
  const { processes, processNames } = step.state;
  const puid = request.target ?? processNames.get(request.name ?? '');
  const record = puid === undefined ? undefined : processes.get(puid);
  if (record === undefined) {
    const what = request.target ?? `named ${request.name ?? ''}`;
    return refuse(step, request, Status.NOT_FOUND, `no process ${what} is known`);
  }
  const process = describe(record);
  const ref = request.tag;
  reply(step, request, { type: 'GsProcessQueryReply', ref, err: Status.SUCCESS, process });
}

export function list(step: GlobalStep, request: GsProcessList) {
  const processes = [...step.state.processes.values()]
    .filter((record) => request.ended || record.state !== 'dead')
    .map(describe);
  const ref = request.tag;
  reply(step, request, { type: 'GsProcessListReply', ref, err: Status.SUCCESS, processes });
}

function describe(record: ProcessRecord): ProcessInfo {
  const { puid, name, label, parent, daemon, nodeId, state, pid, exit } = record;
  const { exitCode, signal, err } = exit ?? {};
  return { puid, name, label, parent, daemon, nodeId, state, pid, exitCode, signal, err };
}

export function kill(step: GlobalStep, request: GsProcessKill) {
  const { target: puid, signal } = request;
  const record = step.state.processes.get(puid);
  if (signal < 1 || signal > LAST_SIGNAL) {
    return refuse(step, request, Status.INVALID_ARGUMENT, `there is no signal ${signal}`);
  }
  if (record === undefined) {
    return refuse(step, request, Status.NOT_FOUND, `no process ${puid} is known`);
  }
  if (record.state === 'dead') {
    return refuse(step, request, Status.STATE, `process ${puid} has ended`);
  }
  const tag = remember(step, { kind: 'kill', puid, asker: askerOf(request) });
  const message = { type: 'LsProcessKill', tag, puid, signal } as const;
  step.effects.push({ kind: 'send', nodeId: record.nodeId, message });
}
