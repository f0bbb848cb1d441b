/** `kill -9` at random points of a run's life, and what is left two seconds later. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { runDragon } from '../harness/dragon.ts';
import { crew, type Ended, LastingRun, lasting } from './runs.ts';

const rounds = process.env['DRAGON_TEST_SIZE'] === 'full' ? 100 : 10;
const seed = Number(process.env['DRAGON_TEST_SEED'] ?? 1);
/** A run is up after about 150 ms, its workers 100 ms later; later points are all alike. */
const latestMs = 350;
/** A head whose children leave its group and session, and one with workers of the runtime. */
const programs = [[lasting, 'family'], [crew]];
const atOnce = 3;
const HANG_MS = 15_000;

/** Mulberry's generator of numbers below 1: small, and the same everywhere. */
function random(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Part = 'launcher' | 'warden' | 'head';

function kill(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Kills parts of a run after a time; the launcher stands for parts that are not there yet. */
async function killAfter(delayMs: number, parts: readonly Part[]): Promise<LastingRun> {
  const run = new LastingRun(programs[delayMs % programs.length] ?? []);
  await sleep(delayMs);
  const pids = run.parts();
  for (const part of parts) kill(pids[part] ?? pids.launcher);
  return run;
}

/** How a run ends; one that hangs is killed and shown with who waits on what. */
async function endOf(run: LastingRun): Promise<Ended> {
  const late = new AbortController();
  const hangs = sleep(HANG_MS, undefined, { signal: late.signal }).then(async () => {
    const env = { DRAGON_RUNTIME_BASE: run.base };
    const { stdout } = await runDragon(['ps', '--blocked'], { env });
    kill(run.child.pid);
    await run.leavesNothing();
    throw new Error(`the run hangs:\n${stdout}\nit printed: ${run.stdout}${run.stderr}`);
  });
  try {
    return await Promise.race([run.ended, hangs]);
  } finally {
    late.abort();
    hangs.catch(() => undefined);
  }
}

/** Runs the rounds, a few side by side, each at a point of time of its own. */
async function everyRound(salt: number, round: (delayMs: number) => Promise<void>): Promise<void> {
  const next = random(seed + salt);
  const delays = Array.from({ length: rounds }, () => Math.floor(next() * latestMs));
  const lane = async () => {
    for (let delay = delays.pop(); delay !== undefined; delay = delays.pop()) {
      const delayMs = delay;
      await round(delayMs).catch((cause: unknown) => {
        throw new Error(`killed after ${delayMs} ms, seed ${seed}: ${cause}`, { cause });
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

describe('after kill -9', () => {
  it('of the launcher nothing of the run is left [LNC-030] [PRC-014]', async () => {
    await everyRound(1, async (delayMs) => {
      const run = await killAfter(delayMs, ['launcher']);
      await run.leavesNothing();
    });
  });

  it('of the warden the launcher ends the run, says so and exits with 1 [LNC-031]', async () => {
    await everyRound(2, async (delayMs) => {
      const run = await killAfter(delayMs, ['warden']);
      await run.leavesNothing();
      const { code, signal } = await run.ended;
      if (signal === 'SIGKILL') return; // there was no warden yet
      expect(code).toBe(1);
      expect(run.stderr).toMatch(/^dragon: the warden was ended by signal 9[^\n]*\n$/);
    });
  });

  it('of the head nothing is left and the exit code is 137 [LNC-013] [LNC-014]', async () => {
    await everyRound(3, async (delayMs) => {
      const run = await killAfter(delayMs, ['head']);
      await run.leavesNothing();
      const { code, signal } = await run.ended;
      expect(signal === 'SIGKILL' || code === 137).toBe(true);
    });
  });

  it('of launcher and warden at once, cleanup removes the rest [LNC-032] [LNC-052]', async () => {
    await everyRound(4, async (delayMs) => {
      const run = await killAfter(delayMs, ['launcher', 'warden']);
      await run.ended;
      const { code, stderr } = await runDragon(['cleanup'], {
        env: { DRAGON_RUNTIME_BASE: run.base },
      });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      await run.leavesNothing();
    });
  });

  it('of a worker the others go on, with its lock and its queue [LNC-034]', async () => {
    await everyRound(5, async (delayMs) => {
      const run = new LastingRun([crew]);
      await run.shows('up ');
      await sleep(delayMs);
      const workers = run.stdout.trim().split(' ').slice(1).map(Number);
      kill(workers[delayMs % workers.length]);
      expect(await endOf(run)).toEqual({ code: 0, signal: null });
      expect(run.stderr).toBe('');
      await run.leavesNothing();
    });
  });
});
