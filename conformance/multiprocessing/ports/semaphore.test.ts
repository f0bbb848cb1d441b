import { it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./semaphore.program.ts', import.meta.url));

it('_TestSemaphore.test_semaphore [CPT-044]', () => {
  program.passed('semaphore');
});

it('_TestSemaphore.test_bounded_semaphore [CPT-045]', () => {
  program.passed('bounded semaphore');
});

it('_TestSemaphore.test_timeout [CPT-046]', () => {
  program.passed('timeout');
});
