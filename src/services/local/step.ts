/**
 * Local services: one step from an event to the effects that it has.
 *
 * The state is changed in place and nothing else is. Two orders are kept whatever comes when:
 * a creation is answered before the process's end is reported, and what a process owned is
 * given back before its end is reported.
 */
import { Status } from '../../runtime/errors/codes.ts';
import type {
  LsProcessCreate,
  LsProcessEnd,
  LsProcessKill,
  LsTeardown,
  Message,
} from '../messages/index.ts';
import type { ExitStatus } from './spawner.ts';
import {
  FAILED_START_PATIENCE_MS,
  LAST_PATIENCE_MS,
  type LocalEffect,
  type LocalEvent,
  type LocalProcess,
  type LocalState,
  type LocalStep,
  SIGKILL,
  SIGTERM,
} from './state.ts';

export function step(state: LocalState, event: LocalEvent): LocalEffect[] {
  const effects: LocalEffect[] = [];
  const now: LocalStep = { state, effects, nowMs: 'nowMs' in event ? event.nowMs : 0 };
  switch (event.kind) {
    case 'message':
      message(now, event.message);
      break;
    case 'unreadable':
      unusable(now, event.what);
      break;
    case 'timer':
      timer(now, event.id);
      break;
    case 'adopt':
      adopt(now, event.puid, event.pid);
      break;
    case 'spawned':
      spawned(now, event.puid, event.pid);
      break;
    case 'spawn-failed':
      spawnFailed(now, event.puid, event.status, event.info);
      break;
    case 'exit':
      exited(now, event.pid, event.status);
      break;
    case 'actor':
      actorAttached(now, event.actorId, event.pid);
      break;
    case 'actor-dead':
      actorDead(now, event.actorId, event.pid);
      break;
  }
  return effects;
}

function message(now: LocalStep, received: Message) {
  switch (received.type) {
    case 'LsProcessCreate':
      return create(now, received);
    case 'LsProcessKill':
      return kill(now, received);
    case 'LsProcessEnd':
      return end(now, received);
    case 'LsTeardown':
      return teardown(now, received);
    case 'ProcessStarted':
      return started(now, received.puid);
    case 'ProcessStartFailed':
      return startFailed(now, received.puid, received.error);
    case 'ProcessFailed': {
      const process = now.state.processes.get(received.puid);
      if (process === undefined) return unusable(now, `no process ${received.puid} runs here`);
      process.error = received.error.slice();
      break;
    }
    default:
      return unusable(now, `${received.type} is not for local services`);
  }
}

function unusable({ state, effects }: LocalStep, what: string) {
  state.invalidMessages += 1;
  effects.push({ kind: 'log', level: 'error', text: `message dropped: ${what}` });
}

function localProcess(puid: bigint, scripted: boolean): LocalProcess {
  return {
    puid,
    scripted,
    started: false,
    createTag: undefined,
    pid: undefined,
    pendingSignal: undefined,
    startError: undefined,
    error: undefined,
    killTimer: undefined,
  };
}

function create(now: LocalStep, command: LsProcessCreate) {
  const { state, effects } = now;
  const { tag, puid, exe, argv, env, cwd, stdio, interpreter, start } = command;
  if (state.phase !== 'up') {
    const info = 'the runtime is shutting down';
    const answer = { type: 'LsProcessCreated', ref: tag, err: Status.STATE, info } as const;
    effects.push({ kind: 'send', message: answer });
    return;
  }
  const process = localProcess(puid, exe === undefined);
  process.createTag = tag;
  state.processes.set(puid, process);
  state.spawning += 1;
  effects.push({ kind: 'spawn', puid, exe, argv, env, cwd, stdio, interpreter, start });
}

function adopt({ state }: LocalStep, puid: bigint, pid: number) {
  const process = localProcess(puid, false);
  process.pid = pid;
  state.processes.set(puid, process);
  state.puidOfPid.set(pid, puid);
}

function spawned(now: LocalStep, puid: bigint, pid: number) {
  const { state, effects } = now;
  const process = state.processes.get(puid);
  const early = state.earlyExits.get(pid);
  spawnSettled(state);
  if (process === undefined) return;
  process.pid = pid;
  state.puidOfPid.set(pid, puid);
  if (early !== undefined) return exited(now, pid, early);
  if (process.pendingSignal !== undefined) {
    effects.push({ kind: 'signal', pid, signal: process.pendingSignal });
  }
  if (process.started || !process.scripted) answerCreate(now, process, pid);
}

function spawnFailed(now: LocalStep, puid: bigint, status: number, info: string) {
  const process = now.state.processes.get(puid);
  spawnSettled(now.state);
  if (process === undefined) return;
  refuseCreate(now, process, status, info);
  remove(now, process);
}

/** Exits of unknown processes are kept only while a spawn may turn out to be theirs. */
function spawnSettled(state: LocalState) {
  state.spawning -= 1;
  if (state.spawning === 0) state.earlyExits.clear();
}

function started(now: LocalStep, puid: bigint) {
  const process = now.state.processes.get(puid);
  if (process === undefined) return unusable(now, `no process ${puid} runs here`);
  process.started = true;
  now.effects.push({ kind: 'end-start', puid });
  if (process.pid !== undefined) answerCreate(now, process, process.pid);
}

/** The process ends by itself; it is answered for when it has. */
function startFailed(now: LocalStep, puid: bigint, error: Uint8Array) {
  const process = now.state.processes.get(puid);
  if (process === undefined) return unusable(now, `no process ${puid} runs here`);
  process.startError = error.slice();
  killLater(now, process, FAILED_START_PATIENCE_MS);
}

function answerCreate({ effects }: LocalStep, process: LocalProcess, pid: number) {
  if (process.createTag === undefined) return;
  const ref = process.createTag;
  process.createTag = undefined;
  effects.push({
    kind: 'send',
    message: { type: 'LsProcessCreated', ref, err: Status.SUCCESS, pid },
  });
}

function refuseCreate({ effects }: LocalStep, process: LocalProcess, err: number, info: string) {
  if (process.createTag === undefined) return;
  const ref = process.createTag;
  process.createTag = undefined;
  const error = process.startError;
  effects.push({ kind: 'send', message: { type: 'LsProcessCreated', ref, err, info, error } });
}

function kill(now: LocalStep, { tag, puid, signal }: LsProcessKill) {
  const process = now.state.processes.get(puid);
  if (process !== undefined) sendSignal(now, process, signal);
  const err = process === undefined ? Status.NOT_FOUND : Status.SUCCESS;
  now.effects.push({ kind: 'send', message: { type: 'LsReply', ref: tag, err } });
}

function sendSignal({ effects }: LocalStep, process: LocalProcess, signal: number) {
  if (process.pid !== undefined) effects.push({ kind: 'signal', pid: process.pid, signal });
  else if (process.pendingSignal !== SIGKILL) process.pendingSignal = signal;
}

function end(now: LocalStep, { puid, patienceMs }: LsProcessEnd) {
  const process = now.state.processes.get(puid);
  if (process === undefined) return;
  if (patienceMs === 0) return sendSignal(now, process, SIGKILL);
  sendSignal(now, process, SIGTERM);
  killLater(now, process, patienceMs);
}

function killLater(now: LocalStep, process: LocalProcess, patienceMs: number) {
  const { state, effects, nowMs } = now;
  if (process.killTimer !== undefined) return;
  const id = state.nextTimer++;
  process.killTimer = id;
  state.killTimers.set(id, process.puid);
  effects.push({ kind: 'timer', id, atMs: nowMs + patienceMs });
}

function timer(now: LocalStep, id: number) {
  const { state } = now;
  if (id === state.teardownTimer) return patienceEnded(now);
  const process = state.processes.get(state.killTimers.get(id) ?? -1n);
  state.killTimers.delete(id);
  if (process === undefined) return;
  process.killTimer = undefined;
  sendSignal(now, process, SIGKILL);
}

function exited(now: LocalStep, pid: number, status: ExitStatus) {
  const { state, effects } = now;
  const process = state.processes.get(state.puidOfPid.get(pid) ?? -1n);
  if (process === undefined) {
    if (state.spawning > 0) state.earlyExits.set(pid, status);
    return;
  }
  for (const actorId of state.actors.get(pid) ?? []) effects.push({ kind: 'reclaim', actorId });
  state.actors.delete(pid);
  if (process.createTag === undefined) {
    const { puid, error } = process;
    const { code: exitCode, signal } = status;
    effects.push({
      kind: 'send',
      message: { type: 'LsProcessExit', puid, exitCode, signal, error },
    });
  } else {
    const how =
      status.signal === undefined ? `exit code ${status.code}` : `signal ${status.signal}`;
    refuseCreate(now, process, Status.PROCESS, `it ended before it had started, with ${how}`);
  }
  remove(now, process);
}

function remove(now: LocalStep, process: LocalProcess) {
  const { state, effects } = now;
  state.processes.delete(process.puid);
  if (process.pid !== undefined) state.puidOfPid.delete(process.pid);
  if (process.killTimer !== undefined) {
    state.killTimers.delete(process.killTimer);
    effects.push({ kind: 'clear-timer', id: process.killTimer });
  }
  if (process.scripted) effects.push({ kind: 'end-start', puid: process.puid });
  if (state.phase === 'halting') haltIfEmpty(now);
}

function actorAttached({ state }: LocalStep, actorId: number, pid: number) {
  const actors = state.actors.get(pid);
  if (actors === undefined) state.actors.set(pid, new Set([actorId]));
  else actors.add(actorId);
}

/** The end of a process may have been seen already, and its actors reclaimed with it. */
function actorDead({ state, effects }: LocalStep, actorId: number, pid: number) {
  const actors = state.actors.get(pid);
  if (!actors?.delete(actorId)) return;
  if (actors.size === 0) state.actors.delete(pid);
  effects.push({ kind: 'reclaim', actorId });
}

/** Asks everything to end. A repeated command replaces the patience of the one before. */
function teardown(now: LocalStep, { patienceMs }: LsTeardown) {
  const { state, effects, nowMs } = now;
  if (state.phase === 'halted') return;
  const first = state.phase === 'up';
  state.phase = 'halting';
  if (first) for (const process of state.processes.values()) sendSignal(now, process, SIGTERM);
  if (haltIfEmpty(now)) return;
  if (state.teardownTimer !== undefined) {
    effects.push({ kind: 'clear-timer', id: state.teardownTimer });
  }
  state.teardownTimer = state.nextTimer++;
  effects.push({ kind: 'timer', id: state.teardownTimer, atMs: nowMs + patienceMs });
}

/** First SIGKILL; when even that is not reported in time, the warden's sweep has to do. */
function patienceEnded(now: LocalStep) {
  const { state, effects, nowMs } = now;
  const left = [...state.processes.values()];
  if (state.killedAll) {
    const text = `processes have not ended after SIGKILL: ${left.map((p) => p.pid).join(', ')}`;
    effects.push({ kind: 'log', level: 'error', text });
    for (const process of left) refuseCreate(now, process, Status.STATE, 'shut down');
    return halt(now);
  }
  state.killedAll = true;
  for (const process of left) sendSignal(now, process, SIGKILL);
  state.teardownTimer = state.nextTimer++;
  effects.push({ kind: 'timer', id: state.teardownTimer, atMs: nowMs + LAST_PATIENCE_MS });
}

function haltIfEmpty(now: LocalStep): boolean {
  if (now.state.processes.size > 0) return false;
  halt(now);
  return true;
}

function halt({ state, effects }: LocalStep) {
  state.phase = 'halted';
  if (state.teardownTimer !== undefined) {
    effects.push({ kind: 'clear-timer', id: state.teardownTimer });
    state.teardownTimer = undefined;
  }
  effects.push({ kind: 'send', message: { type: 'LsHalted', nodeId: state.nodeId } });
}
