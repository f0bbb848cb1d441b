import { describe, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./barrier.program.ts', import.meta.url));

describe('for every program, a barrier', () => {
  it('lets each generation go on together, after its action [PRP-027]', () => {
    program.passed('generations');
  });

  it('fails all after an abort, until a reset [PRP-028]', () => {
    program.passed('abort and reset');
  });

  it('is broken for all by a party that does not come [PRP-029]', () => {
    program.passed('parties that do not come');
  });
});
