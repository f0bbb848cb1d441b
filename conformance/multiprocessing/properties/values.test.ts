import { describe, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./values.program.ts', import.meta.url));

describe('properties of shared values', () => {
  it('increments of several processes under the lock all count [PRP-030]', () => {
    program.passed('increments');
  });

  it('what is read is what ctypes has for what was written [PRP-031]', () => {
    program.passed('conversions');
  });

  it('an array is like an array of JavaScript, and begins as zeros [PRP-032]', () => {
    program.passed('arrays');
  });

  it('no element is ever seen half written [PRP-033]', () => {
    program.passed('whole elements');
  });

  it('fields lie where the C++ compiler puts them [PRP-034]', () => {
    program.passed('layouts');
  });
});
