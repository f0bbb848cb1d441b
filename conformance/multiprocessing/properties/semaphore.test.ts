import { describe, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./semaphore.program.ts', import.meta.url));

describe('for every program, a semaphore', () => {
  it('has as many permits as were given and not taken [PRP-018]', () => {
    program.passed('value');
  });

  it('that is bounded is never above its bound [PRP-019]', () => {
    program.passed('bound');
  });

  it('has at most as many holders as permits at any time [PRP-020]', () => {
    program.passed('at most n holders');
  });
});
