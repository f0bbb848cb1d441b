import { it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./condition.program.ts', import.meta.url));

it('_TestCondition.test_notify [CPT-047]', () => {
  program.passed('notify');
});

it('_TestCondition.test_notify_all [CPT-048]', () => {
  program.passed('notify all');
});

it('_TestCondition.test_notify_n [CPT-049]', () => {
  program.passed('notify n');
});

it('_TestCondition.test_timeout [CPT-050]', () => {
  program.passed('timeout');
});

it('_TestCondition.test_waitfor [CPT-051]', () => {
  program.passed('waitfor');
});

it('_TestCondition.test_waitfor_timeout [CPT-052]', () => {
  program.passed('waitfor timeout');
});

it('_TestCondition.test_wait_result [CPT-053]', () => {
  program.passed('wait result');
});

it('_TestCondition.test_wait_result of a process that blocks [CPT-053]', () => {
  program.passed('wait result of a process that blocks');
});
