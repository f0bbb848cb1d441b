import { describe, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./handles.program.ts', import.meta.url));

describe('handles', () => {
  it('TestInvalidHandle.test_invalid_handles [CPT-182]', () => {
    program.passed('bogus handles');
  });
});
