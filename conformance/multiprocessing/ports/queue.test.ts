import { describe, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./queue.program.ts', import.meta.url));

describe('ported tests of queues', () => {
  it('_TestQueue.test_put [CPT-027]', () => {
    program.passed('testPut');
  });

  it('_TestQueue.test_get [CPT-028]', () => {
    program.passed('testGet');
  });

  it('_TestQueue.test_fork [CPT-029]', () => {
    program.passed('testFork');
  });

  it('_TestQueue.test_qsize [CPT-030]', () => {
    program.passed('testQsize');
  });

  it('_TestQueue.test_task_done [CPT-031]', () => {
    program.passed('testTaskDone');
  });

  it('_TestQueue.test_no_import_lock_contention [CPT-032]', () => {
    program.passed('testNoImportLockContention');
  });

  it('_TestQueue.test_timeout [CPT-033]', () => {
    program.passed('testTimeout');
  });

  it('_TestQueue.test_queue_feeder_donot_stop_onexc [CPT-034]', () => {
    program.passed('testQueueFeederDonotStopOnexc');
  });

  it('_TestQueue.test_queue_feeder_on_queue_feeder_error [CPT-035]', () => {
    program.passed('testQueueFeederOnQueueFeederError');
  });

  it('_TestQueue.test_closed_queue_put_get_exceptions [CPT-036]', () => {
    program.passed('testClosedQueuePutGetExceptions');
  });

  it('TestSimpleQueue.test_empty [CPT-037]', () => {
    program.passed('testSimpleEmpty');
  });

  it('TestSimpleQueue.test_close [CPT-038]', () => {
    program.passed('testSimpleClose');
  });

  it('TestSimpleQueue.test_closed [CPT-039]', () => {
    program.passed('testSimpleClosed');
  });

  it('_TestQueue.test_closed_queue_empty_exceptions [CPT-232]', () => {
    program.passed('testClosedQueueEmptyExceptions');
  });

  it('TestSimpleQueue.test_empty_exceptions [CPT-233]', () => {
    program.passed('testSimpleEmptyExceptions');
  });
});
