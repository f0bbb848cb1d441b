/** What the garbage collector does to memory in a pool, in children that expose it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { coreUrl, openPair, runWithCore } from './child.fixture.ts';
import { packageRoot } from './native.ts';

let dir = '';

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'core-'));
});

afterAll(() => {
  rmSync(dir, { recursive: true });
});

const LIMIT = 64 << 20;

/** What the lines of `text` print, in a process with a pair of ends; LARGE is a payload. */
function printed(name: string, text: string, flags = ['--expose-gc']): string[] {
  const start = openPair(join(dir, name), `{ limitBytes: ${LIMIT} }`);
  const common = `
    const LARGE = 1 << 20;
    const used = () => pool.stats().usedBytes >> 20;
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const collect = async () => { for (let i = 0; i < 4; i++) { gc(); await turn(); } };
    const say = (...words) => console.log(...words);`;
  const { stdout, stderr, status } = runWithCore(packageRoot(), start + common + text, flags);
  expect([stderr, status]).toEqual(['', 0]);
  return stdout.trim().split('\n');
}

it('any derived view keeps the memory, and nothing else does [COR-012]', () => {
  const lines = printed(
    'views',
    `
    const derive = [
      (bytes) => bytes.subarray(10, 20),
      (bytes) => new DataView(bytes.buffer, 10, 10),
      (bytes) => Buffer.from(bytes.buffer).subarray(10, 20),
      (bytes) => bytes.buffer,
    ];
    const first = (view) => new Uint8Array(view.buffer ?? view)[10];
    for (const make of derive) {
      sender.sendSync(new Uint8Array(LARGE).fill(7));
      let view = make(receiver.receiveSync().bytes);
      let memory = pool.allocateSync(LARGE);
      memory.bytes.fill(8);
      let other = make(memory.bytes);
      memory = undefined;
      await collect();
      say(used(), first(view), first(other));
      view = other = undefined;
      await collect();
      say(used());
    }
    let unseen = pool.allocateSync(LARGE);
    await collect();
    say(used());
    unseen = undefined;
    await collect();
    say(used(), pool.audit() || 'well');`,
  );
  expect(lines).toEqual([...Array(4).fill(['2 7 8', '0']).flat(), '1', '0 well']);
});

it('each part of a payload keeps it, alone or beside others [COR-065]', () => {
  const lines = printed(
    'parts',
    `
    sender.sendSync(new Uint8Array(LARGE).fill(7));
    let message = receiver.receiveSync();
    let one = message.part(0, 16384);
    let other = new Float64Array(message.part(32768, 8000));
    message = undefined;
    await collect();
    say(used(), new Uint8Array(one)[5], new Uint8Array(other.buffer)[7999]);
    one = undefined;
    await collect();
    say(used(), new Uint8Array(other.buffer)[7999]);
    other = undefined;
    await collect();
    say(used(), pool.audit() || 'well');`,
  );
  expect(lines).toEqual(['1 7 7', '1 7', '0 well']);
});

it('a part that was collected keeps the memory and nothing else, for a turn [COR-067]', () => {
  const lines = printed(
    'collected',
    `
    sender.sendSync(new Uint8Array(LARGE).fill(7));
    const message = receiver.receiveSync();
    const { bytes } = message;
    const other = message.part(0, 16384);
    // Made in functions, so that nothing here keeps them; the event loop must not turn yet.
    for (let i = 0; i < 100; i++) (() => void message.part(16384, 16384))();
    gc();
    message.release();
    say(bytes.length, other.byteLength);
    await collect();
    say(used(), pool.audit() || 'well');`,
  );
  expect(lines).toEqual(['0 0', '0 well']);
});

it('what was released or sent is not given back a second time [COR-012]', () => {
  const lines = printed(
    'twice',
    `
    let memory = pool.allocateSync(LARGE);
    let bytes = memory.bytes;
    memory.release();
    const next = pool.allocateSync(LARGE);
    next.bytes.fill(9);
    let sent = pool.allocateSync(LARGE);
    sent.bytes.fill(5);
    sender.sendSync(sent);
    memory = bytes = sent = undefined;
    await collect();
    say(used(), next.bytes[LARGE - 1], receiver.receiveSync().bytes[0], pool.audit() || 'well');`,
  );
  expect(lines).toEqual(['2 9 5 well']);
});

it('dropped payloads come back without a call of gc [COR-012]', () => {
  const lines = printed(
    'pressure',
    `
    let most = 0;
    let shown = 0;
    // At most 16 are shown at a time: a hundred were there only if most of them came back. When
    // the collector gets to it is its own affair, and that of the machine's load.
    const end = Date.now() + 20_000;
    while (shown < 100 && Date.now() < end) {
      const before = used();
      const memory = pool.allocateSync(LARGE);
      sender.sendSync(memory);
      if (receiver.receiveSync().bytes.length !== LARGE) say('short');
      if (used() > before) shown++;
      most = Math.max(most, used());
      await turn();
    }
    say(most < 17, shown);`,
    [],
  );
  expect(lines).toEqual(['true 100']);
});

it('a worker thread that ends gives back what it held [COR-016]', () => {
  const lines = printed(
    'workers',
    `
    const { Worker } = await import('node:worker_threads');
    for (const end of ['parentPort.close()', 'process.exit(0)']) {
      const text = \`
        const { parentPort, workerData } = require('node:worker_threads');
        import(workerData.url).then(async (core) => {
          const node = core.Node.attach(workerData.dir);
          const channel = core.Channel.attach(node, workerData.handle);
          const receiver = channel.openReceiver();
          globalThis.kept = [receiver.receiveSync().bytes, receiver.receiveSync().bytes];
          globalThis.mine = core.Pool.attach(node, workerData.pool).allocateSync(1 << 20);
          mine.bytes.fill(1);
          parentPort.once('message', () => \${end});
          parentPort.postMessage(kept[1][5]);
        });\`;
      const data = { url: ${JSON.stringify(coreUrl(packageRoot()))}, dir };
      Object.assign(data, { handle: channel.serialize(), pool: pool.serialize() });
      for (const fill of [3, 4]) sender.sendSync(new Uint8Array(LARGE).fill(fill));
      const worker = new Worker(text, { eval: true, execArgv: [], workerData: data });
      const answer = await new Promise((resolve) => worker.once('message', resolve));
      say(used());
      worker.postMessage('end');
      await new Promise((resolve) => worker.once('exit', resolve));
      say(answer, used(), pool.audit() || 'well');
    }`,
  );
  expect(lines).toEqual(['3', '4 0 well', '3', '4 0 well']);
});

it('the bytes of a region keep it open, and nothing else does [COR-071]', () => {
  const lines = printed(
    'regions',
    `
    const { Region } = core;
    let region = Region.create(pool, LARGE);
    let view = new Float64Array(region.buffer, 8, 1);
    region = undefined;
    await collect();
    view[0] = 1.5;
    say(used(), view[0], view.length);
    view = undefined;
    await collect();
    say(used());
    region = Region.create(pool, LARGE);
    new Uint8Array(region.buffer)[3] = 4;
    await collect();
    say(used(), new Uint8Array(region.buffer)[3]);
    region = undefined;
    await collect();
    say(used());
    process.exit(0);`,
  );
  expect(lines).toEqual(['1 1.5 1', '0', '1 4', '0']);
});
