import { it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./event.program.ts', import.meta.url));

it('_TestEvent.test_event [CPT-054]', () => {
  program.passed('event');
});

it('_TestEvent.test_repr [CPT-055]', () => {
  program.passed('repr');
});
