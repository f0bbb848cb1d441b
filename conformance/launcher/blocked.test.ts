/** `dragon ps --blocked`: who waits on what, and who waits for each other. */
import { describe, expect, it } from 'vitest';
import { runDragon } from '../harness/dragon.ts';
import { cycle, LastingRun } from './runs.ts';

/** As `dragon ps --blocked --json` prints it. */
interface PrintedWait {
  readonly pid: number;
  readonly object: string;
  readonly operation: string;
  readonly blocked: boolean;
  readonly sinceMs: number;
  readonly wakers: readonly number[];
}

describe('dragon ps --blocked', () => {
  it('prints three processes that wait for each other within 1 s [EVT-073] [LNC-051]', async () => {
    const run = new LastingRun([cycle]);
    await run.shows('planted');
    const [, reader = 0, writer = 0, owner = 0, bystander = 0] =
      /planted (\d+) (\d+) (\d+) (\d+)/.exec(run.stdout)?.map(Number) ?? [];
    const env = { DRAGON_RUNTIME_BASE: run.base };
    const planted = [
      { pid: reader, object: 'channel', operation: 'receive', wakers: [writer] },
      { pid: writer, object: 'lock', operation: 'acquire', wakers: [owner] },
      { pid: owner, object: 'pool', operation: 'allocate', wakers: [reader] },
    ];
    let fastestMs = Number.POSITIVE_INFINITY;
    // The barrier has let the head go before all others are where they block.
    for (let attempt = 0; attempt < 5; attempt++) {
      const asJson = await runDragon(['ps', '--blocked', '--json'], { env });
      fastestMs = Math.min(fastestMs, asJson.elapsedMs);
      const [entry] = JSON.parse(asJson.stdout).runs;
      if (attempt < 4 && entry.deadlocks.length === 0) continue;
      expect(entry.deadlocks).toHaveLength(1);
      const [deadlock] = entry.deadlocks;
      expect(deadlock.certain).toBe(true);
      const byPid = (a: { pid: number }, b: { pid: number }) => a.pid - b.pid;
      const told: PrintedWait[] = [...deadlock.cycle].sort(byPid);
      expect(told).toEqual(planted.sort(byPid).map((one) => expect.objectContaining(one)));
      expect(told.every((wait) => wait.blocked && wait.sinceMs > 0)).toBe(true);
      if (attempt < 4 && deadlock.behind.length === 0) continue;
      expect(deadlock.behind).toEqual([
        expect.objectContaining({ pid: bystander, object: 'lock', wakers: [owner] }),
      ]);
      expect(entry.waits.length).toBeGreaterThan(4);
    }
    const asText = await runDragon(['ps', '--blocked'], { env });
    expect(asText.stdout).toContain('DEADLOCK: 3 processes wait for each other');
    expect(asText.stdout).toMatch(
      new RegExp(`^ +${writer}: acquire lock [0-9a-f]+, for [0-9.]+ s; waits for ${owner}$`, 'm'),
    );
    expect(asText.stdout).toContain(`stuck behind them: ${bystander}\n`);
    expect(Math.min(fastestMs, asText.elapsedMs)).toBeLessThan(1000);
    run.child.kill('SIGTERM');
    await run.ended;
    await run.leavesNothing();
  });
});
