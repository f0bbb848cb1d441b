/** Pools in one process: nothing overlaps, nothing is lost, whatever is allocated and freed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Allocation, Channel, Node, Pool } from 'dragon-runtime/core';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';

const LIMIT = 1 << 20;
const isFull = process.env['DRAGON_TEST_SIZE'] === 'full';

const bytes = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 300 }) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 70_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: LIMIT / 4, max: LIMIT + 1 }) },
);
const pick = fc.nat(999);
const operation = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('allocate'), pick, bytes }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('free', 'release', 'freeByHandle', 'send', 'check', 'stale'),
      pick,
      bytes: fc.constant(1),
    }),
  },
);

interface Held {
  readonly memory: Allocation;
  readonly length: number;
  readonly fill: number;
}

let dir = '';
let node: Node;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'model-'));
  node = Node.create({ dir });
});

afterAll(() => {
  node.close();
  rmSync(dir, { recursive: true });
});

const codeOf = (code: string) => expect.objectContaining({ code });

/** What a pool should hold. */
class Model {
  readonly pool = Pool.create(node, { limitBytes: LIMIT, initialBytes: 1 << 16 });
  readonly channel = Channel.create(this.pool);
  readonly sender = this.channel.openSender();
  readonly receiver = this.channel.openReceiver();
  readonly own = this.pool.stats().allocations;
  readonly held: Held[] = [];
  readonly gone: Allocation[] = [];
  count = 0;

  /** The bytes are as they were written: nobody else's memory lies over them. */
  check({ memory, length, fill }: Held): void {
    expect(memory.byteLength).toBe(length);
    for (const at of [0, length >> 1, length - 1]) expect(memory.bytes[at]).toBe(fill);
  }

  allocate(length: number): void {
    if (length > LIMIT) {
      return expect(() => this.pool.tryAllocate(length)).toThrow(codeOf('ERR_TOO_LARGE'));
    }
    const memory = this.pool.tryAllocate(length);
    if (memory === undefined) {
      const { freeBytes } = this.pool.stats();
      const text = `${length} did not fit into a pool with ${freeBytes} free in pieces`;
      return expect(this.held.length > 0 || length > LIMIT - (1 << 16), text).toBe(true);
    }
    this.count = (this.count + 1) & 0xff;
    memory.bytes.fill(this.count);
    this.held.push({ memory, length, fill: this.count });
    return undefined;
  }

  act(kind: string, which: number): void {
    if (kind === 'stale') {
      const memory = this.gone[which % this.gone.length];
      if (memory === undefined) return;
      expect(() => memory.free()).toThrow(codeOf('ERR_OBJECT_DESTROYED'));
      expect(() => Allocation.attach(node, memory.serialize())).toThrow(
        codeOf('ERR_OBJECT_DESTROYED'),
      );
      return;
    }
    const index = which % Math.max(1, this.held.length);
    const entry = this.held[index];
    if (entry === undefined) return;
    this.check(entry);
    if (kind === 'check') return;
    this.held.splice(index, 1);
    const { memory, length, fill } = entry;
    if (kind === 'free') memory.free();
    if (kind === 'release') memory.release();
    if (kind === 'freeByHandle') {
      const other = Allocation.attach(node, memory.serialize());
      memory.detach();
      expect(other.read(length - 1, 1)[0]).toBe(fill);
      other.free();
    }
    if (kind === 'send') {
      this.sender.sendSync(memory);
      const message = this.receiver.receiveSync();
      expect([message.bytes.length, message.bytes[length - 1]]).toEqual([length, fill]);
      message.release();
      return;
    }
    this.gone.push(memory);
  }

  end(): void {
    for (const entry of this.held) this.check(entry);
    const { allocations, usedBytes } = this.pool.stats();
    expect(allocations).toBe(this.held.length + this.own);
    const asked = this.held.reduce((sum, { length }) => sum + length, 0);
    expect(usedBytes).toBeGreaterThanOrEqual(asked);
    expect(this.pool.audit()).toBe('');
    for (const { memory } of this.held) memory.free();
    this.channel.close();
    expect(this.pool.stats()).toMatchObject({ allocations: 0, usedBytes: 0 });
    expect(this.pool.audit()).toBe('');
    this.pool.close();
  }
}

it('allocations keep their bytes, and stale ones are refused [MEM-027, MEM-028]', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80 }), (steps) => {
      const model = new Model();
      for (const step of steps) {
        if (step.kind === 'allocate') model.allocate(step.bytes);
        else model.act(step.kind, step.pick);
      }
      model.end();
    }),
    { numRuns: isFull ? 2000 : 60 },
  );
});
