import { describe, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./values.program.ts', import.meta.url));

describe('ported tests of shared values', () => {
  it('_TestValue.test_value [CPT-067]', () => {
    program.passed('_TestValue.test_value');
  });

  it('_TestValue.test_rawvalue [CPT-068]', () => {
    program.passed('_TestValue.test_rawvalue');
  });

  it('_TestValue.test_getobj_getlock [CPT-069]', () => {
    program.passed('_TestValue.test_getobj_getlock');
  });

  it('_TestArray.test_array [CPT-070]', () => {
    program.passed('_TestArray.test_array');
  });

  it('_TestArray.test_array_from_size [CPT-071]', () => {
    program.passed('_TestArray.test_array_from_size');
  });

  it('_TestArray.test_rawarray [CPT-072]', () => {
    program.passed('_TestArray.test_rawarray');
  });

  it('_TestArray.test_getobj_getlock_obj [CPT-073]', () => {
    program.passed('_TestArray.test_getobj_getlock_obj');
  });

  it('_TestSharedCTypes.test_sharedctypes [CPT-074]', () => {
    program.passed('_TestSharedCTypes.test_sharedctypes');
  });

  it('_TestSharedCTypes.test_synchronize [CPT-075]', () => {
    program.passed('_TestSharedCTypes.test_synchronize');
  });

  it('_TestSharedCTypes.test_copy [CPT-076]', () => {
    program.passed('_TestSharedCTypes.test_copy');
  });

  it('_TestHeap.test_heap [CPT-090]', () => {
    program.passed('_TestHeap.test_heap');
  });

  it('_TestHeap.test_free_from_gc [CPT-091]', () => {
    program.passed('_TestHeap.test_free_from_gc');
  });
});
