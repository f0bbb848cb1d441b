/**
 * Global services: one step from an event to the effects that it has.
 *
 * The state is changed in place and nothing else is: no clock, socket or process is touched,
 * so the same events in the same order have the same effects. A message that has no meaning
 * here is counted, logged and, where it can be, answered with an error.
 */
import { Status } from '../../runtime/errors/codes.ts';
import { isRequest, type LsProcessCreated, type LsReply, type Message } from '../messages/index.ts';
import { endWait, refuse, succeed } from './answer.ts';
import * as joins from './joins.ts';
import * as names from './names.ts';
import { nodeDown, nodeList, nodeUp } from './nodes.ts';
import * as processes from './processes.ts';
import {
  type GlobalEffect,
  type GlobalEvent,
  type GlobalState,
  type GlobalStep,
  requestKey,
} from './state.ts';

export function step(state: GlobalState, event: GlobalEvent): GlobalEffect[] {
  const effects: GlobalEffect[] = [];
  const now: GlobalStep = { state, effects, nowMs: event.kind === 'message' ? event.nowMs : 0 };
  switch (event.kind) {
    case 'message':
      message(now, event.message);
      break;
    case 'unreadable':
      unusable(now, event.what);
      if (event.sender !== undefined) {
        refuse(now, { ...event.sender, puid: 0n }, Status.INVALID_MESSAGE, event.what);
      }
      break;
    case 'timer':
      deadline(now, event.id, undefined);
      break;
    case 'head':
      processes.enterHead(now, event.pid, event.nodeId, event.label);
      break;
    case 'node-down':
      nodeDown(now, event.nodeId);
      haltIfAllHave(now);
      break;
    case 'teardown':
      teardown(now, event);
      break;
  }
  return effects;
}

function message(now: GlobalStep, received: Message) {
  // What a process asked just before its end may come after the news of it.
  if (isRequest(received) && processes.hasEnded(now.state, received.puid)) return;
  switch (received.type) {
    case 'GsProcessCreate':
      return processes.create(now, received);
    case 'GsProcessQuery':
      return processes.query(now, received);
    case 'GsProcessList':
      return processes.list(now, received);
    case 'GsProcessJoin':
      return joins.join(now, received);
    case 'GsProcessKill':
      return processes.kill(now, received);
    case 'GsNameRegister':
      return names.register(now, received);
    case 'GsNameLookup':
      return names.lookup(now, received);
    case 'GsNameRelease':
      return names.release(now, received);
    case 'GsNameUnlink':
      return names.unlink(now, received);
    case 'GsNameList':
      return names.list(now, received);
    case 'GsNodeList':
      return nodeList(now, received);
    case 'GsCancel':
      return cancel(now, requestKey(received.puid, received.actor, received.cancelled));
    case 'LsNodeUp':
      return nodeUp(now, received.node);
    case 'LsProcessCreated':
    case 'LsReply':
      return answered(now, received);
    case 'LsProcessExit':
      return processes.exited(now, received);
    case 'LsHalted':
      return halted(now, received.nodeId);
    default:
      return unusable(now, `${received.type} is not for global services`);
  }
}

function unusable({ state, effects }: GlobalStep, what: string) {
  state.invalidMessages += 1;
  effects.push({ kind: 'log', level: 'error', text: `message dropped: ${what}` });
}

/** Local services have answered a command. */
function answered(now: GlobalStep, answer: LsProcessCreated | LsReply) {
  const { continuations } = now.state;
  const continuation = continuations.get(answer.ref);
  const expected = continuation?.kind === 'create' ? 'LsProcessCreated' : 'LsReply';
  if (continuation === undefined || answer.type !== expected) {
    return unusable(now, `no open command ${answer.ref} is answered by ${answer.type}`);
  }
  continuations.delete(answer.ref);
  if (answer.type === 'LsProcessCreated') return processes.created(now, continuation, answer);
  const { asker, puid } = continuation;
  if (answer.err === Status.SUCCESS) return succeed(now, asker);
  if (answer.err !== Status.NOT_FOUND) return refuse(now, asker, answer.err, answer.info);
  return refuse(now, asker, Status.STATE, `process ${puid} has ended`);
}

/** Ends a wait without success: its deadline has passed, or nobody wants it any more. */
function deadline(now: GlobalStep, id: number, info: string | undefined) {
  const wait = endWait(now, id);
  if (wait?.kind === 'join') joins.answer(now, wait, Status.TIMEOUT, info);
  else if (wait?.kind === 'name') refuse(now, wait.asker, Status.TIMEOUT, info);
}

function cancel(now: GlobalStep, key: string) {
  const id = now.state.waitOfRequest.get(key);
  if (id !== undefined) deadline(now, id, 'cancelled by the caller');
  else processes.abandonCreate(now, key);
}

type Teardown = Extract<GlobalEvent, { kind: 'teardown' }>;

function teardown(now: GlobalStep, { patienceMs, told = false }: Teardown) {
  const { state, effects } = now;
  if (state.phase === 'halted') return;
  state.phase = 'halting';
  for (const nodeId of state.nodes.keys()) {
    if (told || state.halted.has(nodeId)) continue;
    effects.push({ kind: 'send', nodeId, message: { type: 'LsTeardown', patienceMs } });
  }
  haltIfAllHave(now);
}

function halted(now: GlobalStep, nodeId: number) {
  if (now.state.nodes.has(nodeId)) now.state.halted.add(nodeId);
  haltIfAllHave(now);
}

function haltIfAllHave(now: GlobalStep) {
  const { phase, halted, nodes } = now.state;
  if (phase === 'halting' && halted.size === nodes.size) finish(now);
}

/** Nothing runs any more: whoever still waits is told so. */
function finish(now: GlobalStep) {
  const { state, effects } = now;
  state.phase = 'halted';
  for (const id of [...state.waits.keys()]) {
    const wait = endWait(now, id);
    if (wait !== undefined) refuse(now, wait.asker, Status.RUNTIME_GONE);
  }
  for (const { asker } of state.continuations.values()) refuse(now, asker, Status.RUNTIME_GONE);
  state.continuations.clear();
  effects.push({ kind: 'halted' });
}
