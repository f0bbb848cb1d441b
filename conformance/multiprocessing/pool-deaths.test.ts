import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';
import { runDragon } from '../harness/dragon.ts';

const program = checkProgram(new URL('./pool-deaths.program.ts', import.meta.url), {
  env: { DRAGON_DEFAULT_SEG_SZ: String(32 * 1024 * 1024) },
});

describe('pools whose workers die', () => {
  it('fail the chunk that was running and nothing else [PL-020]', () => {
    program.passed('a death fails its own chunk only, of 1');
  });

  it('fail all items of the chunk that was running [PL-020]', () => {
    program.passed('a death fails its own chunk only, of 3');
  });

  it('settle every call, whoever is killed when [PL-020]', () => {
    program.passed('random kills from outside');
  });

  it('replace workers that are killed while they start [PL-020]', () => {
    program.passed('kills while workers start');
  });

  it('let no chunk wait beside an idle worker [PL-021]', () => {
    program.passed('no chunk waits beside an idle worker');
  });

  it('fail when their workers never get to work [PL-022]', () => {
    program.passed('workers that can not work');
  });

  it('bear with workers that fail at first, and not for ever [PL-022]', () => {
    program.passed('workers that can not work yet, or not be found');
  });

  it('prepare a replacement like the first worker [PL-023]', () => {
    program.passed('the initializer runs in replacements');
  });

  it('keep their workers on SIGINT [PL-024]', () => {
    program.passed('SIGINT does not end workers');
  });

  it('notice deaths in blocking calls [PL-008, PL-020]', () => {
    program.passed('a death in a blocking call');
  });

  it('go on when memory is short [PL-036]', () => {
    program.passed('chunks wait for memory');
  });

  it('do not keep a program alive when they are idle [PL-035, PL-024]', async () => {
    const idle = fileURLToPath(new URL('./programs/idle-pool.ts', import.meta.url));
    const { code, stdout, stderr, hung } = await runDragon([idle]);
    expect({ code, stdout, stderr, hung }).toEqual({
      code: 0,
      stdout: '9\n',
      stderr: '',
      hung: false,
    });
  });
});
