import { describe, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./lock.program.ts', import.meta.url));

describe('ported tests of locks', () => {
  it('_TestLock.test_lock [CPT-040]', () => {
    program.passed('_TestLock.test_lock');
  });

  it('_TestLock.test_lock_context [CPT-042]', () => {
    program.passed('_TestLock.test_lock_context');
  });
});
