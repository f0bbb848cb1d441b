import { describe, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./rlock.program.ts', import.meta.url));

describe('for every program, a re-entrant lock', () => {
  it('has one owner, who releases it as often as it took it [PRP-016]', () => {
    program.passed('owner and depth');
  });

  it('is held by one task of a thread at a time, and by what that calls [PRP-017]', () => {
    program.passed('tasks exclude each other');
  });

  it('and a semaphore are left as documented by a killed holder [PRP-021]', () => {
    program.passed('killed holders');
  });
});
