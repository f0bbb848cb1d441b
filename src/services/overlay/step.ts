/**
 * One node of the overlay: one step from an event to the effects that it has.
 *
 * A phase's message goes to the children as it comes; answers of the own part of the tree are
 * gathered and go to the parent when they are complete, or when patience runs out. Answers are
 * sets of nodes, so one that arrives twice, or over another way, changes nothing.
 */
import type { NodePart, OverlayDown, OverlayUp } from '../messages/index.ts';
import { membersOf, rangesOf } from './ranges.ts';
import type {
  OverlayEffect,
  OverlayEvent,
  OverlayMessage,
  OverlayState,
  OverlayStep,
  Phase,
  PhaseOutcome,
} from './state.ts';
import { childrenOf, depthOf, heightOf, isBelow, PRIMARY, parentOf, subtreeSize } from './tree.ts';
import * as watch from './watch.ts';

export function step(state: OverlayState, event: OverlayEvent): OverlayEffect[] {
  const effects: OverlayEffect[] = [];
  if (state.isCutOff) return effects;
  const now: OverlayStep = { state, effects, nowMs: event.nowMs };
  switch (event.kind) {
    case 'start':
      watch.beat(now);
      break;
    case 'begin': {
      const { phase, name, patienceMs, body } = event;
      const down = rangesOf(state.dead);
      begin(now, { type: 'OverlayDown', phase, name, patienceMs, body, down });
      break;
    }
    case 'answer':
      answer(now, event.phase, event.part);
      break;
    case 'message':
      received(now, event.from, event.message);
      break;
    case 'link-down':
      if (watch.linkDown(now, event.nodeId)) viewChanged(now);
      break;
    case 'timer':
      if (event.id === 'phase') patienceOver(now);
      else if (watch.beat(now)) viewChanged(now);
      break;
  }
  return effects;
}

function received(now: OverlayStep, from: number, message: OverlayMessage) {
  const { state } = now;
  if (state.dead.has(from)) return watch.tellDead(now, from);
  state.heardMs.set(from, now.nowMs);
  switch (message.type) {
    case 'OverlayDown':
      if (watch.learn(now, message.down)) viewChanged(now);
      if (!state.isCutOff) down(now, message);
      break;
    case 'OverlayUp':
      up(now, from, message);
      break;
    case 'OverlayBeat':
      if (watch.learn(now, message.down)) viewChanged(now);
      break;
    case 'OverlayLost':
      if (watch.lost(now, message.nodeId)) viewChanged(now);
      break;
  }
}

function begin(now: OverlayStep, message: OverlayDown) {
  const { state, effects, nowMs } = now;
  const { patienceMs } = message;
  const phase: Phase = {
    down: message,
    answered: new Set(),
    parts: new Map(),
    told: new Set(),
    isLate: false,
    isOver: false,
  };
  state.phase = phase;
  for (const to of state.children) effects.push({ kind: 'send', to, message });
  // Who is lower gives up earlier, so that what it has is here before this node gives up.
  const levels = heightOf(state.shape) + 1;
  const waitMs = (patienceMs * (levels - depthOf(state.shape, state.nodeId))) / levels;
  effects.push({ kind: 'timer', id: 'phase', atMs: nowMs + waitMs });
  effects.push({ kind: 'deliver', message });
}

function down(now: OverlayStep, message: OverlayDown) {
  const { phase } = now.state;
  if (phase === undefined || message.phase > phase.down.phase) return begin(now, message);
  if (message.phase < phase.down.phase) return drop(now);
  // From a parent that has just adopted this node, and knows nothing of its answers.
  phase.told = new Set();
  gather(now, phase);
}

function answer(now: OverlayStep, number: number, part: Omit<NodePart, 'nodeId'> | undefined) {
  const { nodeId, phase } = now.state;
  if (phase?.down.phase !== number) return drop(now);
  phase.answered.add(nodeId);
  if (part !== undefined) phase.parts.set(nodeId, { nodeId, ...part });
  gather(now, phase);
}

function up(now: OverlayStep, from: number, message: OverlayUp) {
  const { state } = now;
  const { phase, shape } = state;
  if (phase?.down.phase !== message.phase || !isBelow(shape, from, state.nodeId)) return drop(now);
  for (const id of membersOf(message.answered, shape.count)) {
    if (isBelow(shape, id, from)) phase.answered.add(id);
  }
  for (const part of message.parts) {
    const { body } = part;
    if (isBelow(shape, part.nodeId, from) && !phase.parts.has(part.nodeId)) {
      phase.parts.set(part.nodeId, { ...part, body: body?.slice() });
    }
  }
  gather(now, phase);
}

function drop({ state }: OverlayStep) {
  state.dropped += 1;
}

/** How many nodes of the own part of the tree live and have not answered. */
function openCount({ nodeId, shape, dead }: OverlayState, { answered }: Phase): number {
  let open = subtreeSize(shape, nodeId);
  for (const id of dead) if (isBelow(shape, id, nodeId)) open -= 1;
  for (const id of answered) if (!dead.has(id)) open -= 1;
  return open;
}

/** Ends the phase at the primary, or tells the parent, when there is something to tell. */
function gather(now: OverlayStep, phase: Phase) {
  const { state } = now;
  if (phase.isOver || (!phase.isLate && openCount(state, phase) > 0)) return;
  if (state.nodeId === PRIMARY) return finish(now, phase);
  const news = [...phase.answered].filter((id) => !phase.told.has(id));
  if (news.length === 0 || state.parent === undefined) return;
  for (const id of news) phase.told.add(id);
  const message: OverlayUp = {
    type: 'OverlayUp',
    phase: phase.down.phase,
    answered: rangesOf(news),
    parts: news.flatMap((id) => phase.parts.get(id) ?? []),
  };
  now.effects.push({ kind: 'send', to: state.parent, message });
  if (openCount(state, phase) > 0) return;
  now.effects.push({ kind: 'clear-timer', id: 'phase' });
  now.effects.push({ kind: 'gathered', phase: phase.down.phase });
}

function patienceOver(now: OverlayStep) {
  const { phase } = now.state;
  if (phase === undefined || phase.isOver) return;
  phase.isLate = true;
  gather(now, phase);
}

function finish({ state, effects }: OverlayStep, phase: Phase) {
  const { shape, dead } = state;
  phase.isOver = true;
  const living = Array.from({ length: shape.count }, (_, id) => id).filter((id) => !dead.has(id));
  const answered = living.filter((id) => phase.answered.has(id));
  const { phase: number, name, patienceMs } = phase.down;
  const outcome: PhaseOutcome = {
    phase: number,
    name,
    patienceMs,
    answered,
    parts: answered.flatMap((id) => phase.parts.get(id) ?? []),
    down: [...dead].sort((a, b) => a - b),
    missing: living.filter((id) => !phase.answered.has(id)),
  };
  effects.push({ kind: 'clear-timer', id: 'phase' }, { kind: 'done', outcome });
  effects.push({ kind: 'gathered', phase: number });
}

/** Nodes are down that were not before: the tree is made anew, and its new edges are used. */
function viewChanged(now: OverlayStep) {
  const { state, effects } = now;
  if (state.isCutOff) return;
  const { nodeId, shape, dead, phase } = state;
  const before = new Set(state.children);
  const parent = parentOf(shape, dead, nodeId);
  state.children = childrenOf(shape, dead, nodeId);
  watch.tellView(now);
  for (const to of state.children) {
    if (before.has(to)) continue;
    state.heardMs.set(to, now.nowMs);
    if (phase === undefined || phase.isOver) continue;
    const message = { ...phase.down, down: rangesOf(dead) };
    effects.push({ kind: 'send', to, message });
  }
  if (parent !== state.parent) {
    state.parent = parent;
    if (parent !== undefined) state.heardMs.set(parent, now.nowMs);
    if (phase !== undefined) phase.told = new Set();
  }
  if (phase !== undefined) gather(now, phase);
}
