/** How the scripts start commands. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mapLimited, root, run } from './process.mjs';

it('a command that outlives its time limit is killed with what it started [CNF-006]', async () => {
  const result = await run('sh', ['-c', 'sleep 60 & echo started; wait'], {
    quiet: true,
    timeoutMs: 200,
  });
  expect(result).toMatchObject({ code: 124, stdout: 'started\n' });
});

it('a time limit reaches what has left the process group [CNF-006]', async () => {
  const script = 'setsid sh -c "sleep 60 & wait" & wait';
  const result = await run('sh', ['-c', script], { quiet: true, timeoutMs: 200 });
  expect(result.code).toBe(124);
});

it('a command that a signal ended has the code of a shell [CNF-006]', async () => {
  const result = await run('sh', ['-c', 'kill -TERM $$'], { quiet: true });
  expect(result.code).toBe(128 + 15);
});

it('a command that does not exist has code 127 and says so [CNF-006]', async () => {
  const result = await run('no-such-command', [], { quiet: true });
  expect(result.code).toBe(127);
  expect(result.output).toContain('no-such-command');
});

it('work is done a few at a time, and results keep their order [CNF-006]', async () => {
  let running = 0;
  let most = 0;
  const results = await mapLimited([30, 10, 20, 0], 2, async (ms) => {
    most = Math.max(most, ++running);
    await new Promise((resume) => setTimeout(resume, ms));
    running -= 1;
    return ms;
  });
  expect(results).toEqual([30, 10, 20, 0]);
  expect(most).toBe(2);
});

it('what a modest command starts is modest too [CNF-062]', async () => {
  // Where there are no groups by session, nothing is read.
  const isGrouped = existsSync('/proc/self/autogroup');
  const script = `
    const { run } = await import('${join(root, 'ci/process.mjs')}');
    await run('sh', ['-c', 'sleep 0.2; sed s/.*nice// /proc/self/autogroup']);`;
  const node = [process.execPath, '--input-type=module', '--eval', script];
  const nice = async (command: readonly string[]) => {
    const [name = '', ...args] = command;
    return (await run(name, args, { quiet: true })).stdout.trim();
  };
  expect(await nice(['chrt', '--idle', '0', ...node])).toBe(isGrouped ? '19' : '');
  expect(await nice(node)).toBe(isGrouped ? '0' : '');
});
