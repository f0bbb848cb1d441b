import { describe, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';

const program = checkProgram(new URL('./event.program.ts', import.meta.url));

describe('events', () => {
  it('release everybody who waits when they are set [EVN-001]', () => {
    program.passed('waits');
  });

  it('abort a signal when they are set [EVN-002]', () => {
    program.passed('signals');
  });

  it('say whether they are set, and are closed for this process by close [EVN-003]', () => {
    program.passed('text and close');
  });
});
