import { describe, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';

const program = checkProgram(new URL('./semaphore.program.ts', import.meta.url));

describe('semaphores', () => {
  it('have the permits that were given and not taken [SEM-001]', () => {
    program.passed('permits');
  });

  it('are taken in three forms that wait in one line [SEM-002]', () => {
    program.passed('forms');
  });

  it('give several permits in one step [SEM-003]', () => {
    program.passed('several permits');
  });

  it('are never taken by a waiter that has gone [SEM-004]', () => {
    program.passed('gone waiters take nothing');
  });

  it('have guards and sections that give back what they took [SEM-005]', () => {
    program.passed('guards');
  });

  it('refuse to be given too much if they are bounded [SEM-006, SEM-008]', () => {
    program.passed('bounded');
  });

  it('keep the permits of the dead taken, and serve the living [SEM-007]', () => {
    program.passed('deaths');
  });

  it('are closed for this process by close [SEM-008]', () => {
    program.passed('close');
  });
});
