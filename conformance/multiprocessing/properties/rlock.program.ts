/** The checks of `rlock.test.ts`. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { NotOwnerError } from 'dragon-runtime';
import { Process, Queue, RLock, Semaphore } from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { check, inProcess, multiProcess, runChecks } from '../../harness/inside.ts';
import { startMeeters } from '../../tasks/meeters.ts';
import { holder } from '../../tasks/sections.ts';

/** Code that runs in the order in which it is given, in a context of its own. */
class Task {
  #last = Promise.resolve();
  #wake: () => void = () => undefined;
  readonly #sections: (() => unknown)[] = [];
  #isOver = false;

  constructor() {
    this.#last = this.#work();
  }

  async #work(): Promise<void> {
    while (!this.#isOver) {
      const section = this.#sections.shift();
      if (section === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      try {
        // It is this code that has to wait for the call.
        await section();
      } catch {
        // Whoever asked for it is told.
      }
    }
  }

  /** Makes `call` in this task. */
  play<R>(call: () => R): Promise<Awaited<R>> {
    return new Promise((resolve, reject) => {
      this.#sections.push(() => {
        try {
          const result = call();
          resolve(result as Awaited<R>);
          return result;
        } catch (error) {
          reject(error);
          throw error;
        }
      });
      this.#wake();
    });
  }

  async end(): Promise<void> {
    this.#isOver = true;
    this.#wake();
    await this.#last;
  }
}

type Owner = 'task 1' | 'task 2' | 'thread' | 'process';

/** `times` calls in a row by one owner. */
const callsOfOwner = fc.record({
  who: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom<Owner>('task 1', 'task 2', 'thread') },
    { weight: 1, arbitrary: fc.constant<Owner>('process') },
  ),
  call: fc.constantFrom('acquire', 'release'),
  times: fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 1, max: 3 }) },
    { weight: 1, arbitrary: fc.constant(1000) },
  ),
});

check('owner and depth', async () => {
  await using meeters = await startMeeters(1);
  // Before the tasks wait for the first time.
  using _first = new RLock();
  const tasks = { 'task 1': new Task(), 'task 2': new Task(), thread: new Task() };
  await fc.assert(
    fc.asyncProperty(fc.array(callsOfOwner, { maxLength: 25 }), async (steps) => {
      using lock = new RLock();
      using carrier = new Queue<RLock>();
      carrier.putSync(lock);
      using other = carrier.getSync();
      let owner: Owner | undefined;
      let depth = 0;
      /** One call by one owner: whether it had an effect. */
      const play = async (who: Owner, call: string, i: number): Promise<boolean> => {
        const one = i % 2 === 0 ? lock : other;
        if (who === 'process') {
          const on = { on: lock, call: call === 'acquire' ? 'tryAcquire' : 'release' };
          const [outcome] = (await meeters[0]?.play([on])) ?? [];
          return outcome?.code === undefined && outcome?.value !== false;
        }
        return await tasks[who].play(() => {
          if (call === 'acquire') {
            return who === 'thread' ? one.tryAcquire() : one.acquire({ timeout: 0 });
          }
          try {
            one.release();
            return true;
          } catch (error) {
            assert.ok(error instanceof NotOwnerError);
            return false;
          }
        });
      };
      for (const { who, call, times } of steps) {
        for (let i = 0; i < (who === 'process' ? 1 : times); i++) {
          const isThreads = owner === 'thread' && who !== 'process';
          if (call === 'acquire') {
            const expected = owner === undefined || owner === who;
            assert.equal(await play(who, call, i), expected);
            if (expected) [owner, depth] = [who, depth + 1];
          } else {
            // What a thread holds any code of it may release.
            const expected = owner === who || isThreads;
            assert.equal(await play(who, call, i), expected);
            if (expected) depth--;
            if (depth === 0) owner = undefined;
          }
          assert.equal(lock.locked, owner !== undefined);
        }
      }
      while (owner !== undefined && depth > 0) {
        assert.ok(await play(owner, 'release', depth));
        depth--;
      }
      assert.equal(lock.locked, false);
    }),
    { numRuns: Math.ceil(inProcess.numRuns / 2) },
  );
  for (const task of Object.values(tasks)) await task.end();
});

check('tasks exclude each other', async () => {
  const way = fc.constantFrom('run', 'acquire', 'guard');
  const script = fc.array(way, { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(script, { minLength: 2, maxLength: 5 }),
      async (scheduler, scripts) => {
        using lock = new RLock();
        let inside = 0;
        let done = 0;
        const pause = () => scheduler.schedule(Promise.resolve());
        const nest = async (ways: readonly string[]): Promise<void> => {
          const [first, ...rest] = ways;
          const section = async (): Promise<void> => {
            assert.equal(inside, 1);
            await pause();
            await nest(rest);
            await pause();
            assert.equal(inside, 1);
          };
          if (first === undefined) return;
          if (first === 'run') return await lock.run(section);
          if (first === 'guard') {
            using _guard = await lock.guard();
            return await section();
          }
          await lock.acquire();
          await section();
          lock.release();
        };
        const tasks = scripts.map(async (ways, i) => {
          if (i % 2 === 1) await pause();
          // The outermost of each: nobody else is in.
          const enter = (): void => {
            assert.equal(inside++, 0);
          };
          if (ways[0] === 'acquire') {
            await lock.acquire();
            enter();
            await nest(ways);
            inside--;
            lock.release();
          } else {
            await lock.run(async () => {
              enter();
              await nest(ways);
              inside--;
            });
          }
          done++;
        });
        const all = Promise.all(tasks);
        let isOver = false;
        all
          .finally(() => {
            isOver = true;
          })
          .catch(() => undefined);
        while (!isOver) {
          if (scheduler.count() > 0) await scheduler.waitOne();
          else await sleep(0);
        }
        await all;
        assert.deepEqual([inside, done, lock.locked], [0, scripts.length, false]);
      },
    ),
    inProcess,
  );
});

check('killed holders', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('sync', 'async'),
      fc.integer({ min: 1, max: 3 }),
      fc.boolean(),
      fc.integer({ min: 0, max: 5 }),
      async (flavour, times, robust, afterMs) => {
        using lock = new RLock({ robust });
        using semaphore = new Semaphore(2);
        using ready = new Semaphore(0);
        const args = [lock, flavour, times, ready, semaphore] as const;
        const victim = new Process({ target: holder, args: [...args], daemon: true });
        await victim.start();
        await ready.acquire();
        const waiting = lock.acquire({ timeout: robust ? 10_000 : 20 });
        await sleep(afterMs);
        await victim.kill();
        await victim.join();
        // Robust: the next one has it, and is told. Else it stays taken, and nobody else's.
        assert.equal(await waiting, robust);
        assert.deepEqual([lock.owned, lock.ownerDied, lock.locked], [robust, robust, true]);
        if (robust) lock.release();
        else assert.throws(() => lock.release(), NotOwnerError);
        assert.equal(lock.locked, !robust);
        // Permits stay taken until they are given back in its place.
        assert.equal(semaphore.value, 1);
        semaphore.release();
        assert.equal(await semaphore.acquire({ n: 2, timeout: 0 }), true);
      },
    ),
    multiProcess,
  );
});

await runChecks();
