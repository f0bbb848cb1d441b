import { describe, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';

const program = checkProgram(new URL('./rlock.program.ts', import.meta.url));

describe('re-entrant locks', () => {
  it('are taken again by their holder, and released by nobody else [RLK-001]', () => {
    program.passed('nested');
  });

  it('are held by the thread after a call that blocks [RLK-001, RLK-002]', () => {
    program.passed('threads');
  });

  it('are held by one asynchronous task at a time [RLK-003]', () => {
    program.passed('tasks');
  });

  it('are held by what a task calls, and not by who calls it [RLK-003]', () => {
    program.passed('other tasks');
  });

  it('have guards that work from anywhere [RLK-004]', () => {
    program.passed('guards');
  });

  it('are never taken by a waiter that has gone [RLK-005]', () => {
    program.passed('gone waiters take nothing');
  });

  it('go to the next in line when their holder dies [RLK-006]', () => {
    program.passed('deaths');
  });

  it('are closed for this process by close [RLK-007]', () => {
    program.passed('close');
  });
});
