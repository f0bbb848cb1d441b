import { describe, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';

const program = checkProgram(new URL('./leaks.program.ts', import.meta.url));

describe('what a program leaves', () => {
  it('is nothing: memory, descriptors and threads are as before [PRO-026]', () => {
    program.passed('everything returns to the base line');
  });
});
