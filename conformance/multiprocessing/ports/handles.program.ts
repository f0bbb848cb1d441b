/** The checks of `handles.test.ts`: serialized handles that nobody made. */
import assert from 'node:assert/strict';
import { currentNode, DragonError } from 'dragon-runtime';
import {
  Allocation,
  Barrier,
  Broadcast,
  Channel,
  Condition,
  Event,
  Pool,
  RobustLock,
  RwLock,
  Semaphore,
} from 'dragon-runtime/core';
import fc from 'fast-check';
import { check, runChecks, sized } from '../../harness/inside.ts';

const node = currentNode();
const pool = Pool.default();

/** Attaches to whatever the bytes name, and lets go of it again. */
const kinds: Readonly<Record<string, (handle: Uint8Array) => void>> = {
  allocation: (handle) => Allocation.attach(node, handle).byteLength,
  barrier: (handle) => Barrier.attach(node, handle).close(),
  broadcast: (handle) => Broadcast.attach(node, handle).close(),
  channel: (handle) => Channel.attach(node, handle).close(),
  channelAdopted: (handle) => Channel.attach(node, handle, { adopt: true }).close(),
  condition: (handle) => Condition.attach(node, handle).close(),
  event: (handle) => Event.attach(node, handle).close(),
  lock: (handle) => RobustLock.attach(node, handle).close(),
  pool: (handle) => Pool.attach(node, handle).close(),
  rwLock: (handle) => RwLock.attach(node, handle).close(),
  semaphore: (handle) => Semaphore.attach(node, handle).close(),
};

/** The code of the error that attaching to the bytes as each kind gives; 'none' without one. */
function codesFor(handle: Uint8Array): string[] {
  return Object.values(kinds).map((attach) => {
    try {
      attach(handle);
      return 'none';
    } catch (error) {
      assert(DragonError.is(error), String(error));
      return error.code;
    }
  });
}

check('bogus handles', () => {
  const channel = Channel.create(pool);
  const whole = channel.serialize();
  const stranger = pool.allocateSync(100);
  const before = pool.stats().allocations;
  // Upstream's -1, and others that are nothing.
  for (const length of [0, 1, whole.length - 1, whole.length, whole.length + 1, 4096]) {
    for (const byte of [0, 0xff, 0x2a]) {
      for (const code of codesFor(new Uint8Array(length).fill(byte))) {
        assert.match(code, /^ERR_/, `${length} times ${byte}`);
      }
    }
  }
  const wholes = [whole, stranger.serialize(), pool.serialize()];
  const flip = fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }));
  fc.assert(
    fc.property(fc.nat(2), fc.array(flip, { minLength: 1, maxLength: 4 }), (which, flips) => {
      const handle = Uint8Array.from(wholes[which] as Uint8Array);
      for (const [at, bits] of flips) {
        if (at < handle.length) handle[at] = (handle[at] as number) ^ bits;
      }
      if (wholes.some((one) => Buffer.compare(one, handle) === 0)) return;
      for (const code of codesFor(handle)) assert.match(code, /^ERR_/);
    }),
    { numRuns: sized(1000) },
  );
  const random = fc.uint8Array({ maxLength: 2 * whole.length });
  fc.assert(
    fc.property(random, (handle) => codesFor(handle).every((code) => code.startsWith('ERR_'))),
    { numRuns: sized(300) },
  );
  assert.equal(pool.stats().allocations, before);
  const again = Channel.attach(node, whole);
  again.openSender().trySend(Uint8Array.of(7));
  assert.deepEqual(channel.openReceiver().tryReceive()?.bytes, Uint8Array.of(7));
  again.close();
  stranger.release();
  channel.close();
});

await runChecks();
