/**
 * The table of the front end: from the launch of the back ends to the exit code.
 *
 * Every phase that waits has a timer, so that the run ends whatever happens. Bring-up is all or
 * nothing; once the head runs, a node other than the primary may leave. Non-goals: what the
 * effects do.
 */
import { decodeMessage, type Event, encodeMessage, type NodeInfo } from '../messages/index.ts';
import { missingText, nodesText } from '../overlay/ranges.ts';
import type { FrontEvent, FrontPhase, FrontStep, Outcome } from './front.ts';
import { rowsOf } from './table.ts';

const row = rowsOf<FrontPhase, FrontStep, FrontEvent>();

/** How long back ends and phases of the bring-up may take. */
export const BRING_UP_PATIENCE_MS = 30_000;
/** How long the phases of the tear-down may take. */
export const TEAR_DOWN_PATIENCE_MS = 10_000;
/** How long the last of it may take before the rest is killed, and how long that may take. */
export const LAST_PATIENCE_MS = 5000;
/** How much longer than a phase the front end waits for news of it. */
const MARGIN_MS = 5000;
const FAILURE = 1;

const tree: readonly FrontPhase[] = ['connecting', 'preparing', 'linking'];
const ordering: readonly FrontPhase[] = ['starting-global', 'starting-head'];
const rising: readonly FrontPhase[] = [...tree, ...ordering];
const falling: readonly FrontPhase[] = ['ending', 'unlinking', 'leaving'];

function say({ effects }: FrontStep, text: string): void {
  effects.push({ kind: 'say', text });
}

function keep({ state }: FrontStep, exitCode: number): void {
  state.exitCode ??= exitCode;
}

function begin(now: FrontStep, name: string, patienceMs: number, message?: Event): void {
  const { state, effects } = now;
  state.newest += 1;
  const body = message === undefined ? undefined : bytesOf(message);
  const phase = { type: 'FrontBegin', phase: state.newest, name, patienceMs, body } as const;
  effects.push({ kind: 'tell-primary', message: phase });
  effects.push({ kind: 'timer', afterMs: patienceMs + MARGIN_MS });
}

function bytesOf(message: Event): Uint8Array {
  return new Uint8Array(Buffer.concat(encodeMessage(message)));
}

function order({ effects }: FrontStep, what: 'global' | 'head'): void {
  effects.push({ kind: 'tell-primary', message: { type: 'FrontOrder', what } });
  effects.push({ kind: 'timer', afterMs: BRING_UP_PATIENCE_MS });
}

/** Takes down what there is; answers of the bring-up are no longer waited for. */
function abandon(now: FrontStep): void {
  begin(now, 'leave', LAST_PATIENCE_MS);
}

/** Ends the rest by force, and waits for its end. */
function close(now: FrontStep): void {
  now.effects.push({ kind: 'kill' });
  awaitExits(now);
}

function awaitExits({ state, effects }: FrontStep): void {
  const isEmpty = state.exited.size === state.count;
  effects.push({ kind: 'timer', afterMs: isEmpty ? 0 : LAST_PATIENCE_MS });
}

function isNewest({ state }: FrontStep, { phase }: Outcome): boolean {
  return phase === state.newest;
}

function isWhole({ missing, down, parts }: Outcome): boolean {
  return missing.length === 0 && down.length === 0 && parts.every(({ err }) => err === 0);
}

/** In the front end's words: who is missing, down, or has failed. */
function sayWhatIsWrong(now: FrontStep, outcome: Outcome, what: string, patienceMs: number): void {
  const { state } = now;
  const { missing, down, parts } = outcome;
  if (missing.length > 0) say(now, missingText(missing, patienceMs, what));
  const silent = down.filter((id) => !state.told.has(id));
  if (silent.length > 0) say(now, `${nodesText(silent)} left the run (${what})`);
  for (const id of silent) state.told.add(id);
  for (const { nodeId, err, info } of parts) {
    if (err !== 0) say(now, `node ${nodeId} failed: ${info ?? `status ${err}`} (${what})`);
  }
}

/** Tells of a node once. */
function tell(now: FrontStep, nodeId: number, text: string): void {
  if (now.state.told.has(nodeId)) return;
  now.state.told.add(nodeId);
  say(now, text);
}

type Trouble = Extract<FrontEvent, { kind: 'trouble' }>;

const services = {
  local: 'local services',
  agent: 'the transport agent',
  global: 'global services',
};

function tellTrouble(now: FrontStep, { nodeId, service, text }: Trouble): void {
  tell(
    now,
    nodeId,
    `${services[service]} of node ${nodeId} ended: ${text}; the node leaves the run`,
  );
}

function tellLost(now: FrontStep, { nodeId }: { readonly nodeId: number }): void {
  tell(now, nodeId, `node ${nodeId} is lost; its processes have ended`);
}

/** A phase of the bring-up that all nodes have answered. */
function risen(from: FrontPhase, to: FrontPhase, run: (now: FrontStep, outcome: Outcome) => void) {
  return row(`all nodes have answered: ${from}`, [from], 'outcome', {
    when: (now, { outcome }) => isNewest(now, outcome) && isWhole(outcome),
    to,
    run: (now, { outcome }) => run(now, outcome),
  });
}

/** A phase of the tear-down has ended, with whoever was left. */
function fallen(from: FrontPhase, to: FrontPhase, name: string, run: (now: FrontStep) => void) {
  return row(`a phase down is over: ${from}`, [from], 'outcome', {
    when: (now, { outcome }) => isNewest(now, outcome),
    to,
    run: (now, { outcome }) => {
      const { missing } = outcome;
      const what = `tear-down phase "${name}"`;
      const patienceMs = from === 'leaving' ? LAST_PATIENCE_MS : TEAR_DOWN_PATIENCE_MS;
      if (missing.length > 0) say(now, missingText(missing, patienceMs, what));
      run(now);
    },
  });
}

const phaseNames = { connecting: 'connect', preparing: 'services', linking: 'agents' } as const;

function nodeTable({ parts }: Outcome): Event {
  const nodes = parts.flatMap(({ body }): NodeInfo[] => {
    const message = body === undefined ? undefined : decodeMessage(body);
    return message?.type === 'LsNodeUp' ? [message.node] : [];
  });
  return { type: 'NodeTable', nodes };
}

const bringUp = [
  row('launch', ['idle'], 'begin', {
    to: 'launching',
    run: ({ effects }) =>
      effects.push({ kind: 'launch' }, { kind: 'timer', afterMs: BRING_UP_PATIENCE_MS }),
  }),
  row('the last back end is up', ['launching'], 'back-end-up', {
    when: ({ state }, { nodeId }) =>
      state.addresses.size + (state.addresses.has(nodeId) ? 0 : 1) === state.count,
    to: 'connecting',
    run: (now, { nodeId, address }) => {
      const { addresses } = now.state;
      addresses.set(nodeId, address);
      const sorted = [...addresses].sort(([a], [b]) => a - b).map(([, one]) => one);
      const table = { type: 'AddressTable', addresses: sorted } as const;
      begin(now, 'connect', BRING_UP_PATIENCE_MS, table);
    },
  }),
  row('a back end is up', ['launching'], 'back-end-up', {
    run: ({ state }, { nodeId, address }) => state.addresses.set(nodeId, address),
  }),
  row('back ends are missing', ['launching'], 'timer', {
    to: 'closing',
    run: (now) => {
      const { count, addresses } = now.state;
      const all = Array.from({ length: count }, (_, id) => id);
      const missing = all.filter((id) => !addresses.has(id));
      say(now, missingText(missing, BRING_UP_PATIENCE_MS, 'bring-up phase "launch"'));
      keep(now, FAILURE);
      close(now);
    },
  }),
  row('a back end has ended early', ['launching'], 'back-end-exit', {
    to: 'closing',
    run: (now, { nodeId, how }) => {
      now.state.exited.add(nodeId);
      tell(now, nodeId, `node ${nodeId} ended before the run was up: ${how}`);
      keep(now, FAILURE);
      close(now);
    },
  }),
  row('an end is asked for during the launch', ['launching'], 'end', {
    to: 'closing',
    run: (now, { exitCode }) => {
      keep(now, exitCode);
      close(now);
    },
  }),
  risen('connecting', 'preparing', (now) => begin(now, 'services', BRING_UP_PATIENCE_MS)),
  risen('preparing', 'linking', (now, outcome) =>
    begin(now, 'agents', BRING_UP_PATIENCE_MS, nodeTable(outcome)),
  ),
  risen('linking', 'starting-global', (now) => order(now, 'global')),
  row('a phase of the bring-up has failed', tree, 'outcome', {
    when: (now, { outcome }) => isNewest(now, outcome),
    to: 'leaving',
    run: (now, { outcome }) => {
      const name = phaseNames[now.state.phase as keyof typeof phaseNames];
      sayWhatIsWrong(now, outcome, `bring-up phase "${name}"`, BRING_UP_PATIENCE_MS);
      keep(now, FAILURE);
      abandon(now);
    },
  }),
  row('global services are up', ['starting-global'], 'answer', {
    when: (_, { what, err }) => what === 'global' && err === 0,
    to: 'starting-head',
    run: (now) => order(now, 'head'),
  }),
  row('the head runs', ['starting-head'], 'answer', {
    when: (_, { what, err }) => what === 'head' && err === 0,
    to: 'running',
    run: ({ effects }) => effects.push({ kind: 'timer', afterMs: Number.POSITIVE_INFINITY }),
  }),
  row('an order has failed', ordering, 'answer', {
    when: (_, { err }) => err !== 0,
    to: 'leaving',
    run: (now, { what, info = 'no reason was given' }) => {
      say(now, `${what === 'head' ? 'the head' : 'global services'} could not be started: ${info}`);
      keep(now, FAILURE);
      abandon(now);
    },
  }),
  row('a service dies during the bring-up', rising, 'trouble', {
    to: 'leaving',
    run: (now, trouble) => {
      tellTrouble(now, trouble);
      keep(now, FAILURE);
      abandon(now);
    },
  }),
  row('a node is lost during the bring-up', rising, 'node-lost', {
    to: 'leaving',
    run: (now, lost) => {
      tellLost(now, lost);
      keep(now, FAILURE);
      abandon(now);
    },
  }),
  row('an end is asked for during the bring-up', rising, 'end', {
    to: 'leaving',
    run: (now, { exitCode }) => {
      keep(now, exitCode);
      abandon(now);
    },
  }),
];

const tearDown = [
  row('the head has ended', ['starting-head', 'running'], 'head-exit', {
    to: 'ending',
    run: (now, { code }) => {
      keep(now, code);
      begin(now, 'processes', TEAR_DOWN_PATIENCE_MS);
    },
  }),
  row('an end is asked for', ['running'], 'end', {
    to: 'ending',
    run: (now, { exitCode }) => {
      keep(now, exitCode);
      begin(now, 'processes', TEAR_DOWN_PATIENCE_MS);
    },
  }),
  row('global services have died', ['running'], 'trouble', {
    when: (_, { service }) => service === 'global',
    to: 'leaving',
    run: (now, trouble) => {
      tellTrouble(now, trouble);
      keep(now, FAILURE);
      abandon(now);
    },
  }),
  row('a service has died', ['running', ...falling], 'trouble', { run: tellTrouble }),
  row('a node is lost', ['running', ...falling], 'node-lost', { run: tellLost }),
  fallen('ending', 'unlinking', 'processes', (now) =>
    begin(now, 'disconnect', TEAR_DOWN_PATIENCE_MS),
  ),
  fallen('unlinking', 'leaving', 'disconnect', (now) => begin(now, 'leave', LAST_PATIENCE_MS)),
  fallen('leaving', 'closing', 'leave', awaitExits),
  row('a second end is asked for', falling, 'end', { to: 'closing', run: close }),
  row('the primary node is lost', [...rising, 'running', ...falling], 'primary-lost', {
    to: 'closing',
    run: (now) => {
      tell(now, 0, 'the primary node is lost; the run ends');
      keep(now, FAILURE);
      close(now);
    },
  }),
  row('the primary node is silent', [...rising, ...falling], 'timer', {
    to: 'closing',
    run: (now) => {
      say(now, 'the primary node does not answer; the run is ended by force');
      keep(now, FAILURE);
      close(now);
    },
  }),
  row('the last back end has ended', ['closing'], 'back-end-exit', {
    when: ({ state }, { nodeId }) =>
      state.exited.size + (state.exited.has(nodeId) ? 0 : 1) === state.count,
    to: 'over',
    run: ({ state, effects }) => effects.push({ kind: 'exit', code: state.exitCode ?? FAILURE }),
  }),
  row('a back end has ended', [...rising, 'running', ...falling, 'closing'], 'back-end-exit', {
    run: ({ state }, { nodeId }) => state.exited.add(nodeId),
  }),
  row('patience is over', ['closing'], 'timer', {
    to: 'over',
    run: ({ state, effects }) => {
      effects.push({ kind: 'kill' }, { kind: 'exit', code: state.exitCode ?? FAILURE });
    },
  }),
];

export const frontRows = [...bringUp, ...tearDown];
