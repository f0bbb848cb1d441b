import { describe, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';

const program = checkProgram(new URL('./large-messages.program.ts', import.meta.url));

describe('large arrays that were received', () => {
  it('are given back at once, with every view of them [QUE-070]', () => {
    program.passed('at once, with every view');
  });

  it('are found inside the value that they came in [QUE-070]', () => {
    program.passed('those inside a value');
  });

  it('give their message back with the last of them [QUE-071, QUE-072]', () => {
    program.passed('one array of several');
  });

  it('are the only ones that release changes [QUE-072]', () => {
    program.passed('what was never lent');
  });

  it('are refused when their bytes were moved [QUE-073]', () => {
    program.passed('bytes that were moved');
  });

  it('are given back at the end of a block [QUE-074]', () => {
    program.passed('at the end of a block');
  });

  it('need no turn of the event loop to make room for the next [QUE-075]', () => {
    program.passed('a stream in a blocking loop');
  });

  it('are given back when their receiver is killed [QUE-076]', () => {
    program.passed('a killed receiver');
  });

  it('are not copied for or from the workers of pools [PL-049]', () => {
    program.passed('chunks and results of pools');
  });
});

describe('pipes', () => {
  it('let as many messages wait as was asked for [PIP-041]', () => {
    program.passed('capacity of pipes');
  });
});
