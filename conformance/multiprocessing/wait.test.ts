import { describe, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';

const program = checkProgram(new URL('./wait.program.ts', import.meta.url));

describe('waiting for many objects', () => {
  it('gives exactly those that are ready, in order, each once [WTG-001, PRP-040]', () => {
    program.passed('the ready ones, in order, each once');
  });

  it('takes nothing, and ends when one becomes ready [WTG-001, WTG-002, WTG-007]', () => {
    program.passed('what becomes ready');
  });

  it('looks with a time-out of 0, and ends at its time-out [WTG-003, WTG-004, WTG-005]', () => {
    program.passed('looks and limits');
  });

  it('ends by signals and with closed objects [WTG-004, WTG-005]', () => {
    program.passed('signals and ends');
  });

  it('needs no thread and leaves nothing behind [WTG-006]', () => {
    program.passed('no threads, nothing left');
  });

  it('takes sockets, unless it blocks the thread [WTG-007, WTG-008]', () => {
    program.passed('sockets');
  });

  it('takes the ends of processes [WTG-009]', () => {
    program.passed('ends of processes');
  });
});
