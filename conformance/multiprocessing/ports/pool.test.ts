import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';
import { runDragon } from '../../harness/dragon.ts';

const program = checkProgram(new URL('./pool.program.ts', import.meta.url));

describe('pools and results', () => {
  it('_TestPool.test_apply [CPT-092]', () => {
    program.passed('apply');
  });

  it('_TestPool.test_map [CPT-093]', () => {
    program.passed('map');
  });

  it('_TestPool.test_starmap [CPT-094]', () => {
    program.passed('starmap');
  });

  it('_TestPool.test_starmap_async [CPT-095]', () => {
    program.passed('starmap_async');
  });

  it('_TestPool.test_map_async [CPT-096]', () => {
    program.passed('map_async');
  });

  it('_TestPool.test_map_async_callbacks [CPT-097]', () => {
    program.passed('map_async_callbacks');
  });

  it('_TestPool.test_map_unplicklable [CPT-098]', () => {
    program.passed('map_unplicklable');
  });

  it('_TestPool.test_map_chunksize [CPT-099]', () => {
    program.passed('map_chunksize');
  });

  it('_TestPool.test_map_handle_iterable_exception [CPT-100]', () => {
    program.passed('map_handle_iterable_exception');
  });

  it('_TestPool.test_async [CPT-101]', () => {
    program.passed('async');
  });

  it('_TestPool.test_async_timeout [CPT-102]', () => {
    program.passed('async_timeout');
  });

  it('_TestPool.test_imap [CPT-103]', () => {
    program.passed('imap');
  });

  it('_TestPool.test_imap_handle_iterable_exception [CPT-104]', () => {
    program.passed('imap_handle_iterable_exception');
  });

  it('_TestPool.test_imap_unordered [CPT-105]', () => {
    program.passed('imap_unordered');
  });

  it('_TestPool.test_imap_unordered_handle_iterable_exception [CPT-106]', () => {
    program.passed('imap_unordered_handle_iterable_exception');
  });

  it('_TestPool.test_make_pool [CPT-107]', () => {
    program.passed('make_pool');
  });

  it('_TestPool.test_terminate [CPT-108]', () => {
    program.passed('terminate');
  });

  it('_TestPool.test_empty_iterable [CPT-109]', () => {
    program.passed('empty_iterable');
  });

  it('_TestPool.test_context [CPT-110]', () => {
    program.passed('context');
  });

  it('_TestPool.test_traceback [CPT-111]', () => {
    program.passed('traceback');
  });

  it('_TestPool.test_wrapped_exception [CPT-112]', () => {
    program.passed('wrapped_exception');
  });

  it('_TestPool.test_map_no_failfast [CPT-113]', () => {
    program.passed('map_no_failfast');
  });

  it('_TestPool.test_release_task_refs [CPT-114]', () => {
    program.passed('release_task_refs');
  });

  it('_TestPool.test_enter [CPT-115]', () => {
    program.passed('enter');
  });

  it('_TestPool.test_resource_warning [CPT-116]', () => {
    program.passed('resource_warning');
  });

  it('_TestPoolWorkerErrors.test_async_error_callback [CPT-117]', () => {
    program.passed('async_error_callback');
  });

  it('_TestPoolWorkerErrors.test_unpickleable_result [CPT-118]', () => {
    program.passed('unpickleable_result');
  });

  it('_TestPoolWorkerLifetime.test_pool_worker_lifetime [CPT-119]', () => {
    program.passed('pool_worker_lifetime');
  });

  it('_TestPoolWorkerLifetime.test_pool_worker_lifetime_early_close [CPT-120]', () => {
    program.passed('pool_worker_lifetime_early_close');
  });

  it('_TestPoolWorkerLifetime.test_pool_maxtasksperchild_invalid [CPT-121]', () => {
    program.passed('pool_maxtasksperchild_invalid');
  });

  it(
    '_TestPoolWorkerLifetime.' +
      'test_worker_finalization_via_atexit_handler_of_multiprocessing [CPT-122]',
    async () => {
      const script = fileURLToPath(new URL('../programs/idle-pool.ts', import.meta.url));
      const { code, stdout, stderr, hung } = await runDragon([script]);
      expect({ code, stdout, stderr, hung }).toEqual({
        code: 0,
        stdout: '9\n',
        stderr: '',
        hung: false,
      });
    },
  );

  it('TestPoolNotLeakOnFailure.test_release_unused_processes [CPT-123]', () => {
    program.passed('release_unused_processes');
  });

  it('TestInitializers.test_pool_initializer [CPT-125]', () => {
    program.passed('pool_initializer');
  });

  it('say so when they are dropped, and end [PL-047]', () => {
    program.passed('resource_warning');
  });

  it('end their workers when they give up [PL-048]', () => {
    program.passed('release_unused_processes');
  });
});
