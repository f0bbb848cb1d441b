import { describe, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';

const program = checkProgram(new URL('./process.program.ts', import.meta.url));

describe('processes', () => {
  it('run tasks, named exports, exported functions and inline text [PRO-001]', () => {
    program.passed('targets');
  });

  it('get their arguments as equal values [PRO-002]', () => {
    program.passed('arguments');
  });

  it('do not start when the target is missing [PRO-003]', () => {
    program.passed('a missing target fails the start');
  });

  it('can be executables [PRO-004]', () => {
    program.passed('executables');
  });

  it('have the environment, directory and streams that they were given [PRO-005]', () => {
    program.passed('environment, directory and streams');
  });

  it('are legal or refused in each state of their life [PRO-010, PRO-011, PRO-018]', () => {
    program.passed('life cycle');
  });

  it('can be joined with a time-out, often and by many [PRO-012]', () => {
    program.passed('join');
  });

  it('tell how they ended [PRO-014, PRO-015, PRO-013]', () => {
    program.passed('how a process ended');
  });

  it('pass on what the target threw [PRO-013]', () => {
    program.passed('join throws what the target threw');
  });

  it('are ended by disposal, also those that ignore SIGTERM [PRO-016, PRO-017]', () => {
    program.passed('disposal');
  });

  it('have blocking forms [PRO-019]', () => {
    program.passed('blocking forms');
  });

  it('are listed while they are alive [PRO-020]', () => {
    program.passed('active children');
  });

  it('know themselves and their parent [PRO-021]', () => {
    program.passed('self and parent');
  });

  it('can wait for the end of their parent [PRO-021]', () => {
    program.passed('a parent can be joined');
  });

  it('may start processes of their own [PRO-002]', () => {
    program.passed('a tree of processes');
  });

  it('keep their creator alive unless they are daemons [PRO-022]', () => {
    program.passed('children keep their creator, daemons do not');
  });

  it('inherit being a daemon, and daemons start daemons only [PRO-023]', () => {
    program.passed('daemons');
  });

  it('have names [PRO-024]', () => {
    program.passed('names');
  });

  it('know the number of cores [PRO-025]', () => {
    program.passed('cores');
  });

  it('leave nothing behind [PRO-026]', () => {
    program.passed('many processes leave nothing');
  });
});
