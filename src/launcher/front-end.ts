/**
 * What signals, exits and deaths mean for a run: one step from an event to its effects.
 *
 * Goals: pure; every rule about Ctrl-C, patience and exit codes is here and nowhere else.
 * Non-goals: no clock, no process, no output (`run.ts` carries the effects out).
 */
import { constants } from 'node:os';

const { SIGINT, SIGTERM, SIGHUP, SIGQUIT } = constants.signals;

/** Signals that the launcher watches. */
export const watchedSignals: readonly number[] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];

/** Two interrupts that come closer than a finger moves are one. */
const SAME_PRESS_MS = 50;
/** A wrapper such as npm passes on the interrupt that the terminal has sent to everybody. */
const PASSED_ON_MS = 1000;
/** How long the head may take after SIGTERM or SIGHUP. */
export const TERMINATION_PATIENCE_MS = 5000;
/** How long processes that outlive the head may take after SIGTERM. */
export const GRACE_MS = 1000;
/** How long the warden may take beyond the grace before the launcher does its work. */
export const WARDEN_PATIENCE_MS = 6000;

export interface FrontEndState {
  phase: 'starting' | 'running' | 'ending' | 'over';
  exitCode: number;
  /** The last interrupt that counted, and the last that came from the terminal. */
  pressedAtMs: number;
  terminalAtMs: number;
  /** The signal that asked for the end, 0 if none did. */
  terminatedBy: number;
  /** Whether everything is being killed without grace. */
  killed: boolean;
}

export type FrontEndEvent =
  | {
      readonly kind: 'signal';
      readonly signal: number;
      readonly fromTerminal: boolean;
      readonly timeMs: number;
    }
  | { readonly kind: 'head-started' }
  /** The head could not be started; the text says why. */
  | { readonly kind: 'start-failed'; readonly text: string; readonly exitCode: number }
  | { readonly kind: 'head-exited'; readonly code?: number; readonly signal?: number }
  | { readonly kind: 'patience-over' }
  | { readonly kind: 'halted'; readonly left: number }
  | { readonly kind: 'warden-gone'; readonly code?: number; readonly signal?: number };

export type FrontEndEffect =
  | { readonly kind: 'signal-head'; readonly signal: number }
  /** Replaces the timer that runs. */
  | { readonly kind: 'timer'; readonly afterMs: number }
  /** The warden ends everything, with SIGTERM first unless the grace is 0. */
  | { readonly kind: 'halt'; readonly graceMs: number }
  /** The launcher itself ends everything and removes the directory. */
  | { readonly kind: 'sweep' }
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'exit'; readonly code: number };

export function frontEndState(): FrontEndState {
  return {
    phase: 'starting',
    exitCode: 0,
    pressedAtMs: Number.NEGATIVE_INFINITY,
    terminalAtMs: Number.NEGATIVE_INFINITY,
    terminatedBy: 0,
    killed: false,
  };
}

export function step(state: FrontEndState, event: FrontEndEvent): FrontEndEffect[] {
  if (state.phase === 'over') return [];
  switch (event.kind) {
    case 'signal':
      return event.signal === SIGINT ? interrupted(state, event) : terminated(state, event);
    case 'head-started':
      if (state.phase === 'starting') state.phase = 'running';
      return [];
    case 'start-failed':
      return [{ kind: 'say', text: event.text }, ...end(state, event.exitCode, 0)];
    case 'head-exited':
      return headExited(state, event);
    case 'patience-over':
      return patienceOver(state);
    case 'halted':
      return halted(state, event.left);
    case 'warden-gone':
      return wardenGone(state, event);
  }
}

type SignalEvent = Extract<FrontEndEvent, { kind: 'signal' }>;

function interrupted(state: FrontEndState, event: SignalEvent): FrontEndEffect[] {
  const { fromTerminal, timeMs } = event;
  const isPassedOn = !fromTerminal && timeMs - state.terminalAtMs < PASSED_ON_MS;
  const isSamePress = timeMs - state.pressedAtMs < SAME_PRESS_MS;
  if (fromTerminal) state.terminalAtMs = timeMs;
  if (isPassedOn || isSamePress) return [];
  const isSecond = state.pressedAtMs !== Number.NEGATIVE_INFINITY;
  state.pressedAtMs = timeMs;
  if (state.phase === 'starting') return end(state, 128 + SIGINT, 0);
  if (isSecond) return end(state, 128 + SIGINT, 0);
  if (state.phase === 'ending') return kill(state);
  return fromTerminal ? [] : [{ kind: 'signal-head', signal: SIGINT }];
}

function terminated(state: FrontEndState, event: SignalEvent): FrontEndEffect[] {
  const { signal, fromTerminal } = event;
  if (state.phase === 'starting') return end(state, 128 + signal, 0);
  // A quit from the terminal has reached the head, and does not mean the launcher.
  if (signal === SIGQUIT) return fromTerminal ? [] : [{ kind: 'signal-head', signal }];
  if (state.phase === 'ending') return kill(state);
  if (state.terminatedBy !== 0) return [];
  state.terminatedBy = signal;
  return [
    { kind: 'signal-head', signal },
    { kind: 'timer', afterMs: TERMINATION_PATIENCE_MS },
  ];
}

function headExited(
  state: FrontEndState,
  { code, signal }: { readonly code?: number; readonly signal?: number },
): FrontEndEffect[] {
  if (state.phase === 'ending') return [];
  return end(state, signal === undefined ? (code ?? 0) : 128 + signal, GRACE_MS);
}

/** Begins the end, or makes one that has begun harder. */
function end(state: FrontEndState, exitCode: number, graceMs: number): FrontEndEffect[] {
  state.exitCode = exitCode;
  state.phase = 'ending';
  state.killed ||= graceMs === 0;
  return [
    { kind: 'halt', graceMs },
    { kind: 'timer', afterMs: graceMs + WARDEN_PATIENCE_MS },
  ];
}

/** Ends the grace; the exit code stays what it is. */
function kill(state: FrontEndState): FrontEndEffect[] {
  return state.killed ? [] : end(state, state.exitCode, 0);
}

function patienceOver(state: FrontEndState): FrontEndEffect[] {
  if (state.phase === 'running') return end(state, 128 + state.terminatedBy, 0);
  const text = 'the warden does not answer; its processes were ended without it';
  return [{ kind: 'say', text }, ...sweepAndExit(state, 1)];
}

function halted(state: FrontEndState, left: number): FrontEndEffect[] {
  if (left === 0) return [];
  // The warden stays until they end, and then removes the directory.
  state.phase = 'over';
  const text = 'a process does not end even after SIGKILL; the warden waits for it';
  return [
    { kind: 'say', text },
    { kind: 'exit', code: state.exitCode },
  ];
}

/** Either the halt is complete, or the warden was killed. */
function wardenGone(
  state: FrontEndState,
  { code, signal }: { readonly code?: number; readonly signal?: number },
): FrontEndEffect[] {
  if (state.phase === 'ending' && code === 0) {
    state.phase = 'over';
    return [{ kind: 'exit', code: state.exitCode }];
  }
  const how = signal === undefined ? `exited with ${code}` : `was ended by signal ${signal}`;
  const text = `the warden ${how}; the run was ended without it`;
  return [{ kind: 'say', text }, ...sweepAndExit(state, 1)];
}

function sweepAndExit(state: FrontEndState, code: number): FrontEndEffect[] {
  state.phase = 'over';
  return [{ kind: 'sweep' }, { kind: 'exit', code }];
}
