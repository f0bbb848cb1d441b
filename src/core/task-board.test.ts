/** Items of a channel that are counted until they are done. */
import { expect, it } from 'vitest';
import { Channel } from './channel.ts';
import { useNode } from './node.fixture.ts';
import { TaskBoard } from './task-board.ts';

const fixture = useNode({ limitBytes: 8 << 20 });
const codeOf = (code: string) => expect.objectContaining({ code });

function counted() {
  const channel = Channel.create(fixture.pool);
  const tasks = TaskBoard.create(fixture.pool, { consumers: 2 });
  return {
    channel,
    tasks,
    sender: channel.openSender(),
    receiver: channel.openReceiver({ tasks }),
  };
}

it('all is done once what was received was said to be done [COR-080]', async () => {
  const { channel, tasks, sender, receiver } = counted();
  expect(tasks.tryJoin(channel)).toBe(true);
  for (let i = 0; i < 3; i++) sender.trySend(Uint8Array.of(i));
  receiver.tryReceive();
  receiver.receiveSync();
  await receiver.receive();
  expect(tasks.joinSync(channel, { timeout: 1 })).toBe(false);
  const joined = tasks.join(channel);
  for (let i = 0; i < 3; i++) tasks.done();
  expect(await joined).toBe(true);
  expect(() => tasks.done()).toThrow(codeOf('ERR_STATE'));
  channel.close();
  tasks.close();
});

it('a receive that waits has nothing in hand [COR-080]', async () => {
  const { channel, tasks, sender, receiver } = counted();
  const waiting = receiver.receive();
  expect(tasks.tryJoin(channel)).toBe(true);
  expect(() => receiver.receiveSync({ timeout: 5 })).toThrow(codeOf('ERR_TIMEOUT'));
  expect(tasks.tryJoin(channel)).toBe(true);
  sender.trySend(Uint8Array.of(1));
  await waiting;
  expect(tasks.tryJoin(channel)).toBe(false);
  channel.close();
  tasks.close();
});

it('what is not counted is not received [COR-080]', () => {
  const { channel, tasks, sender, receiver } = counted();
  sender.trySend(Uint8Array.of(1));
  const room = new Uint8Array(10);
  for (const call of [
    () => receiver.tryPop(),
    () => receiver.tryReceiveInto(room),
    () => receiver.receiveIntoSync(room),
    () => receiver.tryReceiveTo(fixture.pool),
    () => receiver.tryReceiveMany(),
    () => receiver.receiveManySync(),
    () => receiver.receivePacked(room, new Uint32Array(1)),
  ]) {
    expect(call).toThrow(codeOf('ERR_NOT_SUPPORTED'));
  }
  expect(receiver.tryPeek()?.bytes[0]).toBe(1);
  expect(receiver.receiveSync().bytes[0]).toBe(1);
  channel.close();
  tasks.close();
});
