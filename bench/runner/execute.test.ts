/** Programs that print, fail, hang and leave something behind. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createExecutor, type Executor } from './execute.ts';
import { measured, printing, shell } from './fixture.ts';
import type { Program } from './types.ts';

const RESULT = JSON.stringify(measured(5));

function executor(timeoutMs = 20_000): Executor {
  return createExecutor({ timeoutMs, graceMs: 100, env: process.env });
}

function script(code: string): Program {
  return { argv: [process.execPath, '-e', code] };
}

function isAlive(pid: number): boolean {
  try {
    // A zombie whose parent has not looked yet is as good as gone.
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

async function expectGone(pid: number): Promise<void> {
  for (let i = 0; i < 100 && isAlive(pid); i += 1) await sleep(10);
  expect(isAlive(pid)).toBe(false);
}

/** Runs `work` with a file that programs write process ids to. */
async function withNotes(work: (path: string, read: () => Promise<number>) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), 'notes-'));
  const path = join(folder, 'pid');
  const read = async (): Promise<number> => {
    for (let i = 0; i < 500; i += 1) {
      try {
        const pid = Number(readFileSync(path, 'utf8'));
        if (pid > 0) return pid;
      } catch {
        // Not written so far.
      }
      await sleep(10);
    }
    throw new Error('the program wrote no process id');
  };
  try {
    await work(path, read);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it('a program gives the figure that it prints last [BEN-001]', async () => {
  const code = `console.log('warm'); console.log('${RESULT}')`;
  expect(await executor().execute(script(code))).toEqual(measured(5));
});

it('each program is a fresh process that leads its own group [BEN-015]', async () => {
  const code = `
    const [, , , , group] = require('node:fs').readFileSync('/proc/self/stat', 'utf8').split(' ');
    console.error(process.pid, group);
    process.exit(1);`;
  const seen = new Set<string>();
  for (let run = 0; run < 2; run += 1) {
    const outcome = await executor().execute(script(code));
    const [, pid, group] = /: (\d+) (\d+)$/.exec('failed' in outcome ? outcome.failed : '') ?? [];
    expect(pid).toBeDefined();
    expect(group).toBe(pid);
    seen.add(String(pid));
  }
  expect(seen.size).toBe(2);
});

it.each([
  ['ends with code 3', "console.error('a\\nb'); process.exit(3)", 'ended with code 3: a | b'],
  ['prints a figure and fails', `console.log('${RESULT}'); process.exit(1)`, 'ended with code 1'],
  ['is killed', 'process.kill(process.pid, "SIGKILL")', 'was ended by SIGKILL'],
  ['prints nothing', '', 'it printed no result line'],
])('a program that %s gave no figure, for a reason [BEN-001, BEN-025]', async (_, code, failed) => {
  expect(await executor().execute(script(code))).toEqual({ failed });
});

it('a program that does not exist fails, and the next one runs [BEN-025]', async () => {
  const { execute } = executor();
  const outcome = await execute({ argv: ['/nonexistent/program'] });
  expect('failed' in outcome && outcome.failed).toContain('ENOENT');
  expect(await execute(printing(5))).toEqual(measured(5));
});

it('the environment of a program is added to the common one [BEN-015]', async () => {
  const program = { ...shell('echo "$ADDED $HOME" >&2; exit 1'), env: { ADDED: 'yes' } };
  const { execute } = createExecutor({ timeoutMs: 20_000, env: { HOME: 'home' } });
  expect(await execute(program)).toEqual({ failed: 'ended with code 1: yes home' });
});

it('a program that hangs and ignores SIGTERM is killed with its group [BEN-026]', async () => {
  await withNotes(async (path, read) => {
    const line = `trap '' TERM; sleep 600 & echo $! > ${path}; echo '${RESULT}'; wait; wait`;
    const outcome = await executor(300).execute(shell(line));
    expect(outcome).toEqual({ failed: 'no result after 0.3 s' });
    await expectGone(await read());
  });
});

it('what a program leaves in its group is killed, and its figure counts [BEN-027]', async () => {
  await withNotes(async (path, read) => {
    const quiet = `sleep 600 >/dev/null 2>&1 & echo $! > ${path}; echo '${RESULT}'`;
    expect(await executor().execute(shell(quiet))).toEqual(measured(5));
    await expectGone(await read());
  });
});

it('nobody waits for long for a stranger who holds the output open [BEN-027]', async () => {
  await withNotes(async (path, read) => {
    const inGroup = `sleep 600 & echo $! > ${path}; echo '${RESULT}'`;
    expect(await executor().execute(shell(inGroup))).toEqual(measured(5));
    await expectGone(await read());
  });
  await withNotes(async (path, read) => {
    const elsewhere = `setsid sh -c 'echo $$ > ${path}; exec sleep 600' & echo '${RESULT}'`;
    expect(await executor().execute(shell(elsewhere))).toEqual(measured(5));
    process.kill(await read(), 'SIGKILL');
  });
});

it('a stop ends the program that runs and starts no other [BEN-030]', async () => {
  await withNotes(async (path, read) => {
    const { execute, stop } = executor();
    let answers = 0;
    const count = () => {
      answers += 1;
    };
    void execute(shell(`trap '' TERM; echo $$ > ${path}; sleep 600; sleep 600`)).then(count);
    const pid = await read();
    await stop();
    expect(isAlive(pid)).toBe(false);
    void execute(shell(`echo 1 > ${path}`)).then(count);
    await sleep(50);
    expect(Number(readFileSync(path, 'utf8'))).toBe(pid);
    expect(answers).toBe(0);
  });
});
