/** The checks of `wait.test.ts`: waiting for the first of many objects. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClosedError } from 'dragon-runtime';
import {
  type Connection,
  JoinableQueue,
  Process,
  pipe,
  Queue,
  SimpleQueue,
  type Waitable,
  wait,
  waitableSocket,
  waitSync,
} from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { check, inProcess, runChecks } from '../harness/inside.ts';
import { putLater } from '../tasks/later.ts';
import { doNothing, waitForEver } from '../tasks/process-tasks.ts';

/** Queues and connections, each of which can be made ready and not ready. */
interface Toy {
  readonly object: Waitable & Disposable;
  fill(): void;
  drain(): void;
  dispose(): void;
}

function toys(count: number): Toy[] {
  return Array.from({ length: count }, (_, i): Toy => {
    if (i % 3 < 2) {
      const queue = i % 3 === 0 ? new Queue<number>() : new JoinableQueue<number>();
      return {
        object: queue,
        fill: () => queue.putNowait(1),
        drain: () => queue.getNowait(),
        dispose: () => queue.close(),
      };
    }
    const [near, far] = pipe<number>();
    return {
      object: near,
      fill: () => far.sendSync(1),
      drain: () => near.recvSync(),
      dispose: () => {
        near.close();
        far.close();
      },
    };
  });
}

const bothWays = [
  async (objects: readonly Waitable[], timeout?: number) => await wait(objects, { timeout }),
  async (objects: readonly Waitable[], timeout?: number) => waitSync(objects, { timeout }),
];

check('the ready ones, in order, each once', async () => {
  const all = toys(200);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(199), { maxLength: 250, size: 'max' }),
      fc.uniqueArray(fc.nat(199), { maxLength: 20, size: 'max' }),
      fc.nat(1),
      async (input, readyOnes, way) => {
        for (const i of readyOnes) all[i]?.fill();
        const objects = input.map((i) => all[i]?.object as Waitable);
        const expected = [...new Set(input)].filter((i) => readyOnes.includes(i));
        const found = await bothWays[way]?.(objects, 0);
        assert.deepEqual(
          found?.map((object) => all.findIndex((toy) => toy.object === object)),
          expected,
        );
        for (const i of readyOnes) all[i]?.drain();
      },
    ),
    inProcess,
  );
  for (const toy of all) toy.dispose();
});

check('what becomes ready', async () => {
  using first = new Queue<string>();
  using second = new SimpleQueue<string>();
  using go = new Queue<string>();
  const [near, far] = pipe<string>();
  const objects = [near, first, second];
  const child = new Process({ target: putLater, args: [[second, first, far], go] });
  await child.start();
  const waiting = wait(objects);
  await go.put('go');
  assert.deepEqual(await waiting, [second]);
  assert.deepEqual(await wait(objects), [second]);
  assert.equal(second.getSync(), 'later');
  go.putSync('go');
  assert.deepEqual(waitSync(objects, { timeout: 5000 }), [first]);
  first.getSync();
  go.putSync('go');
  assert.deepEqual(waitSync(objects, { timeout: 5000 }), [near]);
  near.recvSync();
  far.close();
  await child.join({ throw: true });
  assert.deepEqual(waitSync(objects, { timeout: 5000 }), [near]);
  near.close();
});

check('looks and limits', async () => {
  using queue = new Queue<number>();
  for (const way of bothWays) {
    for (const timeout of [-1, 0]) assert.deepEqual(await way([queue], timeout), []);
    const beginMs = performance.now();
    assert.deepEqual(await way([queue], 30), []);
    assert.ok(performance.now() - beginMs >= 29);
    await assert.rejects(way([queue], Number.NaN), TypeError);
    await assert.rejects(way([], Number.POSITIVE_INFINITY), { code: 'ERR_INVALID_ARGUMENT' });
    assert.deepEqual(await way([], 5), []);
    await assert.rejects(way([{} as never], 5), TypeError);
  }
  queue.putSync(1);
  assert.deepEqual(await wait([queue], { timeout: 0 }), [queue]);
});

check('signals and ends', async () => {
  const queue = new Queue<number>();
  using other = new Queue<number>();
  const aborted = AbortSignal.abort(new Error('not today'));
  await assert.rejects(wait([queue], { signal: aborted }), /not today/);
  assert.throws(() => waitSync([queue], { signal: aborted }), /not today/);
  await assert.rejects(wait([], { signal: AbortSignal.timeout(5) }));
  const controller = new AbortController();
  const waiting = wait([queue, other], { signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  const closed = assert.rejects(wait([other, queue]), ClosedError);
  await sleep(1);
  queue.close();
  await closed;
  await assert.rejects(wait([queue]), ClosedError);
  assert.throws(() => waitSync([queue]), ClosedError);
  const doomed = new Queue<number>();
  const [carried] = [await throughQueue(doomed)];
  const ready = wait([carried]);
  doomed.destroy();
  assert.deepEqual(await ready, [carried]);
  carried.close();
});

async function throughQueue<T>(queue: Queue<T>): Promise<Queue<T>> {
  using carrier = new Queue<Queue<T>>();
  await carrier.put(queue);
  return await carrier.get();
}

check('no threads, nothing left', async () => {
  const all = toys(200);
  const objects = all.map((toy) => toy.object);
  const threads = (): number => readdirSync('/proc/self/task').length;
  const before = threads();
  const waits = Array.from({ length: 20 }, () => wait(objects, { timeout: 50 }));
  assert.equal(threads(), before);
  for (const found of await Promise.all(waits)) assert.deepEqual(found, []);
  for (const toy of all) {
    toy.fill();
    toy.drain();
    toy.dispose();
  }
});

check('sockets', async () => {
  const server = createServer((peer) => {
    peer.write('hello');
    setTimeout(() => peer.end(), 30);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  using queue = new Queue<number>();
  const near = waitableSocket(connect(port, '127.0.0.1'));
  assert.throws(() => waitSync([near]), { code: 'ERR_NOT_SUPPORTED' });
  assert.deepEqual(await wait([queue, near]), [near]);
  assert.deepEqual(waitSync([queue, near]), [near]);
  assert.equal(String(near.socket.read()), 'hello');
  assert.deepEqual(await wait([queue, near], { timeout: 5000 }), [near]);
  assert.equal(near.socket.read(), null);
  assert.deepEqual(await wait([near]), [near]);
  const flowing = connect(port, '127.0.0.1').on('data', () => undefined);
  await assert.rejects(wait([waitableSocket(flowing)]), { code: 'ERR_NOT_SUPPORTED' });
  flowing.destroy();
  near.socket.destroy();
  server.close();
});

check('ends of processes', async () => {
  const lasting = new Process({ target: waitForEver });
  const short = new Process({ target: doNothing });
  assert.throws(() => short.sentinel, { code: 'ERR_STATE' });
  await Promise.all([lasting.start(), short.start()]);
  const both = [lasting.sentinel, short.sentinel];
  assert.deepEqual(await wait(both), [short.sentinel]);
  assert.deepEqual(waitSync(both), [short.sentinel]);
  assert.deepEqual(await wait([lasting.sentinel], { timeout: 10 }), []);
  assert.deepEqual(waitSync([lasting.sentinel], { timeout: 10 }), []);
  const [near] = pipe<number>() as [Connection<number>, Connection<number>];
  const ended = wait([near, ...both.slice(0, 1)]);
  await lasting.kill();
  assert.deepEqual(await ended, [lasting.sentinel]);
  await Promise.all([lasting.join(), short.join()]);
  assert.deepEqual(await wait(both), both);
  near.close();
});

await runChecks();
