import { describe, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';

const program = checkProgram(new URL('./pipe.program.ts', import.meta.url));

describe('pipes', () => {
  it('deliver messages whole and in order, then the end [PIP-001, PIP-020]', () => {
    program.passed('messages arrive whole, then the end');
  });

  it('carry a message of 64 MiB and a byte [PIP-001]', () => {
    program.passed('a message of 64 MiB and a byte');
  });

  it('are two independent directions [PIP-002]', () => {
    program.passed('directions are independent');
  });

  it('interleave the messages of several writers whole [PIP-003]', () => {
    program.passed('writers interleave whole messages');
  });

  it('send ranges inside the data and no others [PIP-004]', () => {
    program.passed('sendBytes takes ranges inside the data only');
  });

  it('send the bytes of any view [PIP-004]', () => {
    program.passed('every kind of view can be sent');
  });

  it('keep a message that is longer than the limit [PIP-005]', () => {
    program.passed('recvBytes with a limit');
  });

  it('receive into exactly the place that was given [PIP-006]', () => {
    program.passed('recvBytesInto touches its bytes only');
  });

  it('take values and bytes when send is called [PIP-007]', () => {
    program.passed('values and bytes are taken at the call');
  });

  it('have forms that never wait [PIP-008]', () => {
    program.passed('try forms');
  });

  it('can be polled without taking anything [PIP-010]', () => {
    program.passed('poll tells and takes nothing');
  });

  it('give up in time and take nothing then [PIP-011]', () => {
    program.passed('time-outs and aborts');
  });

  it('serve the calls of a process in order [PIP-012]', () => {
    program.passed('calls take effect in order');
  });

  it('end when the last writer has died [PIP-020]', () => {
    program.passed('end of stream when the last writer dies');
  });

  it('end for a reader that waits [PIP-020]', () => {
    program.passed('a waiting reader sees the end at once');
  });

  it('break when the last reader has closed [PIP-021]', () => {
    program.passed('broken pipe');
  });

  it('have ends that can be handed on [PIP-022]', () => {
    program.passed('ends travel');
  });

  it('take back an end on its way when its sender dies [PIP-022]', () => {
    program.passed('a reference on its way ends with its sender');
  });

  it('can be iterated to their end [PIP-023]', () => {
    program.passed('iteration');
  });

  it('fail every call after close [PIP-024]', () => {
    program.passed('close');
  });

  it('refuse the wrong direction [PIP-025]', () => {
    program.passed('one-way ends');
  });

  it('leave nothing behind [PRO-026]', () => {
    program.passed('nothing is left in memory');
  });

  it('deliver any list of messages whole, then the end [PRP-035]', () => {
    program.passed('messages arrive whole, then the end');
    program.passed('a message of 64 MiB and a byte');
  });

  it('are ready exactly when something can be received [PRP-036]', () => {
    program.passed('poll tells and takes nothing');
  });

  it('are two independent lines, for any number of writers [PRP-037]', () => {
    program.passed('directions are independent');
    program.passed('writers interleave whole messages');
  });

  it('receive into any place, and into no other byte [PRP-038]', () => {
    program.passed('recvBytesInto touches its bytes only');
  });

  it('send exactly the ranges that lie inside [PRP-039]', () => {
    program.passed('sendBytes takes ranges inside the data only');
  });

  it('are web streams [PIP-040]', () => {
    program.passed('streams');
  });
});
