import { describe, expect, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';
import { packageRoot, run } from '../harness/dragon.ts';

const program = checkProgram(new URL('./queue.program.ts', import.meta.url), {
  env: { DRAGON_DEFAULT_SEG_SZ: String(48 * 1024 * 1024) },
});

describe('queues', () => {
  it('keep the order of each producer and lose nothing [QUE-001, QUE-002]', () => {
    program.passed('producer order and no loss');
  });

  it('hold at most maxsize items and tell how many [QUE-003, QUE-005]', () => {
    program.passed('follows the model');
  });

  it('take any number of items by default [QUE-004]', () => {
    program.passed('maxsize');
  });

  it('serve the waiting calls of a process in order [QUE-006]', () => {
    program.passed('waiting calls are served in order');
  });

  it('are full or empty at the time-out, not before [QUE-010, QUE-011]', () => {
    program.passed('time-outs');
  });

  it('carry undefined [QUE-012]', () => {
    program.passed('undefined is an item');
  });

  it('lose and gain nothing by aborted calls [QUE-013]', () => {
    program.passed('abort takes and adds nothing');
  });

  it('do nothing under an aborted signal [QUE-014]', () => {
    program.passed('an aborted signal is seen first');
  });

  it('serialise items when put is called [QUE-020]', () => {
    program.passed('items are serialised at the call');
  });

  it('are not changed by an item that can not be serialised [QUE-021]', () => {
    program.passed('an unserialisable item changes nothing');
  });

  it('carry queues, locks and connections [QUE-022]', () => {
    program.passed('handles are items');
  });

  it('refuse an item that never fits [QUE-023]', () => {
    program.passed('too large');
  });

  it('put and get batches [QUE-024]', () => {
    program.passed('batches');
  });

  it('are closed for this process by close [QUE-030]', () => {
    program.passed('close');
  });

  it('live until the last holder has closed [QUE-031]', () => {
    program.passed('lives until the last holder closes');
  });

  it('can be iterated until they are closed [QUE-032]', () => {
    program.passed('iteration');
  });

  it('end for all holders by destroy [QUE-033]', () => {
    program.passed('destroy');
  });

  it('stay usable when a process dies in the middle of a put [QUE-034]', () => {
    program.passed('a killed process leaves it usable');
  });

  it('keep the order and the items of up to 8 producers and 8 consumers [PRP-001, PRP-002]', () => {
    program.passed('producer order and no loss');
  });

  it('are full, empty and as long as the model [PRP-003, PRP-004]', () => {
    program.passed('follows the model');
  });

  it('are what they were after an aborted call [PRP-007]', () => {
    program.passed('abort takes and adds nothing');
  });

  it('are closed for every call after close, whatever waits [PRP-008]', () => {
    program.passed('close ends everything');
  });

  it('say how to start a runtime when there is none [QUE-035]', async () => {
    const script = `import { Queue } from 'dragon-runtime/multiprocessing';
      try { new Queue() } catch (error) { console.log(error.code, error.message) }`;
    const flags = ['--input-type=module', '--eval', script];
    const { stdout } = await run(process.execPath, flags, { cwd: packageRoot });
    expect(stdout).toMatch(/^ERR_NO_RUNTIME .*dragon prog\.ts/);
  });
});
