import { describe, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';

const program = checkProgram(new URL('./shared-memory.program.ts', import.meta.url));

describe('shared memory by name', () => {
  it('is the same for all who attach to it [SHM-001, SHM-009]', () => {
    program.passed('one block');
  });

  it('is refused without a size or a name that can be one [SHM-002]', () => {
    program.passed('what is refused');
  });

  it('has a name of its own if it is given none [SHM-003]', () => {
    program.passed('made-up names');
  });

  it('ends for one process by close, for all by unlink [SHM-004, SHM-005, SHM-006]', () => {
    program.passed('close and unlink');
  });

  it('is passed on unless it was unlinked [SHM-007]', () => {
    program.passed('on its way');
  });

  it('leaves nothing when who made it was killed [SHM-008]', () => {
    program.passed('deaths');
  });

  it('stays when it is not tracked, whoever dies [SHM-010]', () => {
    program.passed('blocks that are not tracked');
  });

  it('frees its name when its maker died too early [SHM-010]', () => {
    program.passed('a maker that dies before its block is kept');
  });
});

describe('shareable lists', () => {
  it('hold what fits their slots, and refuse the rest [SHM-020, SHM-021, SHM-022]', () => {
    program.passed('lists');
  });

  it('are attached to, passed on and copied [SHM-023]', () => {
    program.passed('lists');
  });
});
