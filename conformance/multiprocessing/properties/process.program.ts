/** The bodies of `process.test.ts`: properties of processes, their ends, and of waiting calls. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { currentNode, QueueEmpty } from 'dragon-runtime';
import { Pool } from 'dragon-runtime/core';
import {
  activeChildren,
  type Connection,
  Lock,
  Process,
  type ProcessOptions,
  pipe,
  Queue,
  wait,
  waitSync,
} from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { check, inProcess, multiProcess, runChecks } from '../../harness/inside.ts';
import * as ending from '../../tasks/ending-tasks.ts';
import * as ports from '../../tasks/process-ports.ts';
import * as tasks from '../../tasks/process-tasks.ts';

const folder = mkdtempSync(join(tmpdir(), 'properties-'));
let files = 0;

function newFile(): string {
  return join(folder, `file${++files}`);
}

async function run<A extends readonly unknown[]>(options: ProcessOptions<A>): Promise<Process> {
  const process = new Process(options) as unknown as Process;
  await process.start();
  await process.join();
  return process;
}

const signals: NodeJS.Signals[] = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGILL',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGKILL',
  'SIGSEGV',
  'SIGUSR2',
  'SIGALRM',
  'SIGTERM',
  'SIGVTALRM',
];

const someEnding: fc.Arbitrary<tasks.Ending> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('exit', 'exitCode'),
    code: fc.integer({ min: -1000, max: 1000 }),
  }),
  fc.record({ kind: fc.constant('signal' as const), signal: fc.constantFrom(...signals) }),
  fc.record({ kind: fc.constantFrom('return', 'throw', 'reject', 'throw later', 'unsettled') }),
);

const codes = { return: 0, throw: 1, reject: 1, 'throw later': 1, unsettled: 13 } as const;

function expectedReturn(end: tasks.Ending): number {
  if (end.kind === 'signal') return -constants.signals[end.signal];
  return 'code' in end ? end.code & 0xff : codes[end.kind];
}

check('return codes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(someEnding, { minLength: 1, maxLength: 4 }), async (some) => {
      const ended = await Promise.all(
        some.map((end) => run({ target: tasks.end, args: [end], stderr: 'ignore' })),
      );
      const returned = ended.map(({ returnCode }) => returnCode);
      assert.deepEqual(returned, some.map(expectedReturn));
    }),
    { numRuns: Math.ceil(multiProcess.numRuns / 2) },
  );
});

const calls = ['start', 'join', 'kill', 'terminate', 'close', 'isAlive'] as const;
const step = fc.record({ call: fc.constantFrom(...calls), sync: fc.boolean() });
type Step = { readonly call: (typeof calls)[number]; readonly sync: boolean };
type Phase = 'new' | 'started' | 'ended' | 'closed';

/** Does a call in the flavour that was asked for, and tells its result or its error's code. */
async function outcome(process: Process, { call, sync }: Step): Promise<unknown> {
  try {
    if (call === 'close' || call === 'isAlive') return process[call]();
    if (call === 'join') {
      return sync ? process.joinSync({ timeout: 0 }) : await process.join({ timeout: 0 });
    }
    return sync ? process[`${call}Sync`]() : await process[call]();
  } catch (error) {
    return (error as { code: unknown }).code;
  }
}

/** What the call gives in this phase. */
function expectedOutcome(phase: Phase, call: Step['call']): unknown {
  if (phase === 'closed') return call === 'close' ? undefined : 'ERR_CLOSED';
  if (call === 'isAlive') return phase === 'started';
  if (call === 'close') return phase === 'started' ? 'ERR_STATE' : undefined;
  if (call === 'start') return phase === 'new' ? undefined : 'ERR_STATE';
  if (phase === 'new') return 'ERR_STATE';
  return call === 'join' ? phase === 'ended' : undefined;
}

function nextPhase(phase: Phase, call: Step['call']): Phase {
  if (call === 'start' && phase === 'new') return 'started';
  if ((call === 'kill' || call === 'terminate') && phase === 'started') return 'ended';
  return call === 'close' && phase !== 'started' ? 'closed' : phase;
}

check('life cycle', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      const process = new Process({ target: tasks.waitForEver }) as unknown as Process;
      let phase: Phase = 'new';
      let ended: number | null = null;
      for (const each of [...steps, { call: 'kill', sync: false } as const]) {
        const text: string = `${each.call} of a process that is ${phase}`;
        assert.deepEqual(await outcome(process, each), expectedOutcome(phase, each.call), text);
        const next = nextPhase(phase, each.call);
        if (next === 'ended' && phase === 'started') {
          await process.join();
          ended = each.call === 'kill' ? -9 : -15;
        }
        phase = next;
        assert.equal(process.returnCode, ended, text);
        assert.deepEqual(await activeChildren(), phase === 'started' ? [process] : [], text);
      }
    }),
    multiProcess,
  );
});

/** Up to seven nodes, at most four deep and four below each. */
const tree: fc.Arbitrary<ports.Tree> = fc
  .array(fc.record({ up: fc.nat({ max: 5 }), daemon: fc.boolean() }), { maxLength: 6 })
  .map((nodes) => {
    const parents = [-1];
    const depths = [1];
    for (const { up } of nodes) {
      const wanted = up % parents.length;
      const full = parents.filter((parent) => parent === wanted).length >= 4;
      const parent = full || (depths[wanted] ?? 0) >= 4 ? 0 : wanted;
      parents.push(parent);
      depths.push((depths[parent] ?? 0) + 1);
    }
    return { parents, daemons: [false, ...nodes.map(({ daemon }) => daemon)] };
  });

check('trees', async () => {
  await fc.assert(
    fc.asyncProperty(tree, async (some) => {
      const file = newFile();
      const root = await run({ target: ports.growTree, args: [file, some, 0] });
      assert.equal(root.returnCode, 0);
      const lines = readFileSync(file, 'utf8').trim().split('\n');
      const events = lines.map((line) => JSON.parse(line) as ports.TreeLine);
      const born = new Map(events.filter((e) => e.event === 'born').map((e) => [e.node, e]));
      const done = new Set(events.filter((e) => e.event === 'done').map((e) => e.node));
      const isDaemon = (node: number): boolean =>
        node > 0 && (some.daemons[node] === true || isDaemon(some.parents[node] ?? 0));
      for (const [node, parent] of some.parents.entries()) {
        const line = born.get(node);
        // A daemon may be ended before it has done anything, as its parent ends.
        if (line === undefined) assert.ok(isDaemon(node), `node ${node} was not born`);
        else {
          const above = node === 0 ? process.pid : born.get(parent)?.pid;
          assert.deepEqual([line.parentPid, line.daemon], [above, isDaemon(node)]);
          assert.equal(done.has(node), !isDaemon(node), `node ${node}`);
        }
      }
      const deadlineMs = performance.now() + 5000;
      const left = (): number[] =>
        [...born.values()].map(({ pid }) => pid).filter((pid) => existsSync(`/proc/${pid}`));
      while (left().length > 0 && performance.now() < deadlineMs) await sleep(5);
      assert.deepEqual(left(), []);
    }),
    { numRuns: Math.ceil(multiProcess.numRuns / 2) },
  );
});

const plainText = fc
  .string({ unit: 'binary', maxLength: 30 })
  .filter((text) => !/[\0\ud800-\udfff]/.test(text));
const fileName = plainText.filter((text) => !/[/]|^\.{0,2}$/.test(text) && text.length < 15);

check('what a process is given', async () => {
  using queue = new Queue<unknown>();
  const program = fc.record({
    args: fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()), { maxLength: 5 }),
    env: plainText,
    name: fileName,
    argv: fc.array(plainText, { maxLength: 4 }),
    input: fc.uint8Array({ maxLength: 3000 }),
    largeBytes: fc.integer({ min: 128 * 1024, max: 1024 * 1024 }),
  });
  await fc.assert(
    fc.asyncProperty(program, async ({ args, env, name, argv, input, largeBytes }) => {
      const cwd = join(folder, name);
      mkdirSync(cwd, { recursive: true });
      const [stdin, stdout] = [{ file: newFile() }, { file: newFile() }];
      writeFileSync(stdin.file, input);
      const given = [...args, 'é'.repeat(largeBytes / 2)];
      const variables = { SOME_VARIABLE: env };
      const child = new Process({
        target: ports.giveBackAll,
        args: [queue, 'SOME_VARIABLE', ...given],
        env: variables,
        cwd,
        stdin,
        stdout,
      });
      const native = Process.native({
        exe: 'sh',
        argv: ['-c', 'printf "%s\\0" "$0" "$@" "$SOME_VARIABLE" && cat', 'first', ...argv],
        env: variables,
        cwd,
        stdin,
        stdout: { file: `${stdout.file} of sh` },
      });
      await Promise.all([child.start(), native.start()]);
      assert.deepEqual(await queue.get({ timeout: 9000 }), [given, env, cwd, 2]);
      for (const each of [child, native]) await each.join({ throw: true });
      assert.deepEqual(readFileSync(stdout.file), Buffer.from(input));
      const texts = ['first', ...argv, env].map((text) => `${text}\0`).join('');
      const expected = Buffer.concat([Buffer.from(texts), input]);
      assert.deepEqual(readFileSync(`${stdout.file} of sh`), expected);
    }),
    multiProcess,
  );
});

/** What may grow in a process that forgets to give back. */
function held(): readonly number[] {
  const { usedBytes, allocations } = Pool.default(currentNode()).stats();
  const count = (what: string): number => readdirSync(`/proc/self/${what}`).length;
  return [count('fd'), count('task'), usedBytes, allocations];
}

type Deed = 'end' | 'kill' | 'fail to start' | 'queue' | 'pipe' | 'lock' | 'large arguments';

async function doOne(deed: Deed): Promise<void> {
  const target = tasks.waitForEver;
  if (deed === 'end') await run({ target: ports.nothing });
  if (deed === 'kill') {
    await using child = new Process({ target });
    await child.start();
    await child.kill();
  }
  if (deed === 'fail to start') {
    const module = new URL('../../tasks/process-ports.ts', import.meta.url);
    const bad = new Process({ target: { module, export: 'missing' } });
    await assert.rejects(bad.start(), { code: 'ERR_TARGET_NOT_FOUND' });
  }
  if (deed === 'queue') {
    using queue = new Queue<unknown>();
    await run({ target: tasks.giveBack, args: [queue, 'x'.repeat(5000)] });
    assert.equal(String(await queue.get({ timeout: 9000 })).length, 5000);
  }
  if (deed === 'pipe') {
    const [near, far] = pipe<string>();
    await near.send('x');
    assert.equal(await far.recv(), 'x');
    for (const end of [near, far]) end.close();
  }
  if (deed === 'lock') {
    using lock = new Lock();
    lock.acquireSync();
    lock.release();
  }
  if (deed === 'large arguments') {
    await run({ target: ports.nothing, args: [new Uint8Array(1 << 20)] });
  }
}

check('what is held', async () => {
  const deeds: Deed[] = ['end', 'kill', 'fail to start', 'queue', 'pipe', 'lock'];
  deeds.push('large arguments');
  for (const deed of deeds) await doOne(deed);
  const before = held();
  const some = fc.array(fc.constantFrom(...deeds), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(some, async (chosen) => {
      await Promise.all(chosen.map(doOne));
      const deadlineMs = performance.now() + 3000;
      const more = (): boolean => held().some((now, i) => now > (before[i] ?? 0));
      while (more() && performance.now() < deadlineMs) await sleep(5);
      assert.ok(!more(), `${held()} instead of ${before}`);
    }),
    multiProcess,
  );
});

const plan = fc.record({
  priority: fc.option(fc.integer({ min: -2, max: 3 }), { freq: 4 }),
  fails: fc.boolean(),
  before: fc.constantFrom<ending.Plan['before']>(undefined, undefined, 'run', 'dispose', 'cancel'),
});

/** Whether it runs before the end. */
function isEarly({ before, fails }: ending.Plan): boolean {
  return (before === 'run' || before === 'dispose') && !fails;
}

/** What the finalizers of a plan leave, by the rules. */
function expectedTrace(plans: readonly ending.Plan[]): string[] {
  const left = plans
    .map((each, at) => ({ ...each, at, rank: each.priority ?? 0 }))
    .filter((each) => each.priority !== null && each.before !== 'cancel' && !isEarly(each));
  left.sort((a, b) => b.rank - a.rank || b.at - a.at);
  return [...plans.filter(isEarly), ...left].map(({ name }) => name);
}

check('finalizers', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(plan, { maxLength: 12 }), async (some) => {
      const plans = some.map((each, at) => ({ ...each, name: `f${at}` }));
      const [file, errors] = [newFile(), newFile()];
      const stderr = { file: errors };
      const ended = await run({ target: ending.finalize, args: [file, plans, 'return'], stderr });
      const expected = expectedTrace(plans);
      const trace = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
      assert.deepEqual(trace, expected);
      assert.equal(ended.exitCode, 0);
      const text = readFileSync(errors, 'utf8');
      for (const { name, fails } of plans) {
        const reported = text.includes(`Error: finalizer ${name}\n`);
        assert.equal(reported, fails && expected.includes(name), name);
      }
    }),
    multiProcess,
  );
});

/** Calls that nothing answers: each in both flavours, as milliseconds to its outcome. */
function timedCalls(things: {
  lock: Lock;
  queue: Queue<number>;
  process: Process;
  near: Connection<number>;
}): ((timeout: number) => unknown)[] {
  const { lock, queue, process, near } = things;
  const isEmpty = (error: unknown): boolean => error instanceof QueueEmpty;
  const { sentinel } = process;
  return [
    async (timeout) => assert.equal(await lock.acquire({ timeout }), false),
    (timeout) => assert.equal(lock.acquireSync({ timeout }), false),
    (timeout) => assert.rejects(queue.get({ timeout }), isEmpty),
    (timeout) => assert.throws(() => queue.getSync({ timeout }), isEmpty),
    async (timeout) => assert.equal(await process.join({ timeout }), false),
    (timeout) => assert.equal(process.joinSync({ timeout }), false),
    async (timeout) => assert.equal(await near.poll({ timeout }), false),
    (timeout) => assert.equal(near.pollSync({ timeout }), false),
    async (timeout) => assert.deepEqual(await wait([sentinel, near], { timeout }), []),
    (timeout) => assert.deepEqual(waitSync([near, sentinel], { timeout }), []),
  ];
}

/** Far above what a machine that does other things, too, is late by. */
const SLACK_MS = 4000;

check('time-outs', async () => {
  using lock = new Lock();
  using queue = new Queue<number>();
  lock.acquireSync();
  await using process = new Process({ target: tasks.waitForEver }) as unknown as Process;
  await process.start();
  const [near, far] = pipe<number>();
  const timed = timedCalls({ lock, queue, process, near });
  const timeouts = fc.constantFrom(-1, 0, 0.2, 1, 2, 5, 9);
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: timed.length - 1 }), timeouts, async (at, timeout) => {
      const startMs = performance.now();
      await timed[at]?.(timeout);
      const tookMs = performance.now() - startMs;
      assert.ok(tookMs >= timeout - 1, `call ${at} came ${tookMs} ms after ${timeout}`);
      assert.ok(tookMs <= timeout + SLACK_MS, `call ${at} took ${tookMs} ms for ${timeout}`);
    }),
    inProcess,
  );
  // What has all the time there is does not give up.
  const taken = Promise.all([
    lock.acquire({ timeout: Number.POSITIVE_INFINITY }),
    queue.get({ timeout: Number.POSITIVE_INFINITY }),
    process.join({ timeout: Number.POSITIVE_INFINITY }),
  ]);
  await sleep(20);
  lock.release();
  await queue.put(5);
  await process.kill();
  assert.deepEqual(await taken, [true, 5, true]);
  for (const end of [near, far]) end.close();
});

check('signals', async () => {
  let handled = 0;
  for (const name of ['SIGUSR2', 'SIGALRM'] as const) process.on(name, () => handled++);
  using queue = new Queue<unknown>();
  using lock = new Lock();
  lock.acquireSync();
  const pauses = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 5, maxLength: 30 });
  const call = fc.constantFrom('get', 'acquire', 'join', 'recv');
  await fc.assert(
    fc.asyncProperty(pauses, fc.array(call, { minLength: 1, maxLength: 6 }), async (when, some) => {
      const storm = new Process({ target: ports.storm, args: [process.pid, when] });
      await storm.start();
      const [near, far] = pipe<number>();
      for (const each of some) {
        const startMs = performance.now();
        if (each === 'get') assert.throws(() => queue.getSync({ timeout: 7 }), QueueEmpty);
        if (each === 'acquire') assert.equal(lock.acquireSync({ timeout: 7 }), false);
        if (each === 'recv') assert.equal(near.pollSync({ timeout: 7 }), false);
        if (each === 'join') assert.equal(storm.joinSync({ timeout: 9000 }), true);
        else assert.ok(performance.now() - startMs >= 6);
      }
      assert.equal(storm.joinSync({ timeout: 9000 }), true);
      assert.equal(storm.exitCode, 0);
      await run({ target: tasks.giveBack, args: [queue, when] });
      assert.deepEqual(queue.getSync({ timeout: 9000 }), [when]);
      for (const end of [near, far]) end.close();
    }),
    { numRuns: Math.ceil(multiProcess.numRuns / 2) },
  );
  await sleep(5);
  assert.ok(handled > 0);
});

await runChecks();
rmSync(folder, { recursive: true });
