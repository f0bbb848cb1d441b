import { describe, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./shared-memory.program.ts', import.meta.url));

describe('properties of shared memory', () => {
  it('names and references follow a model, and nothing is left of them [PRP-058]', () => {
    program.passed('names and references');
  });

  it('a list is like a list whose slots have a size [PRP-059]', () => {
    program.passed('lists');
  });

  it('allocations of a pool never overlap and become one block again [PRP-060]', () => {
    program.passed('allocations');
  });
});
