import { it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./rlock.program.ts', import.meta.url));

it('_TestLock.test_rlock [CPT-041]', () => {
  program.passed('rlock');
});

it('_TestLock.test_rlock in another process [CPT-041]', () => {
  program.passed('rlock of others');
});
