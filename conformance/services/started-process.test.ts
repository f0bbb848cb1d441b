/** What a started process is told, and how it ends. The bodies are in the check program. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';
import { packageRoot, run, runDragon } from '../harness/dragon.ts';

const program = checkProgram(new URL('./started-process.program.ts', import.meta.url));

describe('a started process', () => {
  it('knows who it is and who started it [SVC-080, SVC-085]', () => program.passed('identity'));

  it('gets arguments of any size [SVC-074]', () => program.passed('big arguments'));

  it('lives until its event loop has nothing to do [SVC-082]', () => program.passed('timer'));

  it('ends with the code that it exits with, modulo 256 [SVC-082]', () =>
    program.passed('exit codes'));

  it('ends with 13 when its promise is never settled [SVC-083]', () => program.passed('unsettled'));

  it('ends with 1 when it fails, and its joiner learns why [SVC-081]', () =>
    program.passed('failures'));

  it('may throw anything [SVC-081]', () => program.passed('thrown value'));

  it('prints what it failed with, causes included [SVC-081]', () => {
    const { stderr } = program.result();
    for (const text of ['TypeError: boom-1', 'the cause of boom-1', 'tasks.ts:', 'boom-4']) {
      expect(stderr).toContain(text);
    }
    expect(stderr).toContain('Uncaught { odd: [ 1, 2 ] }');
  });

  it('joins its children and ends its daemons, however it ends [SVC-084]', () =>
    program.passed('children'));

  it('that is killed takes its daemons with it [SVC-032]', () => program.passed('killed parent'));

  it('knows which of its children live [SVC-028]', () => program.passed('active children'));
});

describe('the client', () => {
  it('leaves no process of a start that was given up [SVC-035, SVC-073]', () =>
    program.passed('abandoned starts'));

  it('serves blocking and awaited requests at once [SVC-071]', () =>
    program.passed('mixed requests'));

  it('tells a program outside a run how to run it [SVC-070]', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'outside-'));
    const path = join(folder, 'outside.mjs');
    const module = join(packageRoot, 'dist/multiprocessing/index.js');
    writeFileSync(path, `import { Queue } from '${module}'; new Queue();`);
    const { code, stderr } = await run(process.execPath, [path]);
    rmSync(folder, { recursive: true });
    expect(code).toBe(1);
    expect(stderr).toContain('ERR_NO_RUNTIME');
    expect(stderr).toContain('dragon prog.ts');
  });

  it('keeps no program alive that waits for nothing [SVC-072]', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'idle-'));
    const path = join(folder, 'idle.mjs');
    writeFileSync(
      path,
      `import { Queue, activeChildren } from 'dragon-runtime/multiprocessing';
       new Queue();
       console.log((await activeChildren()).length);`,
    );
    const { code, stdout, hung } = await runDragon([path]);
    rmSync(folder, { recursive: true });
    expect([code, stdout, hung]).toEqual([0, '0\n', false]);
  });
});
