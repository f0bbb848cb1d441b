import { describe, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';

const program = checkProgram(new URL('./ending.program.ts', import.meta.url));

describe('processes that end on purpose', () => {
  it('have the exit code of the reason that they give [PRO-045]', () => {
    program.passed('reasons');
  });

  it('have a failure with a code when their promise never settles [PRO-046]', () => {
    program.passed('unsettled');
  });

  it('call listeners once, whenever those were added [PRO-047]', () => {
    program.passed('listeners');
  });
});

describe('finalizers', () => {
  it('run at every end in order [FIN-004]', () => {
    program.passed('ends with finalizers');
  });

  it('run before children are joined, or after that [FIN-005]', () => {
    program.passed('finalizers and children');
  });

  it('run when they are asked, and not after they were cancelled [FIN-001]', () => {
    program.passed('finalizers by hand');
  });
});

describe('logging', () => {
  it('has levels that decide [LOG-001]', () => {
    program.passed('levels');
  });

  it('goes on in a child as it was in its creator [LOG-002, LOG-004]', () => {
    program.passed('inherited levels');
  });

  it('writes lines on standard error if that was asked for [LOG-003, LOG-002]', () => {
    program.passed('standard error');
  });
});

describe('subclasses', () => {
  it('run with their fields in a process of their own [PRO-040]', () => {
    program.passed('subclass');
  });

  it('are found by their module or like a function [PRO-041]', () => {
    program.passed('finding subclasses');
  });
});

describe('settings', () => {
  it('of a process are its own and are handed on [PRO-028]', () => {
    program.passed('settings');
  });

  it('name the interpreter in many forms [PRO-043]', () => {
    program.passed('interpreter');
  });

  it('make files of standard streams [PRO-044]', () => {
    program.passed('files');
  });

  it('choose the start method once [PRO-048]', () => {
    program.passed('start methods');
  });
});
