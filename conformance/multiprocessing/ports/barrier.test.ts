import { it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./barrier.program.ts', import.meta.url));

it('_TestBarrier.test_barrier [CPT-056]', () => {
  program.passed('barrier');
});

it('_TestBarrier.test_barrier_10 [CPT-057]', () => {
  program.passed('barrier 10');
});

it('_TestBarrier.test_wait_return [CPT-058]', () => {
  program.passed('wait return');
});

it('_TestBarrier.test_action [CPT-059]', () => {
  program.passed('action');
});

it('_TestBarrier.test_abort [CPT-060]', () => {
  program.passed('abort');
});

it('_TestBarrier.test_reset [CPT-061]', () => {
  program.passed('reset');
});

it('_TestBarrier.test_abort_and_reset [CPT-062]', () => {
  program.passed('abort and reset');
});

it('_TestBarrier.test_timeout [CPT-063]', () => {
  program.passed('timeout');
});

it('_TestBarrier.test_default_timeout [CPT-064]', () => {
  program.passed('default timeout');
});

it('_TestBarrier.test_single_thread [CPT-065]', () => {
  program.passed('single thread');
});

it('_TestBarrier.test_thousand [CPT-066]', () => {
  program.passed('thousand');
});
