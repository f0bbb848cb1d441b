/**
 * The table of a node's bring-up and tear-down.
 *
 * In every phase but the last two a node can be told to leave, can lose a service, and can be
 * cut off; each of these ends it. Non-goals: what the effects do.
 */
import type { NodeEvent, NodePhase, NodeStep } from './node.ts';
import { rowsOf } from './table.ts';

const row = rowsOf<NodePhase, NodeStep, NodeEvent>();

/** How long a node that leaves waits for the answers of those below it. */
export const LINGER_MS = 5000;

const live: readonly NodePhase[] = [
  ...(['joining', 'joined', 'preparing', 'prepared', 'linking', 'up'] as const),
  ...(['ending', 'ended', 'unlinking', 'unlinked'] as const),
];

function asks(name: string) {
  return (_: NodeStep, event: { readonly name: string }): boolean => event.name === name;
}

function answer({ state, effects }: NodeStep): void {
  effects.push({ kind: 'answer', phase: state.open });
}

function leave(now: NodeStep): void {
  answer(now);
  now.effects.push({ kind: 'timer', afterMs: LINGER_MS });
}

export const nodeRows = [
  row('connect', ['joining'], 'deliver', {
    when: asks('connect'),
    to: 'joined',
    run: (now, { body }) => {
      now.effects.push({ kind: 'learn-addresses', body });
      answer(now);
    },
  }),
  row('start local services', ['joined'], 'deliver', {
    when: asks('services'),
    to: 'preparing',
    run: ({ effects }) => effects.push({ kind: 'start-local' }),
  }),
  row('local services are up', ['preparing'], 'local-up', {
    to: 'prepared',
    run: ({ state, effects }, { body }) =>
      effects.push({ kind: 'answer', phase: state.open, part: { err: 0, body } }),
  }),
  row('a start has failed', ['preparing', 'linking'], 'start-failed', {
    run: ({ state, effects }, { err, info }) =>
      effects.push({ kind: 'answer', phase: state.open, part: { err, info } }),
  }),
  row('start the agent', ['prepared'], 'deliver', {
    when: asks('agents'),
    to: 'linking',
    run: ({ effects }, { body }) => effects.push({ kind: 'start-agent', body }),
  }),
  row('the agent is up', ['linking'], 'agent-up', { to: 'up', run: answer }),
  row('end the processes', ['up'], 'deliver', {
    when: asks('processes'),
    to: 'ending',
    run: ({ effects }, { patienceMs }) =>
      effects.push({ kind: 'end-processes', patienceMs: patienceMs / 4 }),
  }),
  row('no process is left', ['ending'], 'local-halted', { to: 'ended', run: answer }),
  row('stop the agent', ['ended'], 'deliver', {
    when: asks('disconnect'),
    to: 'unlinking',
    run: ({ effects }) => effects.push({ kind: 'stop-agent' }),
  }),
  row('the agent has stopped', ['unlinking'], 'agent-stopped', { to: 'unlinked', run: answer }),
  row('leave in order', ['unlinked'], 'deliver', {
    when: asks('leave'),
    to: 'leaving',
    run: leave,
  }),
  row('leave at once', live, 'deliver', {
    when: asks('leave'),
    to: 'leaving',
    run: (now) => {
      now.effects.push({ kind: 'kill' });
      leave(now);
    },
  }),
  row('all below have left', ['leaving'], 'gathered', {
    when: ({ state }, { phase }) => phase === state.open,
    to: 'gone',
    run: ({ effects }) => effects.push({ kind: 'exit', code: 0 }),
  }),
  row('some below do not leave', ['leaving'], 'timer', {
    to: 'gone',
    run: ({ effects }) => effects.push({ kind: 'exit', code: 0 }),
  }),
  row('a service has died', live, 'died', {
    to: 'gone',
    run: ({ effects }, { service, text }) =>
      effects.push({ kind: 'trouble', service, text }, { kind: 'kill' }, { kind: 'exit', code: 1 }),
  }),
  row('cut off', [...live, 'leaving'], 'cut-off', {
    to: 'gone',
    run: ({ effects }) => effects.push({ kind: 'kill' }, { kind: 'exit', code: 1 }),
  }),
  row('the front end is gone', live, 'front-gone', {
    run: ({ effects }) => effects.push({ kind: 'begin-leave' }),
  }),
] as const;
