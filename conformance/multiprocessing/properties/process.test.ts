import { describe, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./process.program.ts', import.meta.url));

describe('processes', () => {
  it('tell how they ended, whatever ended them [PRP-052]', () => {
    program.passed('return codes');
  });

  it('take or refuse every call by their phase [PRP-053]', () => {
    program.passed('life cycle');
  });

  it('make trees in which nobody is left behind [PRP-054]', () => {
    program.passed('trees');
  });

  it('are given arguments, environment, folder and streams to the byte [PRP-055]', () => {
    program.passed('what a process is given');
  });

  it('hold nothing after any program [PRP-056]', () => {
    program.passed('what is held');
  });

  it('run finalizers once and in order [PRP-065, FIN-002, FIN-003]', () => {
    program.passed('finalizers');
  });
});

describe('waiting calls', () => {
  it('time out neither too early nor much too late [PRP-066]', () => {
    program.passed('time-outs');
  });

  it('have the same outcome in a storm of signals [PRP-068]', () => {
    program.passed('signals');
  });
});
