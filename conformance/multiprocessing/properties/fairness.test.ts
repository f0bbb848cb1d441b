import { describe, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./fairness.program.ts', import.meta.url));

describe('for every program, who waits in line', () => {
  it('for a lock beside other tasks of its process is served in turn [PRP-015, LCK-006]', () => {
    program.passed('tasks of one process');
  });

  it('for a lock is passed by few, whether they block or not [PRP-015]', () => {
    program.passed('tasks and processes');
  });

  it('for items is passed by few, whether they block or not [PRP-015]', () => {
    program.passed('takers of a queue');
  });
});
