import { describe, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./condition.program.ts', import.meta.url));

describe('for every program, a condition', () => {
  it('wakes those that came first, and remembers no notify [PRP-022]', () => {
    program.passed('notify');
  });

  it('ends no wait without a notify, and each with the lock [PRP-023]', () => {
    program.passed('no wait ends by itself');
  });

  it('is used with the lock, and tells what the predicate said [PRP-024]', () => {
    program.passed('with the lock');
  });

  it('makes a bounded buffer that loses nothing [PRP-025]', () => {
    program.passed('bounded buffer');
  });
});
