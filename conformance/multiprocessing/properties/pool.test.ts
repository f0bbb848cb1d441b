import { describe, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./pool.program.ts', import.meta.url));

describe('pools', () => {
  it('map as arrays do [PRP-042, PL-001, PL-007]', () => {
    program.passed('map is Array.map');
  });

  it('iterate over a prefix of map [PRP-043, PL-003]', () => {
    program.passed('imap yields a prefix of map');
  });

  it('iterate over the results in any order [PRP-044, PL-004]', () => {
    program.passed('imapUnordered yields a permutation of map');
  });

  it('pull input only as results are consumed [PRP-043, PL-006]', () => {
    program.passed('imap pulls as it is consumed');
  });

  it('reject with the error of the lowest index and go on [PRP-045, PL-010]', () => {
    program.passed('map rejects with the first error');
  });

  it('pass on what an input throws [PRP-047, PL-013]', () => {
    program.passed('an input that throws');
  });

  it('replace workers that have run as much as they may [PRP-048, PL-045]', () => {
    program.passed('no worker runs more than it may');
  });

  it('settle every task, whoever is killed when [PRP-049, PL-020]', () => {
    program.passed('every task settles, whoever is killed when');
  });

  it('allow in each state what belongs there [PRP-050, PL-032, PL-033]', () => {
    program.passed('the states of a pool');
  });

  it('abort the tasks of a call and no others [PRP-051, PL-030, PL-042]', () => {
    program.passed('an abort hits its own tasks only');
  });
});
