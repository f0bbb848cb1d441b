import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';
import { runDragon } from '../../harness/dragon.ts';

const program = checkProgram(new URL('./process.program.ts', import.meta.url));

describe('processes', () => {
  it('_TestProcess.test_current [CPT-001]', () => program.passed('test_current'));
  it('_TestProcess.test_set_executable [CPT-002]', () => program.passed('test_set_executable'));
  it('_TestProcess.test_args_argument [CPT-003]', () => program.passed('test_args_argument'));
  it('_TestProcess.test_daemon_argument [CPT-004]', () => program.passed('test_daemon_argument'));
  it('_TestProcess.test_parent_process_attributes [CPT-005]', () => {
    program.passed('test_parent_process_attributes');
  });
  it('_TestProcess.test_parent_process [CPT-006]', () => program.passed('test_parent_process'));
  it('_TestProcess.test_process [CPT-007]', () => program.passed('test_process'));
  it('_TestProcess.test_process_mainthread_native_id [CPT-008]', () => {
    program.passed('test_process_mainthread_native_id');
  });
  it('_TestProcess.test_terminate [CPT-009]', () => program.passed('test_terminate'));
  it('_TestProcess.test_kill [CPT-010]', () => program.passed('test_kill'));
  it('_TestProcess.test_cpu_count [CPT-011]', () => program.passed('test_cpu_count'));
  it('_TestProcess.test_active_children [CPT-012]', () => program.passed('test_active_children'));
  it('_TestProcess.test_recursion [CPT-013]', () => program.passed('test_recursion'));
  it('_TestProcess.test_sentinel [CPT-014]', () => program.passed('test_sentinel'));
  it('_TestProcess.test_close [CPT-015]', () => program.passed('test_close'));
  it('_TestProcess.test_many_processes [CPT-016]', () => program.passed('test_many_processes'));
  it('_TestProcess.test_child_fd_inflation [CPT-018]', () => {
    program.passed('test_child_fd_inflation');
  });
  it('_TestProcess.test_wait_for_threads [CPT-019]', () => program.passed('test_wait_for_threads'));
  it('_TestProcess.test_error_on_stdio_flush_1 [CPT-020]', () => {
    program.passed('test_error_on_stdio_flush_1');
  });
  it('_TestProcess.test_error_on_stdio_flush_2 [CPT-021]', () => {
    program.passed('test_error_on_stdio_flush_2');
  });
  it('_TestProcess.test_forkserver_sigint [CPT-022]', () => {
    program.passed('test_forkserver_sigint');
  });

  it('_TestProcess.test_forkserver_sigkill [CPT-023]', async () => {
    const url = new URL('../programs/spawner-killed.ts', import.meta.url);
    const { code, hung, stderr } = await runDragon([fileURLToPath(url)]);
    expect({ code, hung }).toEqual({ code: 1, hung: false });
    expect(stderr).toMatch(/dragon: the warden was ended by signal 9/);
  });
});
