import { describe, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./connection.program.ts', import.meta.url));

describe('ported tests of connections, polls and sending connections', () => {
  it('_TestConnection.test_connection [CPT-154]', () => {
    program.passed('testConnection');
  });

  it('_TestConnection.test_duplex_false [CPT-155]', () => {
    program.passed('testDuplexFalse');
  });

  it('_TestConnection.test_spawn_close [CPT-156]', () => {
    program.passed('testSpawnClose');
  });

  it('_TestConnection.test_sendbytes [CPT-157]', () => {
    program.passed('testSendbytes');
  });

  it('_TestConnection.test_fd_transfer [CPT-158]', () => {
    program.passed('testFdTransfer');
  });

  it('_TestConnection.test_large_fd_transfer [CPT-159]', () => {
    program.passed('testLargeFdTransfer');
  });

  it('_TestConnection.test_missing_fd_transfer [CPT-160]', () => {
    program.passed('testMissingFdTransfer');
  });

  it('_TestConnection.test_context [CPT-161]', () => {
    program.passed('testContext');
  });

  it('_TestPoll.test_empty_string [CPT-168]', () => {
    program.passed('testEmptyString');
  });

  it('_TestPoll.test_strings [CPT-169]', () => {
    program.passed('testStrings');
  });

  it('_TestPoll.test_boundaries [CPT-170]', () => {
    program.passed('testBoundaries');
  });

  it('_TestPoll.test_dont_merge [CPT-171]', () => {
    program.passed('testDontMerge');
  });

  it('_TestPollEintr.test_poll_eintr [CPT-172]', () => {
    program.passed('testPollEintr');
  });

  it('_TestPicklingConnections.test_access [CPT-174]', () => {
    program.passed('testAccess');
  });
});
