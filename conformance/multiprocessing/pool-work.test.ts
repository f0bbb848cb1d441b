import { describe, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';

const program = checkProgram(new URL('./pool-work.program.ts', import.meta.url));

describe('the work of pools', () => {
  it('deliver a result while its worker is busy again [PL-040]', () => {
    program.passed('a result does not wait for the next task');
  });

  it('take back what no worker has begun of an aborted call [PL-042]', () => {
    program.passed('what nobody has begun of an aborted call');
  });

  it('end workers that run tasks of an aborted call on request [PL-050]', () => {
    program.passed('running tasks of an aborted call');
  });

  it('have blocking iterators [PL-051, PL-006]', () => {
    program.passed('blocking iterators');
  });

  it('have iterators that can be asked without waiting [PL-052]', () => {
    program.passed('blocking iterators');
  });

  it('replace workers that have run as much as they may [PL-045]', () => {
    program.passed('workers that run only so many tasks');
  });

  it('give results that can be asked, waited for and called back [PL-043]', () => {
    program.passed('results in the background');
  });

  it('take lists of arguments, and block on request [PL-044]', () => {
    program.passed('lists of arguments');
  });

  it('reject at the first error on request [PL-046]', () => {
    program.passed('fail fast');
  });
});
