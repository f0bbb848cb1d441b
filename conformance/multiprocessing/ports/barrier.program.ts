/**
 * The checks of `barrier.test.ts`. Each runs twice: with four processes that block and this one,
 * which does not; and with five that block.
 */
import assert from 'node:assert/strict';
import { Barrier, Process, Queue, Semaphore } from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../../harness/inside.ts';
import { count, party, passMany } from '../../tasks/barrier-parties.ts';
import { type Outcome, type Step, startMeeters, takeSteps } from '../../tasks/meeters.ts';

const N = 5;
const BROKEN = 'ERR_BARRIER_BROKEN';
const meeters = await startMeeters(N, party);

type Wait = 'wait' | 'waitSync';
type Player = (steps: (wait: Wait) => readonly Step[]) => Promise<readonly Outcome[]>;

/** Who takes part, in both variants. */
const children: Player[] = meeters.map((meeter) => (steps) => meeter.play(steps('waitSync')));
const here: Player = (steps) => takeSteps(steps('wait'));
const variants = [[...children.slice(1), here], children] as const;

/** What each party's steps came to: a value, or the code of an error. */
async function play(
  players: readonly Player[],
  steps: (wait: Wait, i: number) => readonly Step[],
): Promise<unknown[][]> {
  const all = await Promise.all(players.map((player, i) => player((wait) => steps(wait, i))));
  return all.map((outcomes) => outcomes.map(({ value, code }) => code ?? value));
}

const isPermutation = (places: readonly unknown[]): void =>
  assert.deepEqual(new Set(places), new Set(Array.from({ length: N }, (_, i) => i)));

/** All pass twice a generation, and count before; nobody sees a count of the next phase. */
async function multipass(players: readonly Player[], generations: number): Promise<void> {
  using barrier = new Barrier(N);
  using first = new Semaphore(0);
  using second = new Semaphore(0);
  const seen = await play(players, (wait) =>
    Array.from({ length: generations }).flatMap(() => [
      { on: first, call: 'release' },
      { on: second, call: 'value' },
      { on: barrier, call: wait },
      { on: second, call: 'release' },
      { on: first, call: 'value' },
      { on: barrier, call: wait },
    ]),
  );
  for (let i = 0; i < generations; i++) {
    for (const outcomes of seen) {
      assert.deepEqual([outcomes[6 * i + 1], outcomes[6 * i + 4]], [N * i, N * (i + 1)]);
    }
    isPermutation(seen.map((outcomes) => outcomes[6 * i + 2]));
  }
  assert.deepEqual([barrier.nWaiting, barrier.broken], [0, false]);
}

function checkBoth(name: string, body: (players: readonly Player[]) => Promise<void>): void {
  check(name, async () => {
    for (const players of variants) await body(players);
  });
}

checkBoth('barrier', (players) => multipass(players, 1));

checkBoth('barrier 10', (players) => multipass(players, 10));

checkBoth('wait return', async (players) => {
  using barrier = new Barrier(N);
  isPermutation((await play(players, (wait) => [{ on: barrier, call: wait }])).flat());
});

checkBoth('action', async (players) => {
  using acted = new Semaphore(0);
  using barrier = new Barrier(N, { action: count, args: [acted] });
  const seen = await play(players, (wait) => [
    { on: barrier, call: wait },
    { on: acted, call: 'value' },
    { on: barrier, call: wait },
    { on: acted, call: 'value' },
  ]);
  for (const outcomes of seen) assert.deepEqual([outcomes[1], outcomes[3]], [1, 2]);
  assert.equal(acted.value, 2);
});

checkBoth('abort', async (players) => {
  using barrier = new Barrier(N);
  const seen = await play(players, (wait, i) =>
    i === N / 2 - 0.5 ? [{ on: barrier, call: 'abort' }] : [{ on: barrier, call: wait }],
  );
  assert.deepEqual(
    seen.flat(),
    Array.from({ length: N }, (_, i) => (i === 2 ? undefined : BROKEN)),
  );
  assert.equal(barrier.broken, true);
});

checkBoth('reset', async (players) => {
  using barrier = new Barrier(N);
  const seen = await play(players, (wait, i) => [
    ...(i === 2
      ? [
          { on: barrier, call: 'nWaiting', until: N - 1 },
          { on: barrier, call: 'reset' },
        ]
      : [{ on: barrier, call: wait }]),
    { on: barrier, call: wait },
  ]);
  assert.equal(seen.filter(([first]) => first === BROKEN).length, N - 1);
  isPermutation(seen.map((outcomes) => outcomes.at(-1)));
  assert.equal(barrier.broken, false);
});

checkBoth('abort and reset', async (players) => {
  using barrier = new Barrier(N);
  using meeting = new Barrier(N);
  const seen = await play(players, (wait, i) => [
    { on: barrier, call: i === 2 ? 'abort' : wait },
    { on: meeting, call: wait },
    i === 2 ? { on: barrier, call: 'reset' } : { on: barrier, call: 'parties' },
    { on: meeting, call: wait },
    { on: barrier, call: wait },
  ]);
  assert.equal(seen.filter(([first]) => first === BROKEN).length, N - 1);
  isPermutation(seen.map((outcomes) => outcomes.at(-1)));
});

checkBoth('timeout', async (players) => {
  using barrier = new Barrier(N);
  const seen = await play(players, (wait, i) => [
    ...(i === 2 ? [{ on: barrier, call: 'broken', until: true }] : []),
    { on: barrier, call: wait, with: [{ timeout: 30 }] },
  ]);
  assert.deepEqual(
    seen.map((outcomes) => outcomes.at(-1)),
    Array.from({ length: N }, () => BROKEN),
  );
  assert.equal(barrier.broken, true);
});

checkBoth('default timeout', async (players) => {
  using barrier = new Barrier(N, { timeout: 60 });
  isPermutation((await play(players, (wait) => [{ on: barrier, call: wait }])).flat());
  const seen = await play(players, (wait, i) => [
    ...(i === 2 ? [{ on: barrier, call: 'broken', until: true }] : []),
    { on: barrier, call: wait },
  ]);
  assert.deepEqual(
    seen.map((outcomes) => outcomes.at(-1)),
    Array.from({ length: N }, () => BROKEN),
  );
});

check('single thread', async () => {
  using barrier = new Barrier(1);
  for (let i = 0; i < 3; i++) {
    assert.equal(await barrier.wait(), 0);
    assert.equal(barrier.waitSync(), 0);
  }
});

check('thousand', async () => {
  const rounds = 1000;
  for (const size of [N - 1, N]) {
    using barrier = new Barrier(N);
    using passed = new Queue<number>();
    const processes = await Promise.all(
      Array.from({ length: size }, async () => {
        const args = [barrier, rounds, passed] as const;
        const process = new Process({ target: passMany, args: [...args] });
        await process.start();
        return process;
      }),
    );
    if (size < N) {
      for (let round = 0; round < rounds; round++) {
        await barrier.wait();
        await passed.put(round);
      }
    }
    const all: number[] = [];
    while (all.length < N * rounds) all.push(...(await passed.getMany()));
    for (const process of processes) await process.join({ throw: true });
    assert.deepEqual(
      all,
      Array.from({ length: N * rounds }, (_, i) => Math.floor(i / N)),
    );
  }
});

await runChecks();
await meeters[Symbol.asyncDispose]();
