/** One payload for several receivers. */
import { expect, it } from 'vitest';
import { Channel } from './channel.ts';
import { useNode } from './node.fixture.ts';

const fixture = useNode({ limitBytes: 64 << 20 });
const LARGE = 100_000;

const codeOf = (code: string) => expect.objectContaining({ code });
const usedBytes = (): number => fixture.pool.stats().usedBytes;

function pair() {
  const channel = Channel.create(fixture.pool);
  return { channel, sender: channel.openSender(), receiver: channel.openReceiver() };
}

it('an allocation is sent to several channels and kept [COR-060]', () => {
  const pairs = [pair(), pair(), pair()];
  const before = usedBytes();
  const memory = fixture.pool.allocateSync(LARGE);
  memory.bytes.fill(7);
  for (const { sender } of pairs) sender.sendSync(memory.share({ holders: 5 }));
  expect(usedBytes() - before).toBeLessThan(1.2 * LARGE);
  const messages = pairs.map(({ receiver }) => receiver.receiveSync());
  expect(messages.map(({ bytes }) => [bytes.length, bytes[LARGE - 1]])).toEqual(
    Array(3).fill([LARGE, 7]),
  );
  memory.release();
  messages[0]?.release();
  messages[2]?.release();
  expect(messages.map(({ bytes }) => bytes.length)).toEqual([0, LARGE, 0]);
  expect(messages[1]?.bytes[0]).toBe(7);
  messages[1]?.release();
  expect(usedBytes()).toBe(before);
  expect(fixture.pool.audit()).toBe('');
  for (const { channel } of pairs) channel.close();
});

it('there are only so many holders at a time [COR-060]', () => {
  const before = usedBytes();
  const memory = fixture.pool.allocateSync(LARGE);
  const part = memory.share({ holders: 2 });
  expect(() => memory.share()).toThrow(codeOf('ERR_STATE'));
  expect(() => part.resize(10)).toThrow(codeOf('ERR_INVALID_ARGUMENT'));
  memory.release();
  const next = part.share();
  expect(next.isSame(part)).toBe(false);
  expect(next.byteLength).toBe(LARGE);
  expect(() => fixture.pool.allocateSync(8).share({ holders: 0 })).toThrow(
    codeOf('ERR_INVALID_ARGUMENT'),
  );
  expect(() => memory.share()).toThrow(codeOf('ERR_OBJECT_DESTROYED'));
  part.release();
  next.release();
  expect(usedBytes() - before).toBeLessThan(LARGE);
});

it('a part that was sent and taken back is shared as before [COR-060]', async () => {
  const { channel, sender } = pair();
  const before = usedBytes();
  const memory = fixture.pool.allocateSync(LARGE);
  const part = memory.share({ holders: 3 });
  const sent = sender.send(part, { mode: 'whenReceived', timeout: 5 });
  await expect(sent).rejects.toThrow(codeOf('ERR_TIMEOUT'));
  const next = part.share();
  expect(next.byteLength).toBe(LARGE);
  expect(() => part.share()).toThrow(codeOf('ERR_STATE'));
  for (const each of [memory, part, next]) each.release();
  expect(usedBytes()).toBe(before);
  channel.close();
});

it('what was received of one payload is released, sent on and read for itself [COR-061]', () => {
  const { channel, sender, receiver } = pair();
  const before = usedBytes();
  const memory = fixture.pool.allocateSync(LARGE);
  memory.bytes.fill(3);
  for (let i = 0; i < 2; i++) sender.sendSync(memory.share());
  const [one, two] = [receiver.receiveSync(), receiver.receiveSync()];
  memory.bytes[0] = 9; // not to be done by programs: it shows that all are the same memory
  expect([one.bytes[0], two.bytes[0]]).toEqual([9, 9]);
  two.release();
  expect([one.bytes.length, two.bytes.length, memory.bytes.length]).toEqual([LARGE, 0, LARGE]);
  sender.sendSync(memory);
  expect(receiver.receiveSync().bytes[LARGE - 1]).toBe(3);
  expect(one.bytes[1]).toBe(3);
  one.release();
  sender.sendSync(fixture.pool.allocateSync(LARGE).share());
  channel.drain();
  channel.close();
  expect(usedBytes() - before).toBeLessThan(3 * LARGE);
});
