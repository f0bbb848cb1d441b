import { currentNode } from 'dragon-runtime';
import { describe, expect, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';

const program = checkProgram(new URL('./meeting.program.ts', import.meta.url));

describe('a semaphore', () => {
  it('gives histories that one call after the other would give [EVT-010] [EVT-011]', () => {
    program.passed('semaphore histories');
  });

  it('gives its permits to the others when a waiter is killed [EVT-004] [EVT-012]', () => {
    program.passed('a waiter is killed');
  });
});

describe('a barrier', () => {
  it('lets nobody go before all have come, round after round [EVT-030]', () => {
    program.passed('barrier rounds');
  });

  it('follows its automaton [EVT-031] [EVT-032] [EVT-033]', () => {
    program.passed('barrier automaton');
  });

  it('is broken by a party that is killed, and fresh after a reset [EVT-032]', () => {
    program.passed('a party is killed');
  });
});

describe('a condition', () => {
  it('passes the notify of a waiter that is killed on [EVT-043]', () => {
    program.passed('a notified waiter is killed');
  });
});

describe('a broadcast', () => {
  it('goes on when writers are killed and readers stopped [EVT-004] [EVT-052] [EVT-053]', () => {
    program.passed('writers are killed and readers stopped');
  });
});

describe('a channel set', () => {
  it('brings each message to one of its watchers, in order [EVT-063]', () => {
    program.passed('channel set deliveries');
  });

  it('holds nobody up when a watcher is killed [EVT-063]', () => {
    program.passed('a watcher is killed');
  });
});

describe('the current node', () => {
  it("is the process's own attachment, in a run [EVT-093]", () => {
    program.passed('current node');
    expect(() => currentNode()).toThrow(expect.objectContaining({ code: 'ERR_NO_RUNTIME' }));
  });
});
