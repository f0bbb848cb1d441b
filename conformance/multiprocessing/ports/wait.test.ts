import { describe, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./wait.program.ts', import.meta.url));

describe('ported tests of waiting for many objects', () => {
  it('TestWait.test_wait [CPT-175]', () => {
    program.passed('testWait');
  });

  it('TestWait.test_wait_slow [CPT-176]', () => {
    program.passed('testWaitSlow');
  });

  it('TestWait.test_wait_socket [CPT-177]', () => {
    program.passed('testWaitSocket');
  });

  it('TestWait.test_wait_socket_slow [CPT-178]', () => {
    program.passed('testWaitSocketSlow');
  });

  it('TestWait.test_wait_timeout [CPT-179]', () => {
    program.passed('testWaitTimeout');
  });

  it('TestWait.test_wait_integer [CPT-180]', () => {
    program.passed('testWaitInteger');
  });

  it('TestWait.test_neg_timeout [CPT-181]', () => {
    program.passed('testNegTimeout');
  });
});
