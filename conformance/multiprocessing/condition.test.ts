import { describe, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';

const program = checkProgram(new URL('./condition.program.ts', import.meta.url));

describe('conditions', () => {
  it('let others have the lock while they are waited for [CND-001, CND-002]', () => {
    program.passed('waits');
  });

  it('give a lock back as often as it is held [CND-001]', () => {
    program.passed('depth');
  });

  it('end the waits of those that came first [CND-002]', () => {
    program.passed('order');
  });

  it('are not waited for or notified without the lock [CND-003]', () => {
    program.passed('without the lock');
  });

  it('are waited for until something is so [CND-004]', () => {
    program.passed('predicates');
  });

  it('pass on the notify of a wait that was aborted [CND-005]', () => {
    program.passed('aborts');
  });

  it('survive the deaths of waiters and holders [CND-006]', () => {
    program.passed('deaths');
  });

  it('travel with their lock, and are closed for this process by close [CND-007]', () => {
    program.passed('travels and closes');
  });
});
