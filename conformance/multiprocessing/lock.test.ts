import { describe, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';

const program = checkProgram(new URL('./lock.program.ts', import.meta.url));

describe('locks', () => {
  it('have one holder at a time [LCK-001, PRP-012]', () => {
    program.passed('one holder at a time');
  });

  it('are taken and released like a boolean, by anybody [LCK-002, LCK-003, PRP-013]', () => {
    program.passed('follows a boolean');
  });

  it('are not taken at the time-out, and not before it [LCK-002]', () => {
    program.passed('time-outs');
  });

  it('are never taken by a waiter that has gone [LCK-004, PRP-014]', () => {
    program.passed('gone waiters take nothing');
  });

  it('reject with the reason of an abort [LCK-005]', () => {
    program.passed('aborts');
  });

  it('have guards that release their own acquisition only [LCK-010, LCK-011]', () => {
    program.passed('guards');
  });

  it('are held while a section runs [LCK-012]', () => {
    program.passed('run');
  });

  it('tell the next holder that the last one died [LCK-020]', () => {
    program.passed('the next holder is told of a death');
  });

  it('go to a waiter when their holder dies [LCK-020]', () => {
    program.passed("a waiter gets a dead holder's lock");
  });

  it('throw once from run, or as they were told to [LCK-021]', () => {
    program.passed('run throws once');
  });

  it('stay taken if they are not robust [LCK-022]', () => {
    program.passed('not robust');
  });

  it('survive a worker that is killed with a message in flight [LCK-023]', () => {
    program.passed('a killed worker hinders nobody');
  });

  it('are as they were when a process dies between two changes of its own [LCK-041]', () => {
    program.passed('killed between the changes of JavaScript');
  });

  it('go to who waits when a process dies before it wakes it [LCK-041]', () => {
    program.passed('killed before it wakes who waits');
  });

  it('are not released by a guard whose acquisition has ended before it was made [LCK-011]', () => {
    program.passed('taken away before the guard is made');
  });

  it('have acquisitions that no guard of an earlier one ends [LCK-011, LCK-042]', () => {
    program.passed('numbers');
  });

  it('are closed for this process by close [LCK-030]', () => {
    program.passed('close');
  });
});
