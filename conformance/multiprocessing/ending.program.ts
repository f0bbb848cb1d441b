/** The checks of `ending.test.ts`: ends, finalizers, loggers, subclasses and settings. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { currentProcess, NotSupportedError, ProcessError } from 'dragon-runtime';
import {
  addFinalizer,
  getAllStartMethods,
  getContext,
  getExecutable,
  getLogger,
  getStartMethod,
  LogLevel,
  logToStderr,
  Process,
  type ProcessOptions,
  pipe,
  Queue,
  setExecutable,
  setStartMethod,
} from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../harness/inside.ts';
import * as tasks from '../tasks/ending-tasks.ts';

const folder = mkdtempSync(join(tmpdir(), 'ending-'));
let files = 0;
const stateError = { code: 'ERR_STATE' };

function newFile(): string {
  return join(folder, `file${++files}`);
}

function linesOf(path: string): string[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

async function run<A extends readonly unknown[]>(options: ProcessOptions<A>): Promise<Process> {
  const process = new Process(options) as unknown as Process;
  await process.start();
  await process.join();
  return process;
}

check('reasons', async () => {
  const cases: [reason: unknown, code: number, text: string][] = [
    [8, 8, ''],
    [300, 44, ''],
    [-1, 255, ''],
    [7n, 7, ''],
    [true, 1, ''],
    [false, 0, ''],
    [null, 0, ''],
    [undefined, 0, ''],
    ['the reason', 1, 'the reason\n'],
    ['', 1, '\n'],
    [[1, 'two'], 1, "[ 1, 'two' ]\n"],
    [0.5, 1, '0.5\n'],
  ];
  const judge = async ([reason, code, text]: (typeof cases)[number]): Promise<void> => {
    const file = newFile();
    const args: [unknown] = [reason];
    const ended = await run({ target: tasks.exitWith, args, stderr: { file } });
    assert.deepEqual([ended.exitCode, readFileSync(file, 'utf8')], [code, text], String(reason));
  };
  for (let at = 0; at < cases.length; at += 4)
    await Promise.all(cases.slice(at, at + 4).map(judge));
  const set = await run({ target: tasks.exitWith, args: [9, true] });
  assert.equal(set.exitCode, 9);
});

check('unsettled', async () => {
  const ended = await run({ target: tasks.neverSettle, stderr: 'ignore' });
  assert.equal(ended.exitCode, 13);
  await assert.rejects(ended.join({ throw: true }), (error: unknown) => {
    assert.ok(error instanceof ProcessError);
    assert.deepEqual([error.code, error.exitCode, error.puid], ['ERR_UNSETTLED', 13, ended.puid]);
    return true;
  });
});

check('listeners', async () => {
  const seen: unknown[] = [];
  const child = new Process({ target: tasks.exitWith, args: [3] });
  const taken = (): void => void seen.push('taken away');
  child.once('exit', (code, signal) => seen.push(['before', code, signal]));
  child.once('exit', taken).off('exit', taken);
  await child.start();
  child.once('exit', (code) => seen.push(['meanwhile', code]));
  await child.join();
  await new Promise<void>((done) => child.once('exit', () => done()));
  assert.deepEqual(seen, [
    ['before', 3, null],
    ['meanwhile', 3],
  ]);
  assert.throws(() => child.once('close' as never, () => undefined), TypeError);
});

check('ends with finalizers', async () => {
  const ends: [tasks.End, number][] = [
    ['return', 0],
    ['exit', 4],
    ['process.exit', 4],
    ['throw', 1],
    ['throw later', 1],
  ];
  const judge = async ([end, code]: (typeof ends)[number]): Promise<void> => {
    const file = newFile();
    const plans = [0, -1, 7].map((priority) => ({ name: `p${priority}`, priority }));
    const args: [string, tasks.Plan[], tasks.End] = [file, plans, end];
    const ended = await run({ target: tasks.finalize, args, stderr: 'ignore' });
    assert.deepEqual([linesOf(file), ended.exitCode], [['p7', 'p0', 'p-1'], code], end);
  };
  await Promise.all(ends.map(judge));
});

check('finalizers and children', async () => {
  using queue = new Queue<string>();
  for (const end of ['return', 'process.exit'] as const) {
    const file = newFile();
    await run({ target: tasks.leaveChild, args: [file, queue, end] });
    assert.deepEqual(linesOf(file), ['told', 'last'], end);
  }
});

check('finalizers by hand', () => {
  const seen: string[] = [];
  const first = addFinalizer(() => seen.push('first'));
  assert.ok(first.active);
  assert.equal(first.run(), 1);
  assert.equal(first.run(), undefined);
  assert.ok(!first.active && !first.cancel());
  const second = addFinalizer(() => seen.push('second'));
  assert.ok(second.cancel());
  second.run();
  {
    using third = addFinalizer(() => seen.push('third'), { priority: null });
    assert.equal(third.priority, null);
  }
  assert.deepEqual(seen, ['first', 'third']);
  assert.throws(() => addFinalizer('x' as never), TypeError);
  assert.throws(() => addFinalizer(() => 1, { priority: 0.5 }), TypeError);
});

check('levels', () => {
  const logger = getLogger();
  assert.equal(logger, getLogger('multiprocessing'));
  const root = getLogger('root');
  assert.deepEqual([logger.level, root.level, logger.effectiveLevel], [0, 30, 30]);
  const texts: string[] = [];
  const handler = ({ level, message }: { level: number; message: string }): void => {
    texts.push(`${level} ${message}`);
  };
  logger.addHandler(handler);
  logger.info('too low');
  logger.warning('a %s', 'b');
  logger.level = 'debug';
  assert.ok(logger.isEnabledFor('debug') && !logger.isEnabledFor(9));
  logger.debug('c', 1);
  logger.log(35, 'between');
  logger.level = 0;
  root.level = LogLevel.critical;
  logger.error('again too low');
  logger.critical('d');
  root.level = 'warning';
  logger.removeHandler(handler);
  logger.critical('to nobody');
  assert.deepEqual(texts, ['30 a b', '10 c 1', '35 between', '50 d']);
  for (const level of [-1, 0.5, Number.NaN, 'loud']) {
    assert.throws(() => {
      logger.level = level as number;
    }, TypeError);
  }
});

check('inherited levels', async () => {
  using queue = new Queue<tasks.Logged>();
  for (const [own, root, effective] of [
    [45, 30, 45],
    [0, 15, 15],
  ] as const) {
    getLogger().level = own;
    getLogger('root').level = root;
    const child = await run({ target: tasks.logOnce, args: [queue], name: `logs ${own}` });
    const { levels, file, line, ...record } = await queue.get({ timeout: 5000 });
    assert.deepEqual(levels, [own, effective, root]);
    const { name: processName, pid = 0 } = child;
    const message = '2 of many';
    assert.deepEqual(record, { logger: 'multiprocessing', level: 50, message, processName, pid });
    assert.match(file, /ending-tasks\.ts$/);
    const source = readFileSync(new URL('../tasks/ending-tasks.ts', import.meta.url), 'utf8');
    assert.match(source.split('\n')[line - 1] ?? '', /logger\.critical/);
  }
  getLogger().level = 0;
  getLogger('root').level = 'warning';
});

check('standard error', async () => {
  using queue = new Queue<tasks.Logged>();
  const logOnce = async (): Promise<string> => {
    const file = newFile();
    await run({ target: tasks.logOnce, args: [queue], name: 'Tells', stderr: { file } });
    await queue.get({ timeout: 5000 });
    return readFileSync(file, 'utf8');
  };
  assert.equal(await logOnce(), '');
  assert.equal(logToStderr('error'), getLogger());
  assert.equal(getLogger().level, LogLevel.error);
  assert.equal(await logOnce(), '[CRITICAL/Tells] 2 of many\n');
});

check('subclass', async () => {
  const [far, requests] = pipe<number | null>({ duplex: false });
  const [answers, near] = pipe<unknown>({ duplex: false });
  const child = new tasks.Doubler(far, near, 'Twice');
  await child.start();
  far.close();
  near.close();
  const refusals = ['ERR_STATE', 'ERR_STATE', 'ERR_STATE'];
  assert.deepEqual(await answers.recv(), ['Twice', true, false, 1, true, refusals]);
  for (const number of [1, -4, 1e9]) {
    await requests.send(number);
    assert.equal(await answers.recv(), number * 2);
  }
  await requests.send(null);
  await child.join({ throw: true });
  for (const end of [requests, answers]) end.close();
});

check('finding subclasses', async () => {
  const named = new tasks.Named('four');
  await named.start();
  await named.join();
  assert.equal(named.exitCode, 4);
  const Missing = tasks.unknownSubclass();
  const missing = new Missing();
  await assert.rejects(missing.start(), { code: 'ERR_TARGET_NOT_FOUND' });
  const Hidden = tasks.hiddenSubclass();
  assert.throws(() => new Hidden(), { code: 'ERR_TARGET_NOT_FOUND' });
  assert.throws(() => new Process({}), TypeError);
  assert.throws(() => new Process({ target: tasks.neverSettle }).run(), stateError);
});

check('settings', async () => {
  using queue = new Queue<[unknown, unknown, unknown, number]>();
  const own = currentProcess();
  assert.ok(own.isAlive() && own.exitCode === null && own.authkey.length >= 16);
  const child = new Process({ target: tasks.tellSettings, args: [queue, false] });
  assert.deepEqual(Buffer.from(child.authkey), Buffer.from(own.authkey));
  await child.start();
  await child.join();
  const [key, exitCode, alive, thread] = await queue.get({ timeout: 5000 });
  assert.deepEqual([key, exitCode, alive, thread], [own.authkey, null, true, child.pid]);
  await queue.get({ timeout: 5000 });
  const authkey = Uint8Array.of(1, 2, 3);
  await run({ target: tasks.tellSettings, args: [queue, true], authkey });
  for (const _ of [0, 1]) {
    const [inner] = await queue.get({ timeout: 5000 });
    assert.deepEqual(new Uint8Array(inner as Uint8Array), authkey);
    await queue.get({ timeout: 5000 });
  }
});

check('interpreter', async () => {
  using queue = new Queue<unknown>();
  const wrapper = join(folder, 'wrapped node');
  writeFileSync(wrapper, `#!/bin/sh\nWRAPPED=yes exec '${process.execPath}' "$@"\n`);
  chmodSync(wrapper, 0o700);
  const wrapped = async (deeper: boolean, options = {}): Promise<unknown[]> => {
    await run({ target: tasks.tellSettings, args: [queue, deeper], ...options });
    const told: unknown[] = [];
    for (let next = queue.tryGet(); next.ok; next = queue.tryGet()) {
      const [, mark] = next.value as unknown[];
      if ((next.value as unknown[]).length === 2) told.push(mark);
    }
    return told;
  };
  assert.deepEqual(await wrapped(false), [undefined]);
  assert.deepEqual(await wrapped(false, { execPath: wrapper }), ['yes']);
  for (const path of [wrapper, Buffer.from(wrapper), pathToFileURL(wrapper)]) {
    setExecutable(path);
    assert.equal(getExecutable(), wrapper);
  }
  assert.deepEqual(await wrapped(true), ['yes', 'yes']);
  assert.deepEqual(await wrapped(false, { execPath: process.execPath }), [undefined]);
  setExecutable(undefined);
  assert.equal(getExecutable(), undefined);
  const nowhere = new Process({ target: tasks.neverSettle, execPath: '/no/such/node' });
  await assert.rejects(nowhere.start(), { code: 'ERR_PROCESS' });
  for (const path of ['', 'a\0b', 5, Uint8Array.of(255)]) {
    assert.throws(() => setExecutable(path as string), TypeError);
  }
});

check('files', async () => {
  const [input, output] = [newFile(), newFile()];
  writeFileSync(input, 'text\n');
  const target = tasks.copyStreams;
  const copy = (stdout: ProcessOptions['stdout'], stderr: ProcessOptions['stderr']) =>
    run({ target, stdin: { file: input }, stdout, stderr } as ProcessOptions<[]>);
  await copy({ file: output }, 'ignore');
  assert.deepEqual(linesOf(output), ['out text']);
  await copy({ file: pathToFileURL(output) }, 'ignore');
  assert.deepEqual(linesOf(output), ['out text']);
  await copy('ignore', { file: output, append: true });
  assert.deepEqual(linesOf(output), ['out text', 'err text']);
  const nowhere = { file: join(folder, 'no', 'such', 'file') };
  const failing = new Process({ target, stdout: nowhere });
  await assert.rejects(failing.start(), (error: unknown) => {
    assert.ok(error instanceof ProcessError);
    assert.match(error.message, /no such file/);
    return true;
  });
  assert.equal(failing.isAlive(), false);
  assert.throws(() => new Process({ target, stdin: { file: input, append: true } }), TypeError);
  assert.throws(() => new Process({ target, stdout: 'pipe' as never }), TypeError);
});

check('start methods', () => {
  assert.deepEqual(getAllStartMethods(), ['dragon']);
  assert.equal(getContext(), getContext('dragon'));
  assert.equal(getContext().Process, Process);
  setStartMethod('dragon');
  assert.equal(getStartMethod(), 'dragon');
  assert.throws(() => setStartMethod('dragon'), stateError);
  setStartMethod('dragon', { force: true });
  assert.throws(() => getContext('fork' as never), NotSupportedError);
  assert.throws(() => setStartMethod('spawn' as never, { force: true }), NotSupportedError);
});

await runChecks();
rmSync(folder, { recursive: true });
