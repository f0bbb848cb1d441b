import { describe, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';

const program = checkProgram(new URL('./joinable-queue.program.ts', import.meta.url));

describe('queues, besides', () => {
  it('have calls that throw instead of waiting, and batches that block [QUE-040]', () => {
    program.passed('calls that do not wait, and batches that block');
  });

  it('tell of items that can not be serialised [QUE-041]', () => {
    program.passed('items that can not be serialised are told');
  });

  it('lose only an item that can not be decoded [QUE-042, QUE-053]', () => {
    program.passed('an item that can not be decoded');
  });

  it('put and get short and long items in batches [QUE-046]', () => {
    program.passed('batches of short and long items');
  });

  it('give out what is around an item that can not be decoded [QUE-047]', () => {
    program.passed('an item that can not be decoded in a batch');
  });

  it('are web streams [QUE-043]', () => {
    program.passed('streams');
  });

  it('tell when all puts have settled [QUE-044]', () => {
    program.passed('joinThread');
  });

  it('let the process end while unreferenced calls wait [QUE-045]', () => {
    program.passed('unreferenced waits');
  });
});

describe('joinable queues', () => {
  it('join once everything is done and not before [QUE-050, QUE-051, PRP-009]', () => {
    program.passed('joins follow the model');
  });

  it('join after all work of all processes [QUE-050, PRP-010]', () => {
    program.passed('a join comes after all work');
  });

  it('tell of items that a process took with it when it died [QUE-052]', () => {
    program.passed('items of the dead');
  });

  it('are queues, and travel as what they are [QUE-054]', () => {
    program.passed('a joinable queue is a queue');
  });
});

describe('simple queues', () => {
  it('follow the model of a list [QUE-060, PRP-011]', () => {
    program.passed('a simple queue follows the model');
  });
});
