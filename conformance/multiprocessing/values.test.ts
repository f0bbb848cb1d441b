import { describe, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';

const program = checkProgram(new URL('./values.program.ts', import.meta.url));

describe('shared values', () => {
  it('begin as zero in memory of any past [VAL-001]', () => {
    program.passed('elements begin as zero');
  });

  it('convert as C does, or refuse [VAL-002]', () => {
    program.passed('conversions');
  });

  it('leave nothing when they are refused [VAL-003, VAL-021, VAL-032]', () => {
    program.passed('what is refused');
  });

  it('are not made with new, which says how they are [VAL-007]', () => {
    program.passed('made with new');
  });

  it('are the same wherever they were passed [VAL-004, VAL-005]', () => {
    program.passed('passed on');
  });

  it('are given back with the last process, however it ended [VAL-005]', () => {
    program.passed('the last one that has it');
  });

  it('are closed for this process by close [VAL-006]', () => {
    program.passed('close');
  });

  it('change under their lock, in every form [VAL-010, LCK-040]', () => {
    program.passed('update');
  });

  it('tell once that the holder of their lock died [VAL-011]', () => {
    program.passed('a holder that died');
  });

  it('have the lock that they were given, or none [VAL-012]', () => {
    program.passed('lock and object');
  });
});

describe('shared arrays', () => {
  it('are like typed arrays, and throw beyond their end [VAL-020, VAL-021]', () => {
    program.passed('arrays');
  });
});

describe('shared structs', () => {
  it('lie as C lays them, and are read and written in place [VAL-030, VAL-031]', () => {
    program.passed('structs');
  });
});
