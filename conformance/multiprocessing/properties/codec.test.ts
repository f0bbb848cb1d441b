import { describe, it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./codec.program.ts', import.meta.url));

describe('values between processes', () => {
  it('return equal, whatever structured clone carries [PRP-005]', () => {
    program.passed('values return equal');
  });

  it('that can not be sent change nothing, and are named by their path [PRP-006]', () => {
    program.passed('what can not be sent changes nothing');
  });

  it('that are thrown survive with class, fields, causes and lists [PRP-046]', () => {
    program.passed('errors survive');
  });

  it('of big arrays lie in the message that brought them until collected [COD-047]', () => {
    program.passed('big arrays are not copied');
  });

  it('that can not be decoded harm no other message [COD-040]', () => {
    program.passed('one bad message harms nobody');
  });
});

describe('histories of several processes', () => {
  it('of a queue and of a lock are linearizable [PRP-063]', () => {
    program.passed('histories');
  });
});

describe('handles', () => {
  it('whose bytes are damaged are typed errors, or whole [PRP-064]', () => {
    program.passed('damaged handles');
  });
});
