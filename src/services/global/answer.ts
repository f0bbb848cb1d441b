/**
 * Answering requests, and the waits that answer them later.
 *
 * Goals: one place where an open wait is entered into and taken out of every index.
 * Non-goals: when a wait is over is decided in joins.ts and names.ts.
 */
import { errorTable, Status } from '../../runtime/errors/codes.ts';
import type { Reply } from '../messages/index.ts';
import { type Asker, type GlobalStep, requestKey, type Wait } from './state.ts';

/** Answers with a status that has no body. */
export function refuse(step: GlobalStep, asker: Asker, status: number, info?: string) {
  const text = info ?? errorTable[status]?.text;
  reply(step, asker, { type: 'GsReply', ref: asker.tag, err: status, info: text });
}

export function succeed(step: GlobalStep, asker: Asker) {
  reply(step, asker, { type: 'GsReply', ref: asker.tag, err: Status.SUCCESS });
}

export function reply(step: GlobalStep, asker: Asker, message: Reply) {
  step.effects.push({ kind: 'reply', to: asker, message });
}

function keyOf({ puid, actor, tag }: Asker): string {
  return requestKey(puid, actor, tag);
}

/** Enters a wait; it ends by `endWait`, at the latest when its timer strikes. */
export function beginWait(step: GlobalStep, wait: Wait, timeoutMs: number | undefined): number {
  const { state, effects, nowMs } = step;
  const id = state.nextWait++;
  state.waits.set(id, wait);
  state.waitOfRequest.set(keyOf(wait.asker), id);
  addTo(state.waitsOfPuid, wait.asker.puid, id);
  if (timeoutMs !== undefined) effects.push({ kind: 'timer', id, atMs: nowMs + timeoutMs });
  return id;
}

/** Takes a wait out of every index. The caller answers it. */
export function endWait(step: GlobalStep, id: number): Wait | undefined {
  const { state, effects } = step;
  const wait = state.waits.get(id);
  if (wait === undefined) return undefined;
  state.waits.delete(id);
  state.waitOfRequest.delete(keyOf(wait.asker));
  removeFrom(state.waitsOfPuid, wait.asker.puid, id);
  if (wait.kind === 'name') removeFrom(state.nameWaits, wait.name, id);
  else for (const puid of wait.open) state.processes.get(puid)?.joins.delete(id);
  effects.push({ kind: 'clear-timer', id });
  return wait;
}

export function addTo<K, V>(index: Map<K, Set<V>>, key: K, id: V) {
  const ids = index.get(key);
  if (ids === undefined) index.set(key, new Set([id]));
  else ids.add(id);
}

export function removeFrom<K, V>(index: Map<K, Set<V>>, key: K, id: V) {
  const ids = index.get(key);
  ids?.delete(id);
  if (ids?.size === 0) index.delete(key);
}
