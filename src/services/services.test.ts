/**
 * The services over real channels, with clients in this process and processes that are played
 * by the test. White box: it looks into nothing, but it builds clients by hand.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { whiteBoxOutput } from '../../ci/build/white-box.mjs';
import { decode, encode } from '../codec/index.ts';
import { Allocation, Channel, Node, Pool, WellKnown } from '../core/index.ts';
import { INLINE_ARGS_BYTES, type ProcessOptions } from '../runtime/client/creation.ts';
import { Runtime } from '../runtime/client/runtime.ts';
import { Status } from '../runtime/errors/codes.ts';
import { HEAD_PUID, type SpawnRequest } from './index.ts';
import { decodeMessage, type Event, encodeMessage, type StartTarget } from './messages/index.ts';
import { HEAD_PID, type Order, type Report } from './played-orders.ts';

/** The process with the services, and what they have asked of their spawner. */
class Launcher {
  readonly spawned: { pid: number; request: SpawnRequest }[] = [];
  readonly signals: [number, number][] = [];
  up = false;
  halted = false;
  readonly #process: ChildProcess;
  #wake: (() => void)[] = [];

  constructor(runtimeDir: string) {
    const path = whiteBoxOutput(fileURLToPath(new URL('./played-launcher.ts', import.meta.url)));
    this.#process = fork(path ?? '', [runtimeDir]);
    this.#process.on('message', (report) => this.#note(report as Report));
  }

  /** Resolves when `happened` is true, which reports of the launcher make. */
  async until(happened: () => boolean): Promise<void> {
    while (!happened()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  /** Resolves when so many processes have been spawned. */
  hasSpawned(count: number): Promise<void> {
    return this.until(() => this.spawned.length >= count);
  }

  order(order: Order): void {
    this.#process.send(order);
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.disconnect();
    await ended;
  }

  #note(report: Report): void {
    if (report.kind === 'spawn') this.spawned.push(report);
    else if (report.kind === 'signal') this.signals.push([report.pid, report.signal]);
    else if (report.kind === 'halted') this.halted = true;
    else this.up = true;
    for (const wake of this.#wake.splice(0)) wake();
  }
}

let launcher: Launcher;
let dir: string;
const clients: Runtime[] = [];
const attached: { close(): void }[] = [];
let runs = 0;

beforeEach(async () => {
  dir = `${process.env['DRAGON_RUNTIME_BASE'] ?? '/tmp'}/s${runs++}`;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  launcher = new Launcher(dir);
  await launcher.until(() => launcher.up);
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const one of attached.splice(0)) one.close();
  await launcher.close();
  rmSync(dir, { recursive: true });
});

/** Closes something after the test, the last one first. */
function closing<T extends { close(): void }>(one: T): T {
  attached.unshift(one);
  return one;
}

function attach(): Node {
  return closing(Node.attach(dir));
}

function wellKnown(from: Node, index: number): Uint8Array {
  const handle = from.wellKnown(index);
  if (handle === undefined) throw new Error(`no well-known handle ${index}`);
  return handle;
}

function client(puid = HEAD_PUID): Runtime {
  const own = Node.attach(dir);
  const pool = Pool.attach(own, wellKnown(own, WellKnown.infrastructurePool));
  const channel = Channel.attach(own, wellKnown(own, WellKnown.globalServices));
  const made = new Runtime(own, pool, channel, puid);
  clients.push(made);
  return made;
}

function work(args: unknown[] = [], more: Partial<ProcessOptions> = {}): ProcessOptions {
  const reference = { module: 'file:///m.js', export: 'work' };
  return { run: { reference, args: encode(args).parts }, label: 'worker', ...more };
}

/** Plays the newest process that was spawned. */
class PlayedProcess {
  readonly pid: number;
  readonly request: SpawnRequest;
  readonly puid: bigint;
  readonly node = attach();
  readonly #local = closing(
    Channel.attach(this.node, wellKnown(this.node, WellKnown.localServices)),
  ).openSender();

  constructor() {
    const spawned = launcher.spawned.at(-1);
    if (spawned === undefined) throw new Error('nothing was spawned');
    const { pid, request } = spawned;
    this.request = request;
    this.pid = pid;
    this.puid = BigInt(request.env['DRAGON_PUID'] ?? '');
  }

  start(): StartTarget {
    const handle = Buffer.from(this.request.env['DRAGON_START'] ?? '', 'base64');
    const channel = closing(Channel.attach(this.node, new Uint8Array(handle)));
    const receiver = channel.openReceiver();
    const message = decodeMessage(receiver.receiveSync({ timeout: 0 }).bytes);
    if (message.type !== 'StartTarget') throw new Error(message.type);
    return message;
  }

  tell(event: Event): void {
    this.#local.sendSync(encodeMessage(event));
  }

  started(): this {
    this.tell({ type: 'ProcessStarted', puid: this.puid });
    return this;
  }

  exit(status: { code?: number; signal?: number }): void {
    launcher.order({ kind: 'exited', pid: this.pid, status });
  }
}

async function startedWorker(runtime: Runtime, args?: unknown[]): Promise<PlayedProcess> {
  const starting = runtime.processCreate(work(args));
  await launcher.hasSpawned(1);
  const played = new PlayedProcess().started();
  await starting;
  return played;
}

describe('a process', () => {
  it('is told its target and who it is, and what not to hand on [SVC-080, SVC-085]', async () => {
    const runtime = client();
    const starting = runtime.processCreate(
      work([1, 'two'], { daemon: true, cwd: '/usr', env: { COLOUR: 'red', HOME: undefined } }),
    );
    await launcher.hasSpawned(1);
    const played = new PlayedProcess();
    const { exe, args, cwd, env, stdio } = played.request;
    expect([exe, args, cwd]).toEqual(['/bin/node', ['--flag', '/main.js'], '/usr']);
    expect(stdio).toEqual(['inherit', 'inherit', 'inherit']);
    expect(env).toMatchObject({ COLOUR: 'red', DRAGON_RUNTIME_DIR: dir, DRAGON_ROLE: 'process' });
    expect(env).not.toHaveProperty('HOME');
    expect(env).not.toHaveProperty('DRAGON_SOURCE');
    const start = played.start();
    expect(start).toMatchObject({ label: 'worker', daemon: true, parentPid: process.pid });
    expect(start.target).toEqual({ module: 'file:///m.js', export: 'work' });
    expect(decode(start.args)).toEqual([1, 'two']);
    played.started();
    expect(await starting).toEqual({ puid: played.puid, pid: played.pid });
  });

  it('gets arguments of any size through the pool [SVC-074]', async () => {
    const runtime = client();
    const big = new Uint8Array(INLINE_ARGS_BYTES * 3).fill(7);
    const before = runtime.pool.stats().usedBytes;
    const starting = runtime.processCreate(work([big]));
    await launcher.hasSpawned(1);
    const played = new PlayedProcess();
    const { args, argsHandle } = played.start();
    expect(args.byteLength).toBe(0);
    const allocation = Allocation.attach(played.node, argsHandle ?? new Uint8Array());
    expect(decode(allocation.read())).toEqual([big]);
    played.started();
    await starting;
    expect(runtime.pool.stats().usedBytes).toBe(before);
    const huge = work([]);
    const parts = [{ byteLength: 2 ** 52 } as Uint8Array];
    const run = { reference: null, args: parts };
    await expect(runtime.processCreate({ ...huge, run })).rejects.toMatchObject({
      code: 'ERR_TOO_LARGE',
    });
  });

  it('is joined with everything that it sent before its end [SVC-028, SVC-033]', async () => {
    const runtime = client();
    const played = await startedWorker(runtime);
    const { puid } = played;
    const joining = runtime.processJoin({ puids: [puid], mode: 'all' });
    played.tell({ type: 'ProcessFailed', puid, error: Uint8Array.of(1, 2) });
    played.exit({ code: 1 });
    expect(await joining).toEqual({
      done: true,
      exits: [{ puid, alive: false, exitCode: 1, error: Uint8Array.of(1, 2) }],
    });
    expect(await runtime.children.active()).toEqual([]);
  });

  it('that can not be started fails with the reason [SVC-022, SVC-023]', async () => {
    const runtime = client();
    const early = runtime.processCreate(work());
    await launcher.hasSpawned(1);
    new PlayedProcess().exit({ signal: 11 });
    await expect(early).rejects.toMatchObject({
      code: 'ERR_PROCESS',
      message: expect.stringContaining('signal 11'),
    });
    const taken = { name: 'one' };
    const first = runtime.processCreate(work([], taken));
    await launcher.hasSpawned(2);
    await expect(runtime.processCreate(work([], taken))).rejects.toMatchObject({ code: 'EEXIST' });
    new PlayedProcess().started();
    await first;
  });

  it('is killed when its creation is aborted, before that rejects [SVC-035, SVC-073]', async () => {
    const runtime = client();
    const abort = new AbortController();
    let settled = false;
    const starting = runtime.processCreate(work(), { signal: abort.signal });
    const outcome = starting
      .catch((error: unknown) => error)
      .finally(() => {
        settled = true;
      });
    await launcher.hasSpawned(1);
    const played = new PlayedProcess();
    abort.abort(new Error('changed my mind'));
    await launcher.until(() => launcher.signals.length > 0);
    expect(launcher.signals).toEqual([[played.pid, 9]]);
    expect(settled).toBe(false);
    played.exit({ signal: 9 });
    expect(await outcome).toHaveProperty('message', 'changed my mind');
  });
});

describe('requests', () => {
  it('are answered each by its own answer, however many are open [SVC-071]', async () => {
    const runtime = client();
    const played = await startedWorker(runtime);
    const joins = Array.from({ length: 200 }, (_, i) =>
      runtime.processJoin({ puids: [played.puid], mode: 'all', timeout: i % 2 ? 20 : 60_000 }),
    );
    const names = Array.from({ length: 100 }, (_, i) =>
      runtime.nameRegister(`n${i}`, { kind: 'channel', descriptor: Uint8Array.of(i) }),
    );
    await Promise.all(names);
    const found = await Promise.all(
      Array.from({ length: 100 }, (_, i) => runtime.nameLookup(`n${i}`)),
    );
    expect(found.map(({ descriptor }) => descriptor[0])).toEqual(found.map((_, i) => i));
    await Promise.all(joins.filter((_, i) => i % 2));
    played.exit({ code: 0 });
    expect((await Promise.all(joins)).map(({ done }) => done)).toEqual(
      joins.map((_, i) => i % 2 === 0),
    );
  });

  it('keep the client waiting only while they are open [SVC-072]', async () => {
    const runtime = client();
    expect(runtime.node.waits.size).toBe(0);
    // Only a request whose answer can't have come yet shows the wait.
    const abort = new AbortController();
    const asking = runtime.nameLookup('never', { wait: true, signal: abort.signal });
    expect(runtime.node.waits.size).toBe(1);
    abort.abort(new Error('enough'));
    await expect(asking).rejects.toThrow('enough');
    expect(await runtime.nodes()).toHaveLength(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(runtime.node.waits.size).toBe(0);
  });

  it('that are aborted reject with the reason and leave nothing [SVC-013, SVC-073]', async () => {
    const runtime = client();
    const abort = new AbortController();
    const waiting = runtime.nameLookup('later', { wait: true, hold: true, signal: abort.signal });
    await runtime.nodes();
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await runtime.nameRegister('later', { kind: 'channel', descriptor: Uint8Array.of(1) });
    const names = await runtime.nameList();
    expect(names).toEqual([{ name: 'later', kind: 'channel', holders: 1, nodeId: 0 }]);
    await expect(runtime.processList({})).resolves.toHaveLength(1);
    const aborted = runtime.nameLookup('x', { wait: true, signal: AbortSignal.abort(reason) });
    await expect(aborted).rejects.toBe(reason);
  });

  it('that can not be read are answered with an error [SVC-005]', async () => {
    const own = attach();
    const pool = closing(Pool.attach(own, wellKnown(own, WellKnown.infrastructurePool)));
    const replies = closing(Channel.create(pool, {}));
    const receiver = replies.openReceiver();
    const channel = closing(Channel.attach(own, wellKnown(own, WellKnown.globalServices)));
    const sender = channel.openSender();
    sender.sendSync(Uint8Array.of(255, 255, 255, 255, 1));
    const replyTo = replies.serialize();
    const header = { tag: 5, puid: HEAD_PUID, actor: own.actorId, replyTo };
    const frame = Buffer.concat(encodeMessage({ type: 'GsNodeList', ...header }));
    frame[frame.indexOf('GsNodeList')] = 0x58;
    sender.sendSync(frame);
    const answer = decodeMessage((await receiver.receive({ timeout: 5000 })).bytes);
    expect(answer).toMatchObject({ type: 'GsReply', ref: 5, err: Status.INVALID_MESSAGE });
    expect(await client().nodes()).toHaveLength(1);
  });

  it('of a client that does not read its answers delay nobody else [SVC-014]', async () => {
    const own = attach();
    const pool = closing(Pool.attach(own, wellKnown(own, WellKnown.infrastructurePool)));
    const replies = closing(Channel.create(pool, { capacity: 4 }));
    const receiver = replies.openReceiver();
    const channel = closing(Channel.attach(own, wellKnown(own, WellKnown.globalServices)));
    const sender = channel.openSender();
    const replyTo = replies.serialize();
    for (let tag = 1; tag <= 50; ++tag) {
      const header = { tag, puid: HEAD_PUID, actor: own.actorId, replyTo };
      sender.sendSync(encodeMessage({ type: 'GsNodeList', ...header }));
    }
    expect(await client().nodes()).toHaveLength(1);
    const refs: number[] = [];
    while (refs.length < 50) {
      const answer = decodeMessage((await receiver.receive({ timeout: 5000 })).bytes);
      if ('ref' in answer) refs.push(answer.ref);
    }
    expect(refs).toEqual(refs.map((_, i) => i + 1));
  });
});

describe('the end of a run', () => {
  it('comes when every process has ended, by force if need be [SVC-060, SVC-061]', async () => {
    const runtime = client();
    const played = await startedWorker(runtime);
    const waiting = client(1n).nameLookup('never', { wait: true });
    launcher.order({ kind: 'teardown', patienceMs: 30 });
    await launcher.until(() => launcher.signals.length === 2);
    await expect(runtime.processCreate(work())).rejects.toMatchObject({ code: 'ERR_STATE' });
    const toWorker = () => launcher.signals.filter(([pid]) => pid === played.pid);
    await launcher.until(() => toWorker().length === 2);
    expect(toWorker().map(([, signal]) => signal)).toEqual([15, 9]);
    played.exit({ signal: 9 });
    launcher.order({ kind: 'exited', pid: HEAD_PID, status: { signal: 9 } });
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_RUNTIME_GONE' });
    await launcher.until(() => launcher.halted);
  });
});
