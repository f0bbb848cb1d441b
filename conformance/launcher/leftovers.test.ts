/** `dragon ps` and `dragon cleanup`: what lives, what is left, and what is nobody's business. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runDragon } from '../harness/dragon.ts';
import { freshFolder } from './folders.ts';
import { ending, eventually, LastingRun, lasting } from './runs.ts';

async function listed(base: string, ...words: string[]) {
  const env = { DRAGON_RUNTIME_BASE: base };
  const { stdout } = await runDragon(['ps', '--json', ...words], { env });
  return JSON.parse(stdout).runs;
}

async function started(base?: string): Promise<LastingRun> {
  const run = new LastingRun([lasting, 'family'], base === undefined ? {} : { base });
  await run.shows('up');
  return run;
}

/** A run whose launcher and warden were killed at once; strays of its head live on. */
async function abandoned(base?: string): Promise<LastingRun> {
  const run = await started(base);
  const { launcher, warden, head } = run.parts();
  // Stopped, neither sees the other's end and sweeps.
  for (const pid of [launcher, warden]) process.kill(pid ?? 0, 'SIGSTOP');
  for (const pid of [launcher, warden]) process.kill(pid ?? 0, 'SIGKILL');
  await run.ended;
  await eventually(() => !run.traces().some((line) => line.includes(`process ${head}:`)), 2000);
  return run;
}

function end(run: LastingRun): Promise<void> {
  run.child.kill('SIGTERM');
  return run.ended.then(() => run.leavesNothing());
}

describe('dragon ps', () => {
  it('lists runs with their processes, as text and as JSON [LNC-050]', async () => {
    const run = await started();
    const parts = run.parts();
    const [entry] = await listed(run.base);
    expect(entry).toMatchObject({
      state: 'live',
      program: lasting,
      launcher: parts.launcher,
      warden: parts.warden,
    });
    const head = entry.processes.find(({ pid }: { pid: number }) => pid === parts.head);
    expect(head.puid).toMatch(/^\d+$/);
    expect(head.name).toBe(lasting);
    expect(head.command).toContain('family');
    expect(entry.processes.length).toBeGreaterThan(4);
    const env = { DRAGON_RUNTIME_BASE: run.base };
    const { stdout } = await runDragon(['ps'], { env });
    expect(stdout).toContain(`run ${entry.runId} live, launcher ${parts.launcher}`);
    expect(stdout).toMatch(new RegExp(`^ +${parts.head} +\\d+ .*lasting.mjs .* family$`, 'm'));
    await end(run);
    expect((await runDragon(['ps'], { env })).stdout).toBe('no runs\n');
  });

  it('with --blocked lists who waits on what [LNC-051]', async () => {
    const run = await started();
    const [entry] = await listed(run.base, '--blocked');
    expect(Array.isArray(entry.waits)).toBe(true);
    const env = { DRAGON_RUNTIME_BASE: run.base };
    const { stdout } = await runDragon(['ps', '--blocked'], { env });
    expect(stdout).toMatch(/WAITS AS|nobody waits/);
    expect(entry.deadlocks).toEqual([]);
    await end(run);
  });
});

describe('what an abandoned run leaves', () => {
  it('is shown, previewed and removed by dragon cleanup [LNC-050] [LNC-052]', async () => {
    const run = await abandoned();
    const env = { DRAGON_RUNTIME_BASE: run.base };
    const [entry] = await listed(run.base);
    expect(entry.state).toBe('dead');
    const before = run.traces();
    expect(before.length).toBeGreaterThan(2);
    const preview = await runDragon(['cleanup', '--dry-run'], { env });
    expect(preview.stdout).toMatch(/would remove directory and processes \d+/);
    expect(run.traces()).toEqual(before);
    const cleanup = await runDragon(['cleanup', '--json'], { env });
    expect(cleanup.code).toBe(0);
    expect(JSON.parse(cleanup.stdout)).toMatchObject({
      dryRun: false,
      runs: [{ runId: entry.runId, problem: '' }],
    });
    await run.leavesNothing();
    expect((await runDragon(['cleanup'], { env })).stdout).toBe('nothing is left behind\n');
  });

  it('is removed by the next run, which does not speak of it [LNC-032]', async () => {
    const run = await abandoned();
    const env = { DRAGON_RUNTIME_BASE: run.base };
    expect(await runDragon([ending, 'code', '3'], { env })).toMatchObject({ code: 3, stderr: '' });
    await run.leavesNothing();
  });

  it('does not hide a live run, which nobody touches [LNC-033]', async () => {
    const live = await started();
    const dead = await abandoned(live.base);
    const env = { DRAGON_RUNTIME_BASE: live.base };
    expect((await runDragon(['cleanup'], { env })).code).toBe(0);
    const own = dead.traces().filter((line) => line.startsWith('process'));
    expect(own).toEqual([]);
    expect(await listed(live.base)).toMatchObject([{ state: 'live' }]);
    expect(live.child.exitCode).toBeNull();
    await end(live);
  });

  it('is left alone in another process namespace of the same boot [LNC-033]', async () => {
    const live = await started();
    const [name = ''] = readdirSync(live.base);
    const record = JSON.parse(readFileSync(join(live.base, name, 'owner.json'), 'utf8'));
    const base = freshFolder();
    mkdirSync(join(base, name), { mode: 0o700 });
    const owners = { launcher: { pid: 1, startTime: 0 }, warden: { pid: 1, startTime: 0 } };
    const forged = { ...record, ...owners, namespace: 'pid:[1]' };
    writeFileSync(join(base, name, 'owner.json'), JSON.stringify(forged));
    const env = { DRAGON_RUNTIME_BASE: base };
    expect((await runDragon(['cleanup'], { env })).stdout).toBe('nothing is left behind\n');
    expect(await listed(base)).toMatchObject([{ state: 'foreign' }]);
    await end(live);
  });
});
