import { describe, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./shared-memory.program.ts', import.meta.url));

describe('ported tests of shared memory', () => {
  it('_TestSharedMemory.test_shared_memory_basics [CPT-077]', () => {
    program.passed('_TestSharedMemory.test_shared_memory_basics');
  });

  it('_TestSharedMemory.test_shared_memory_recreate [CPT-078]', () => {
    program.passed('_TestSharedMemory.test_shared_memory_recreate');
  });

  it('_TestSharedMemory.test_invalid_shared_memory_cration [CPT-079]', () => {
    program.passed('_TestSharedMemory.test_invalid_shared_memory_cration');
  });

  it('_TestSharedMemory.test_shared_memory_pickle_unpickle [CPT-080]', () => {
    program.passed('_TestSharedMemory.test_shared_memory_pickle_unpickle');
  });

  it('_TestSharedMemory.test_shared_memory_pickle_unpickle_dead_object [CPT-081]', () => {
    program.passed('_TestSharedMemory.test_shared_memory_pickle_unpickle_dead_object');
  });

  it('_TestSharedMemory.test_shared_memory_across_processes [CPT-082]', () => {
    program.passed('_TestSharedMemory.test_shared_memory_across_processes');
  });

  it('_TestSharedMemory.test_shared_memory_ShareableList_basics [CPT-086]', () => {
    program.passed('_TestSharedMemory.test_shared_memory_ShareableList_basics');
  });

  it('_TestSharedMemory.test_shared_memory_ShareableList_pickling [CPT-087]', () => {
    program.passed('_TestSharedMemory.test_shared_memory_ShareableList_pickling');
  });

  it('_TestSharedMemory.test_shared_memory_ShareableList_pickling_dead_object [CPT-088]', () => {
    program.passed('_TestSharedMemory.test_shared_memory_ShareableList_pickling_dead_object');
  });

  it('_TestSharedMemory.test_shared_memory_cleaned_after_process_termination [CPT-089]', () => {
    program.passed('_TestSharedMemory.test_shared_memory_cleaned_after_process_termination');
  });

  it('_TestSharedMemory.test_shared_memory_name_with_embedded_null [CPT-237]', () => {
    program.passed('_TestSharedMemory.test_shared_memory_name_with_embedded_null');
  });

  it('_TestSharedMemory.test_shared_memory_untracking [CPT-243]', () => {
    program.passed('_TestSharedMemory.test_shared_memory_untracking');
  });

  it('TestResourceTracker.test_too_long_name_resource [CPT-214]', () => {
    program.passed('TestResourceTracker.test_too_long_name_resource');
  });

  it('_TestSharedMemory.test_shared_memory_tracking [CPT-244]', () => {
    program.passed('_TestSharedMemory.test_shared_memory_tracking');
  });
});
