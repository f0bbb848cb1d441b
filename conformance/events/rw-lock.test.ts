import { describe, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';

const program = checkProgram(new URL('./rw-lock.program.ts', import.meta.url));

describe('a reader-writer lock of several processes', () => {
  it('lets one write or many read, and refuses nobody for nothing [EVT-080] [EVT-105]', () => {
    program.passed('histories');
  });

  it('is given on when its writer is killed, and tells [EVT-087] [EVT-102]', () => {
    program.passed('a writer is killed');
  });

  it('is given on when a reader is killed [EVT-086] [EVT-102]', () => {
    program.passed('a reader is killed');
  });

  it('is known to those who ask who is blocked [EVT-104]', () => {
    program.passed('who is blocked');
  });
});
