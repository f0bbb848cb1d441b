import { describe, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';

const program = checkProgram(new URL('./descriptor.program.ts', import.meta.url));

describe('descriptors', () => {
  it('outlive the process that sent them, and are taken once [PIP-050]', () => {
    program.passed('a descriptor outlives its sender');
  });

  it('go in arguments, items and results [PIP-050]', () => {
    program.passed('arguments, items and results have descriptors in them');
  });

  it('are closed with the object that nobody holds any more [PIP-050]', () => {
    program.passed('what is dropped is closed');
  });

  it('are refused when they are not open [PIP-051]', () => {
    program.passed('what is not open is refused');
  });

  it('are refused when 64 were not taken [PIP-051]', () => {
    program.passed('64 descriptors are on their way');
  });

  it('may be missing from a message [PIP-052]', () => {
    program.passed('a message arrives without its descriptor');
  });

  it('wait for a process that has no number left [PIP-052]', () => {
    program.passed('a process without a number left tries again');
  });

  it('leave nothing open [PIP-053]', () => {
    program.passed('nothing stays open');
  });

  it('end with the process that took them [PIP-053]', () => {
    program.passed('a killed process keeps nothing open');
  });
});
