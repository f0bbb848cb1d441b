/**
 * Who is there: beats between neighbours, lost nodes, and being cut off.
 *
 * A parent decides that a child is lost, and never the other way: so two that do not hear each
 * other agree on who is lost, the lower one. Only the primary adds to the set of lost nodes,
 * and the set only grows, so that views that differ for a while become one by union.
 * Functions that may change who is lost return whether they did.
 */
import type { NodeRange } from '../messages/index.ts';
import { membersOf, rangesOf } from './ranges.ts';
import { BEAT_MS, BEAT_PATIENCE_MS, CUT_OFF_MS, type OverlayStep } from './state.ts';
import { isBelow, PRIMARY } from './tree.ts';

/** A beat is due: tell the neighbours, and look who has not told for too long. */
export function beat(now: OverlayStep): boolean {
  const { state, effects, nowMs } = now;
  effects.push({ kind: 'timer', id: 'beat', atMs: nowMs + BEAT_MS });
  if (state.parent !== undefined && silentMs(now, state.parent) > CUT_OFF_MS) {
    cutOff(now, `node ${state.parent}, its parent, was not heard for ${CUT_OFF_MS / 1000} s`);
    return false;
  }
  const down = rangesOf(state.dead);
  const neighbours = state.parent === undefined ? [] : [state.parent];
  for (const to of [...neighbours, ...state.children]) {
    effects.push({ kind: 'send', to, message: { type: 'OverlayBeat', down } });
  }
  let changed = false;
  for (const child of state.children) {
    if (silentMs(now, child) > BEAT_PATIENCE_MS) changed = lost(now, child) || changed;
  }
  return changed;
}

/** How long a neighbour has been silent; it counts from when somebody first asked. */
function silentMs({ state, nowMs }: OverlayStep, nodeId: number): number {
  const heardMs = state.heardMs.get(nodeId);
  if (heardMs === undefined) state.heardMs.set(nodeId, nowMs);
  return nowMs - (heardMs ?? nowMs);
}

/** Tells the children who is lost. */
export function tellView({ state, effects }: OverlayStep): void {
  const message = { type: 'OverlayBeat', down: rangesOf(state.dead) } as const;
  for (const to of state.children) effects.push({ kind: 'send', to, message });
}

/** A lost node speaks: it does not know. */
export function tellDead({ state, effects }: OverlayStep, to: number): void {
  effects.push({ kind: 'send', to, message: { type: 'OverlayBeat', down: rangesOf(state.dead) } });
}

/** Somebody below is lost. The primary decides it; the others tell the primary. */
export function lost(now: OverlayStep, nodeId: number): boolean {
  const { state, effects } = now;
  if (nodeId === state.nodeId || !isBelow(state.shape, nodeId, state.nodeId)) return false;
  if (state.dead.has(nodeId)) return false;
  if (state.nodeId !== PRIMARY) {
    effects.push({ kind: 'send', to: PRIMARY, message: { type: 'OverlayLost', nodeId } });
    return false;
  }
  state.dead.add(nodeId);
  effects.push({ kind: 'node-down', nodeId });
  return true;
}

/** A connection has broken: a child is lost; without the primary there is no run. */
export function linkDown(now: OverlayStep, nodeId: number): boolean {
  if (nodeId === PRIMARY) {
    cutOff(now, 'the connection to the primary node has broken');
    return false;
  }
  return now.state.children.includes(nodeId) && lost(now, nodeId);
}

/** Takes over who is lost from a message that came from above. */
export function learn(now: OverlayStep, ranges: readonly NodeRange[]): boolean {
  const { state } = now;
  const { dead, nodeId, shape } = state;
  let changed = false;
  for (const id of membersOf(ranges, shape.count)) {
    if (id === nodeId) {
      cutOff(now, 'the other nodes have given it up');
      return false;
    }
    if (id === PRIMARY || dead.has(id) || nodeId === PRIMARY) continue;
    dead.add(id);
    changed = true;
  }
  return changed;
}

function cutOff({ state, effects }: OverlayStep, why: string) {
  state.isCutOff = true;
  effects.push({ kind: 'clear-timer', id: 'beat' }, { kind: 'clear-timer', id: 'phase' });
  effects.push({ kind: 'cut-off', why });
}
