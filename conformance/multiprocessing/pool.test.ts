import { describe, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';

const program = checkProgram(new URL('./pool.program.ts', import.meta.url));

describe('pools', () => {
  it('apply a function to arguments [PL-002]', () => {
    program.passed('apply');
  });

  it('refuse sizes that make no sense [PL-005]', () => {
    program.passed('bad sizes');
  });

  it('have blocking forms [PL-008]', () => {
    program.passed('blocking forms');
  });

  it('pass errors on as they were [PL-011]', () => {
    program.passed('errors arrive as they were');
  });

  it('go on iterating after an error [PL-012]', () => {
    program.passed('an iterator goes on after an error');
  });

  it('fail single items and results that can not be serialised [PL-014]', () => {
    program.passed('what can not be serialised fails alone');
  });

  it('reject a call whose target is missing [PL-015]', () => {
    program.passed('a missing target');
  });

  it('initialise every worker, replacements too [PL-023]', () => {
    program.passed('initializer');
  });

  it('end a call at its abort or time-out, and no other [PL-030]', () => {
    program.passed('abort and time-out');
  });

  it('stop pulling when an iteration is left [PL-031]', () => {
    program.passed('leaving an iterator');
  });

  it('settle everything at close and at terminate [PL-032, PL-033]', () => {
    program.passed('close and terminate');
  });

  it('know the process ids of their workers [PL-034]', () => {
    program.passed('worker pids');
  });

  it('carry handles in items and results [QUE-022]', () => {
    program.passed('handles in items and results');
  });

  it('can be used inside tasks [PRO-023]', () => {
    program.passed('pools in pools');
  });
});
