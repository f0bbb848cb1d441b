import { describe, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./process-ends.program.ts', import.meta.url));

describe('subclasses and ends', () => {
  it('_TestSubclassingProcess.test_subclassing [CPT-024]', () => {
    program.passed('test_subclassing');
  });
  it('_TestSubclassingProcess.test_stderr_flush [CPT-025]', () => {
    program.passed('test_stderr_flush');
  });
  it('_TestSubclassingProcess.test_sys_exit [CPT-026]', () => program.passed('test_sys_exit'));
  it('_TestFinalize.test_finalize [CPT-190]', () => program.passed('test_finalize'));
  it('TestAtExit.test_atexit [CPT-238]', () => program.passed('test_atexit'));
});

describe('logging', () => {
  it('_TestLogging.test_enable_logging [CPT-193]', () => program.passed('test_enable_logging'));
  it('_TestLogging.test_level [CPT-194]', () => program.passed('test_level'));
  it('_TestLogging.test_filename [CPT-242]', () => program.passed('test_filename'));
});

describe('signals during waits', () => {
  it('_TestPollEintr.test_poll_eintr [CPT-172]', () => program.passed('test_poll_eintr'));
  it('TestIgnoreEINTR.test_ignore [CPT-188]', () => program.passed('test_ignore'));
});
