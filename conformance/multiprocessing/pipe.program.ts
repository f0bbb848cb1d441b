/** The checks of `pipe.test.ts`: connections within one process and between several. */
import assert from 'node:assert/strict';
import {
  BrokenPipeError,
  BufferTooShort,
  ClosedError,
  EOFError,
  NotSupportedError,
  SerializeError,
  TimeoutError,
} from 'dragon-runtime';
import { type Connection, pipe, Queue } from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { check, inProcess, multiProcess, runChecks, sized } from '../harness/inside.ts';
import { startActors } from '../tasks/actors.ts';

const MEBIBYTE = 2 ** 20;

/** Sizes around the places where an implementation changes its ways. */
const sizes = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 600 }) },
  { weight: 4, arbitrary: fc.constantFrom(0, 1, 191, 192, 193, 4095, 4096, 4097) },
  { weight: 3, arbitrary: fc.constantFrom(65_535, 65_536, 65_537, 131_071) },
  { weight: 1, arbitrary: fc.constantFrom(MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1) },
);

function filled(bytes: number, seed: number): Uint8Array {
  const data = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i += 61) data[i] = (i + seed) & 0xff;
  return data;
}

check('messages arrive whole, then the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(sizes, { maxLength: 20 }), fc.boolean(), async (lengths, sync) => {
      const [reader, writer] = pipe({ duplex: false });
      const messages = lengths.map((bytes, i) => filled(bytes, i));
      for (const message of messages) {
        if (sync) writer.sendBytesSync(message);
        else await writer.sendBytes(message);
      }
      writer.close();
      for (const message of messages) {
        const got = sync ? reader.recvBytesSync() : await reader.recvBytes();
        assert.ok(Buffer.from(got).equals(message), `${message.length} bytes`);
      }
      for (let i = 0; i < 2; i++) {
        await assert.rejects(reader.recvBytes(), EOFError);
        assert.throws(() => reader.recvBytesSync(), EOFError);
        assert.throws(() => reader.tryRecv(), EOFError);
      }
      reader.close();
    }),
    inProcess,
  );
});

check('a message of 64 MiB and a byte', async () => {
  const [near, far] = pipe();
  for (const bytes of [64 * MEBIBYTE - 1, 64 * MEBIBYTE, 64 * MEBIBYTE + 1]) {
    const message = filled(bytes, bytes);
    await near.sendBytes(message);
    const got = await far.recvBytes();
    assert.ok(Buffer.from(got.buffer, got.byteOffset, got.length).equals(message));
  }
  near.close();
  far.close();
});

check('directions are independent', async () => {
  const step = fc.record({ near: fc.boolean(), send: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const ends = pipe<number>();
      const [near, far] = ends;
      const models = new Map<Connection<number>, number[]>([
        [near, []],
        [far, []],
      ]);
      for (const [i, step_] of steps.entries()) {
        const end = step_.near ? near : far;
        const other = step_.near ? far : near;
        if (step_.send) {
          end.sendSync(i);
          models.get(other)?.push(i);
        } else {
          const expected = models.get(end)?.shift();
          const got = end.tryRecv();
          assert.deepEqual(
            got,
            expected === undefined ? { ok: false } : { ok: true, value: expected },
          );
        }
      }
      for (const end of ends) end.close();
    }),
    inProcess,
  );
});

check('writers interleave whole messages', async () => {
  await using actors = await startActors(3);
  const small = fc.array(fc.oneof(fc.nat(300), fc.constantFrom(5000, 70_000)), { maxLength: 25 });
  await fc.assert(
    fc.asyncProperty(fc.array(small, { minLength: 1, maxLength: 3 }), async (perWriter) => {
      const [reader, writer] = pipe<Uint8Array>({ duplex: false });
      const plays = perWriter.map((list, id) =>
        actors[id]?.play({
          kind: 'write',
          end: writer as unknown as Connection<Uint8Array>,
          writer: id,
          sizes: list,
        }),
      );
      // What is on its way holds the pipe open: wait until each writer has its own end.
      const next = perWriter.map(() => 0);
      const total = perWriter.flat().length;
      for (let i = 0; i < total; i++) {
        const message = await reader.recvBytes();
        const [id = -1, sequence] = message;
        const at = next[id] as number;
        assert.equal(sequence, at & 0xff);
        assert.equal(message.length, 2 + (perWriter[id]?.[at] as number));
        assert.ok(message.subarray(2).every((byte) => byte === sequence));
        next[id] = at + 1;
      }
      await Promise.all(plays);
      writer.close();
      await assert.rejects(reader.recvBytes(), EOFError);
      reader.close();
    }),
    multiProcess,
  );
});

check('sendBytes takes ranges inside the data only', async () => {
  const range = fc.integer({ min: -3, max: 15 });
  await fc.assert(
    fc.asyncProperty(fc.nat(12), range, range, async (n, offset, length) => {
      const [near, far] = pipe();
      const data = filled(n, 7);
      const legal = offset >= 0 && offset <= n && length >= 0 && length <= n - offset;
      if (legal) {
        await near.sendBytes(data, offset, length);
        assert.deepEqual([...(await far.recvBytes())], [...data.subarray(offset, offset + length)]);
      } else {
        await assert.rejects(near.sendBytes(data, offset, length), {
          code: 'ERR_INVALID_ARGUMENT',
        });
        assert.throws(() => near.sendBytesSync(data, offset, length), {
          code: 'ERR_INVALID_ARGUMENT',
        });
      }
      assert.equal(await far.poll(), false);
      near.close();
      far.close();
    }),
    inProcess,
  );
});

check('every kind of view can be sent', async () => {
  const [near, far] = pipe();
  const numbers = new Float64Array([1, 2, 3]);
  for (const data of [
    numbers,
    numbers.buffer,
    new DataView(numbers.buffer, 8, 8),
    Buffer.from(numbers.buffer, 3, 7),
  ]) {
    await near.sendBytes(data);
    const view = ArrayBuffer.isView(data) ? data : new Uint8Array(data);
    const expected = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
    assert.ok(expected.equals(await far.recvBytes()));
  }
  near.close();
  far.close();
});

check('recvBytes with a limit', async () => {
  const [near, far] = pipe();
  await near.sendBytes(filled(100, 1));
  await near.sendBytes(filled(5, 2));
  await assert.rejects(far.recvBytes(99), (error: unknown) => {
    assert.ok(error instanceof BufferTooShort);
    assert.ok(Buffer.from(error.bytes).equals(filled(100, 1)));
    return true;
  });
  assert.equal((await far.recvBytes(5)).length, 5);
  await assert.rejects(far.recvBytes(-1), { code: 'ERR_INVALID_ARGUMENT' });
  near.close();
  far.close();
});

check('recvBytesInto touches its bytes only', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(40), fc.nat(40), fc.nat(40), async (n, room, offset) => {
      const [near, far] = pipe();
      const message = filled(n, 3).map((byte) => byte | 1);
      await near.sendBytes(message);
      await near.sendBytes(new Uint8Array([9]));
      const target = new Uint8Array(room).fill(0xee);
      if (offset > room) {
        await assert.rejects(far.recvBytesInto(target, offset), { code: 'ERR_INVALID_ARGUMENT' });
        await far.recvBytes();
      } else if (n > room - offset) {
        await assert.rejects(far.recvBytesInto(target, offset), (error: unknown) => {
          assert.ok(error instanceof BufferTooShort);
          assert.deepEqual([...error.bytes], [...message]);
          return true;
        });
        assert.ok(target.every((byte) => byte === 0xee));
      } else {
        assert.equal(await far.recvBytesInto(target, offset), n);
        assert.deepEqual([...target.subarray(offset, offset + n)], [...message]);
        const outside = [...target.subarray(0, offset), ...target.subarray(offset + n)];
        assert.ok(outside.every((byte) => byte === 0xee));
      }
      const last = new Uint8Array(1);
      assert.equal(far.recvBytesIntoSync(last), 1);
      assert.equal(last[0], 9);
      near.close();
      far.close();
    }),
    inProcess,
  );
});

check('values and bytes are taken at the call', async () => {
  const [near, far] = pipe<unknown>();
  const data = new Uint8Array(1000).fill(1);
  const value = { n: 1, data };
  // Far more than the pipe holds, so that most of the sends wait.
  const sends = Array.from({ length: 400 }, (_, i) => {
    value.n = i;
    data.fill(i & 0xff);
    return i % 2 === 0 ? near.send(value) : near.sendBytes(data);
  });
  data.fill(0xff);
  for (let i = 0; i < 400; i++) {
    const bytes = i % 2 === 0 ? ((await far.recv()) as typeof value).data : await far.recvBytes();
    assert.ok(bytes.every((byte) => byte === (i & 0xff)));
  }
  await Promise.all(sends);
  await assert.rejects(near.send({ f: () => 1 }), SerializeError);
  assert.throws(() => near.sendSync(Symbol('s')), SerializeError);
  assert.equal(far.pollSync(), false);
  near.close();
  far.close();
});

check('try forms', () => {
  const [near, far] = pipe<number | undefined>();
  assert.deepEqual(far.tryRecv(), { ok: false });
  let sent = 0;
  while (near.trySend(sent)) sent++;
  assert.ok(sent > 0);
  for (let i = 0; i < sent; i++) assert.deepEqual(far.tryRecv(), { ok: true, value: i });
  assert.ok(near.trySend(undefined));
  assert.deepEqual(far.tryRecv(), { ok: true, value: undefined });
  near.close();
  far.close();
});

check('poll tells and takes nothing', async () => {
  const step = fc.constantFrom('send', 'send nothing', 'recv', 'close');
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const [reader, writer] = pipe<number>({ duplex: false });
      let waiting = 0;
      for (const kind of [...steps, 'close']) {
        if (kind === 'send' && !writer.closed) writer.sendSync(++waiting);
        if (kind === 'send nothing' && !writer.closed) {
          writer.sendBytesSync(new Uint8Array());
          waiting++;
        }
        if (kind === 'recv' && waiting > 0) {
          await reader.recvBytes();
          waiting--;
        }
        if (kind === 'close') writer.close();
        const expected = waiting > 0 || writer.closed;
        assert.equal(await reader.poll(), expected);
        assert.equal(reader.pollSync(), expected);
        assert.equal(reader.pollSync({ timeout: -1 }), expected);
      }
      reader.close();
    }),
    inProcess,
  );
});

check('time-outs and aborts', async () => {
  const [near, far] = pipe<number>();
  const startMs = performance.now();
  await assert.rejects(far.recv({ timeout: 30 }), TimeoutError);
  assert.throws(() => far.recvSync({ timeout: 30 }), TimeoutError);
  assert.equal(await far.poll({ timeout: 20 }), false);
  assert.ok(performance.now() - startMs >= 77);
  while (near.trySend(1));
  await assert.rejects(near.send(2, { timeout: 20 }), TimeoutError);
  assert.throws(() => near.sendSync(2, { timeout: 20 }), TimeoutError);
  const controller = new AbortController();
  const aborted = assert.rejects(near.send(3, { signal: controller.signal }), /enough/);
  controller.abort(new Error('enough'));
  await aborted;
  for (let next = far.tryRecv(); next.ok; next = far.tryRecv()) assert.equal(next.value, 1);
  const again = new AbortController();
  const waits = [far.recv({ signal: again.signal }), far.poll({ signal: again.signal })];
  again.abort(new Error('enough'));
  for (const wait of waits) await assert.rejects(wait, /enough/);
  near.sendSync(4);
  assert.equal(await far.recv(), 4);
  near.close();
  far.close();
});

check('calls take effect in order', async () => {
  const [near, far] = pipe<number>();
  const count = 500;
  const sends = Array.from({ length: count }, (_, i) => near.send(i));
  const got = await Promise.all(Array.from({ length: count }, () => far.recv()));
  assert.deepEqual(
    got,
    Array.from({ length: count }, (_, i) => i),
  );
  await Promise.all(sends);
  near.close();
  far.close();
});

check('end of stream when the last writer dies', async () => {
  await using actors = await startActors(2);
  const [reader, writer] = pipe<Uint8Array>({ duplex: false });
  const end = writer as unknown as Connection<Uint8Array>;
  for (const actor of actors) {
    // The actor now has an end of its own, which it closes after its only message.
    await actor.play({ kind: 'write', end, writer: 1, sizes: [10] });
  }
  const held = actors[0]?.play({ kind: 'write', end, writer: 2, sizes: new Array(4000).fill(1) });
  held?.catch(() => undefined);
  writer.close();
  while ((await reader.recvBytes())[0] !== 2);
  await actors[0]?.process.kill();
  let left = 0;
  const drain = async (): Promise<void> => {
    for (;;) {
      await reader.recvBytes(undefined, { timeout: 5000 });
      left++;
    }
  };
  await assert.rejects(drain(), EOFError);
  assert.ok(left < 4000);
  reader.close();
});

check('a waiting reader sees the end at once', async () => {
  const [reader, writer] = pipe({ duplex: false });
  const waits = [reader.recv(), reader.recvBytes()];
  const polled = reader.poll({ timeout: 5000 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  writer.close();
  for (const wait of waits) await assert.rejects(wait, EOFError);
  assert.equal(await polled, true);
  reader.close();
});

check('broken pipe', async () => {
  const [reader, writer] = pipe<number>({ duplex: false });
  while (writer.trySend(1));
  const waiting = assert.rejects(writer.send(2), BrokenPipeError);
  await new Promise((resolve) => setTimeout(resolve, 20));
  reader.close();
  await waiting;
  await assert.rejects(writer.send(3), BrokenPipeError);
  assert.throws(() => writer.sendSync(3), BrokenPipeError);
  assert.throws(() => writer.trySend(3), BrokenPipeError);
  await assert.rejects(writer.sendBytes(new Uint8Array(1)), BrokenPipeError);
  writer.close();
});

check('ends travel', async () => {
  using carrier = new Queue<Connection<string>>();
  const [near, far] = pipe<string>();
  carrier.putSync(far);
  // On its way it counts as open: closing the original ends nothing.
  far.close();
  near.sendSync('to the one on its way');
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(near.tryRecv().ok, false);
  const arrived = carrier.getSync();
  assert.equal(arrived.recvSync(), 'to the one on its way');
  arrived.sendSync('back');
  assert.equal(near.recvSync(), 'back');
  carrier.putSync(arrived);
  const second = carrier.getSync();
  arrived.close();
  second.sendSync('still open');
  assert.equal(near.recvSync(), 'still open');
  second.close();
  assert.throws(() => near.recvSync({ timeout: 5000 }), EOFError);
  near.close();
});

check('a reference on its way ends with its sender', async () => {
  await using senders = await startActors(1);
  const [sender] = senders;
  assert.ok(sender);
  const [reader, writer] = pipe<Uint8Array>({ duplex: false });
  using carrier = new Queue<unknown>();
  await sender.play({ kind: 'pass on', handle: writer, queue: carrier });
  writer.close();
  assert.equal(carrier.qsize(), 1);
  assert.deepEqual(reader.tryRecv(), { ok: false });
  await sender.process.kill();
  await assert.rejects(reader.recv({ timeout: 5000 }), EOFError);
  reader.close();
});

check('iteration', async () => {
  const [reader, writer] = pipe<number>({ duplex: false });
  for (let i = 0; i < 5; i++) writer.sendSync(i);
  writer.close();
  const seen: number[] = [];
  for await (const value of reader) seen.push(value);
  assert.deepEqual(seen, [0, 1, 2, 3, 4]);
  reader.close();
  const [near, far] = pipe<number>();
  const closing = (async () => {
    for await (const value of near) assert.fail(`nothing was sent, but ${value} came`);
  })();
  await new Promise(setImmediate);
  near.close();
  await closing;
  far.close();
});

check('close', async () => {
  const [near, far] = pipe<number>();
  const waits = [near.recv(), near.recvBytes(), near.poll({ timeout: 5000 })];
  const failures = waits.map((wait) => assert.rejects(wait, ClosedError));
  assert.ok(near.readable && near.writable && !near.closed);
  near.close();
  near.close();
  await Promise.all(failures);
  assert.ok(near.closed && !near.readable && !near.writable);
  for (const call of [
    () => near.send(1),
    () => near.recv(),
    () => near.poll(),
    () => near.sendBytes(new Uint8Array(1)),
  ]) {
    await assert.rejects(call(), ClosedError);
  }
  for (const call of [() => near.sendSync(1), () => near.recvSync(), () => near.tryRecv()]) {
    assert.throws(call, ClosedError);
  }
  far.close();
});

check('one-way ends', async () => {
  const [reader, writer] = pipe<number>({ duplex: false });
  assert.ok(reader.readable && !reader.writable && writer.writable && !writer.readable);
  await assert.rejects(reader.send(1 as never), NotSupportedError);
  assert.throws(() => reader.trySend(1 as never), NotSupportedError);
  await assert.rejects(writer.recv(), NotSupportedError);
  assert.throws(() => writer.pollSync(), NotSupportedError);
  reader.close();
  writer.close();
});

check('streams', async () => {
  const [reader, writer] = pipe<number>({ duplex: false });
  const sink = writer.writableStream().getWriter();
  const source = reader.readableStream().getReader();
  for (const value of [1, 2]) await sink.write(value);
  assert.deepEqual(await source.read(), { done: false, value: 1 });
  assert.deepEqual(await source.read(), { done: false, value: 2 });
  const last = source.read();
  writer.close();
  assert.deepEqual(await last, { done: true, value: undefined });
  await assert.rejects(sink.write(3), ClosedError);
  assert.throws(() => reader.writableStream(), NotSupportedError);
  reader.close();
});

check('nothing is left in memory', async () => {
  for (let i = 0; i < sized(50); i++) {
    const [near, far] = pipe<Uint8Array>();
    near.sendSync(new Uint8Array(100_000));
    near.sendSync(new Uint8Array(10));
    if (i % 2 === 0) far.recvSync();
    near.close();
    far.close();
  }
});

await runChecks();
