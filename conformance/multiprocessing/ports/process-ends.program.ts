/** The bodies of `process-ends.test.ts`: ported tests of subclasses, ends, loggers and signals. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  addFinalizer,
  getLogger,
  type LogRecord,
  Process,
  pipe,
  Queue,
} from 'dragon-runtime/multiprocessing';
import { check, runChecks } from '../../harness/inside.ts';
import * as ending from '../../tasks/ending-tasks.ts';
import * as ports from '../../tasks/process-ports.ts';

const folder = mkdtempSync(join(tmpdir(), 'ports-'));
const patience = { timeout: 9000 };

check('test_subclassing', async () => {
  const [far, requests] = pipe<number | null>({ duplex: false });
  const [answers, near] = pipe<unknown>({ duplex: false });
  const child = new ending.Doubler(far, near);
  child.constructed = 7;
  await child.start();
  const [name, , daemon, constructed] = (await answers.recv()) as unknown[];
  assert.deepEqual([name, daemon, constructed], [child.name, false, 7]);
  for (const number of [1, 2.5, -3]) {
    await requests.send(number);
    assert.equal(await answers.recv(), 2 * number);
  }
  await requests.send(null);
  await child.join();
  assert.equal(child.exitCode, 0);
  for (const end of [far, near, requests, answers]) end.close();
});

check('test_stderr_flush', async () => {
  const file = join(folder, 'stderr');
  const child = new Process({ target: ports.failDeeply, stderr: { file } });
  await child.start();
  await child.join();
  assert.equal(child.exitCode, 1);
  const text = readFileSync(file, 'utf8');
  assert.match(text, /RangeError: no number but zero/);
  const source = readFileSync(new URL('../../tasks/process-ports.ts', import.meta.url), 'utf8');
  const line = source.split('\n').findIndex((each) => each.includes('throw new RangeError')) + 1;
  assert.match(text, new RegExp(`at inner .*process-ports\\.ts:${line}:`));
  assert.match(text, /at outer .*process-ports\.ts:/);
  assert.match(text, /failDeeply|process-ports\.ts/);
});

check('test_sys_exit', async () => {
  const codes: [reason: unknown, code: number][] = [
    [8, 8],
    [true, 1],
    [false, 0],
    [null, 0],
    [undefined, 0],
  ];
  const judge = async ([reason, code]: (typeof codes)[number]): Promise<void> => {
    const child = new Process({ target: ending.exitWith, args: [reason] as [unknown] });
    await child.start();
    await child.join();
    assert.equal(child.exitCode, code, String(reason));
  };
  await Promise.all(codes.map(judge));
  for (const [i, reason] of [[1, 2, 3], 'ignore this'].entries()) {
    const file = join(folder, `reason ${i}`);
    const args = [reason] as [unknown];
    const child = new Process({ target: ending.exitWith, args, stderr: { file } });
    await child.start();
    await child.join();
    assert.equal(child.exitCode, 1);
    const shown = typeof reason === 'string' ? reason : '[ 1, 2, 3 ]';
    assert.equal(readFileSync(file, 'utf8'), `${shown}\n`);
  }
});

check('test_finalize', async () => {
  // By hand: once only; disposing stands for dropping the last reference.
  const seen: string[] = [];
  {
    using _ = addFinalizer(() => seen.push('a'));
  }
  const b = addFinalizer(() => seen.push('b'), { priority: null });
  b.run();
  b.run();
  b[Symbol.dispose]();
  assert.deepEqual(seen, ['a', 'b']);
  const file = join(folder, 'finalized');
  const plans: ending.Plan[] = [
    { name: 'c', priority: null },
    { name: 'd10', priority: 1 },
    { name: 'd01', priority: 0 },
    { name: 'd02', priority: 0 },
    { name: 'd03', priority: 0 },
    { name: 'e', priority: -10 },
    { name: 'early', priority: 100, before: 'run' },
  ];
  const child = new Process({ target: ending.finalize, args: [file, plans, 'exit'] });
  await child.start();
  await child.join();
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  assert.deepEqual(lines, ['early', 'd10', 'd03', 'd02', 'd01', 'e']);
});

check('test_enable_logging', () => {
  const logger = getLogger();
  logger.level = 'warning';
  assert.notEqual(logger, undefined);
  logger.info('this will not be printed');
  const records: string[] = [];
  const handler = ({ message }: LogRecord): void => void records.push(message);
  logger.addHandler(handler);
  logger.info('nor will this');
  logger.level = 'debug';
  logger.info('but this');
  logger.removeHandler(handler);
  logger.level = 0;
  assert.deepEqual(records, ['but this']);
});

check('test_level', async () => {
  using queue = new Queue<ending.Logged>();
  const [logger, root] = [getLogger(), getLogger('root')];
  const before = root.level;
  const effective = async (): Promise<unknown> => {
    const child = new Process({ target: ending.logOnce, args: [queue] });
    await child.start();
    const { levels } = await queue.get(patience);
    await child.join();
    return levels[1];
  };
  logger.level = 32;
  assert.equal(await effective(), 32);
  logger.level = 'notSet';
  root.level = 37;
  assert.equal(await effective(), 37);
  root.level = before;
});

check('test_filename', () => {
  const records: LogRecord[] = [];
  const handler = (record: LogRecord): void => void records.push(record);
  getLogger().addHandler(handler);
  const here = new Error().stack ?? '';
  getLogger().critical('line after');
  getLogger().log('critical', 'two after');
  getLogger().removeHandler(handler);
  const [, file = '', line] = /\(?([^( ]*process-ends\.program\.ts):(\d+):/.exec(here) ?? [];
  const address = file.startsWith('file:') ? file : pathToFileURL(file).href;
  assert.equal(address, import.meta.url);
  assert.deepEqual(
    records.map((record) => [record.file, record.line]),
    [1, 2].map((after) => [file, Number(line) + after]),
  );
});

check('test_atexit', async () => {
  const file = join(folder, 'at exit');
  const child = new Process({ target: ports.writeAtExit, args: [file] });
  await child.start();
  await child.join({ throw: true });
  assert.deepEqual(readFileSync(file, 'utf8').trim().split('\n').sort(), ['finalizer', 'listener']);
});

check('test_poll_eintr', async () => {
  let signals = 0;
  const onSignal = (): void => {
    signals += 1;
  };
  process.on('SIGUSR2', onSignal);
  const child = new Process({ target: ports.signalOften, args: [process.pid, 10, 5] });
  await child.start();
  assert.equal(child.joinSync(patience), true);
  assert.equal(child.exitCode, 0);
  const again = new Process({ target: ports.signalOften, args: [process.pid, 10, 5] });
  await again.start();
  assert.equal(await again.join(patience), true);
  assert.equal(again.exitCode, 0);
  assert.ok(signals >= 2, `${signals} signals were handled`);
  process.off('SIGUSR2', onSignal);
});

check('test_ignore', async () => {
  const large = 'x'.repeat((1 << 20) + 1);
  for (const sync of [false, true]) {
    const [near, far] = pipe<unknown>();
    const child = new Process({ target: ports.echoUnderSignals, args: [far, sync] });
    await child.start();
    far.close();
    assert.equal(await near.recv(), 'ready');
    const storm = new Process({ target: ports.signalOften, args: [child.pid ?? 0, 40, 1] });
    await storm.start();
    for (const message of [1234, large, 'end']) {
      await near.send(message);
      assert.equal(await near.recv(), message);
    }
    await storm.join({ throw: true });
    await near.send(null);
    assert.ok(((await near.recv()) as number) > 0);
    await child.join({ throw: true });
    near.close();
  }
});

await runChecks();
rmSync(folder, { recursive: true });
