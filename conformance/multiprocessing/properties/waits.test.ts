import { describe, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./waits.program.ts', import.meta.url));

describe('for every program, waits', () => {
  it('delay no timers and no files, and settle in any order [PRP-057]', () => {
    program.passed('pending waits delay nobody');
  });
});
