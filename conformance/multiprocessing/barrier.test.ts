import { describe, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';

const program = checkProgram(new URL('./barrier.program.ts', import.meta.url));

describe('barriers', () => {
  it('let all parties go on when the last one has come [BAR-001]', () => {
    program.passed('passes');
  });

  it('are broken by a party that comes too late [BAR-002]', () => {
    program.passed('time-outs');
  });

  it('are broken by abort, and made fresh by reset [BAR-003]', () => {
    program.passed('abort and reset');
  });

  it('are broken by an aborted wait [BAR-004]', () => {
    program.passed('aborted waits');
  });

  it('run an action once, before anybody goes on [BAR-005]', () => {
    program.passed('actions');
  });

  it('are broken by an action that fails [BAR-006]', () => {
    program.passed('failing actions');
  });

  it('are broken by the death of a party [BAR-007]', () => {
    program.passed('deaths');
  });

  it('are closed for this process by close, and travel whole [BAR-008]', () => {
    program.passed('close');
  });
});
