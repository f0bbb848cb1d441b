/**
 * The nodes of the run: which there are, which takes the next process, and what the loss of
 * one means for everything that was on it. A node that is down never comes back.
 */
import { Status } from '../../runtime/errors/codes.ts';
import type { GsNodeList, NodeInfo } from '../messages/index.ts';
import { reply } from './answer.ts';
import { objectsLost } from './names.ts';
import { lost } from './processes.ts';
import { type GlobalState, type GlobalStep, PRIMARY } from './state.ts';

export function nodeUp({ state }: GlobalStep, node: NodeInfo) {
  if (!state.down.has(node.nodeId)) state.nodes.set(node.nodeId, node);
}

export function nodeList(step: GlobalStep, request: GsNodeList) {
  const nodes = [...step.state.nodes.values()].sort((a, b) => a.nodeId - b.nodeId);
  const ref = request.tag;
  reply(step, request, { type: 'GsNodeListReply', ref, err: Status.SUCCESS, nodes });
}

/** The node whose turn it is to take a process. */
export function nextPlace(state: GlobalState): number {
  const count = state.nodes.size + state.down.size;
  for (let turn = 1; turn <= count; ++turn) {
    const nodeId = (state.lastPlace + turn) % count;
    if (!state.nodes.has(nodeId)) continue;
    state.lastPlace = nodeId;
    return nodeId;
  }
  return PRIMARY;
}

export function nodeDown(step: GlobalStep, nodeId: number) {
  const { state, effects } = step;
  if (state.down.has(nodeId)) return;
  state.down.add(nodeId);
  state.nodes.delete(nodeId);
  state.halted.delete(nodeId);
  effects.push({ kind: 'log', level: 'error', text: `node ${nodeId} has left the run` });
  // Names first: an object that is gone is nobody's, and no wait may be answered with it.
  objectsLost(step, nodeId);
  const here = [...state.processes.values()].filter((record) => record.nodeId === nodeId);
  for (const record of here) if (record.state !== 'dead') lost(step, record);
}
