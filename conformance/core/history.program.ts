/** The checks of `history.test.ts`: several processes use one channel at the same time. */
import assert from 'node:assert/strict';
import { Channel, Pool } from 'dragon-runtime/core';
import fc from 'fast-check';
import { check, multiProcess, runChecks } from '../harness/inside.ts';
import {
  drain,
  nowNs,
  Players,
  type ReceiveForm,
  type SendForm,
  type Step,
} from '../tasks/core-scripts.ts';
import { contradictions } from './queue-history.ts';

const PROCESSES = 4;
/** Long enough for every process to have read its script. */
const LEAD_NS = 3_000_000;
const RUNS = 3 * multiProcess.numRuns;

const size = fc.oneof(
  { weight: 10, arbitrary: fc.nat(300) },
  { weight: 1, arbitrary: fc.constantFrom(4096, 16_384, 100_000) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    send: fc.constantFrom<SendForm>(
      ...(['try', 'sync', 'async', 'many', 'packed'] as const),
      ...(['allocation', 'handle', 'receipt', 'lent'] as const),
    ),
    sizes: fc.array(size, { minLength: 1, maxLength: 5 }),
  }),
  fc.record({
    receive: fc.constantFrom<ReceiveForm>('try', 'sync', 'async', 'into', 'to', 'many', 'packed'),
    max: fc.integer({ min: 1, max: 6 }),
  }),
);
const script = fc.array(step, { maxLength: 40 });

await using players = new Players();
await players.start(PROCESSES);

check('linearizable', async () => {
  const pool = Pool.default();
  const before = pool.stats().allocations;
  await fc.assert(
    fc.asyncProperty(
      fc.array(script, { minLength: 1, maxLength: PROCESSES }),
      fc.constantFrom(1, 2, 7, 100),
      async (scripts, capacity) => {
        const channel = Channel.create(pool, { capacity, blockBytes: 128 });
        const handle = channel.serialize();
        const beginNs = nowNs() + LEAD_NS;
        const orders = scripts.map((steps, i) => ({ channel: handle, by: i + 1, beginNs, steps }));
        const events = await players.play(orders);
        events.push(...(await drain(channel, 0)));
        channel.close();
        assert.deepEqual(contradictions(events, capacity), []);
      },
    ),
    { numRuns: RUNS },
  );
  // What the last scripts have lent is freed by the next ones.
  using channel = Channel.create(pool);
  const last = { channel: channel.serialize(), by: 0, beginNs: 0, steps: [] };
  await players.play(Array.from({ length: PROCESSES }, () => last));
  channel.close();
  assert.deepEqual([pool.stats().allocations, pool.audit()], [before, '']);
});

await runChecks();
