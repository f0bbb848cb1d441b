/** The properties of shared memory by name, of shareable lists, and of the pool below. */
import assert from 'node:assert/strict';
import { NotFoundError } from 'dragon-runtime';
import { type Allocation, Pool as Memory, Node } from 'dragon-runtime/core';
import { type ListItem, Queue, ShareableList, SharedMemory } from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { check, inProcess, runChecks } from '../../harness/inside.ts';

const memory = Memory.default();
const regions = (): number => memory.allocations().filter(({ type }) => type === 'region').length;

/** A block of the model: it lives while it has a name or somebody has it open. */
interface Block {
  readonly name: string;
  byte: number;
  open: number;
  named: boolean;
}

/** What is done next: to the block of a name, or to one of those that were opened. */
const command = fc.record({
  kind: fc.constantFrom('create', 'attach', 'pass', 'write', 'close', 'unlink'),
  name: fc.constantFrom('p', 'q'),
  pick: fc.nat(),
  byte: fc.integer({ min: 1, max: 255 }),
});

check('names and references', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 30 }), async (commands) => {
      const before = regions();
      const named = new Map<string, Block>();
      const handles: { real: SharedMemory; block: Block }[] = [];
      const blocks = new Set<Block>();
      using queue = new Queue<SharedMemory>();
      for (const { kind, name, pick, byte } of commands) {
        const found = named.get(name);
        const chosen = handles.length === 0 ? undefined : handles[pick % handles.length];
        if (kind === 'create') {
          const make = (): SharedMemory => SharedMemory.create({ name, size: 16 });
          if (found !== undefined) assert.throws(make, { code: 'EEXIST' });
          else {
            const block: Block = { name, byte: 0, open: 1, named: true };
            handles.push({ real: make(), block });
            named.set(name, block);
            blocks.add(block);
          }
        } else if (kind === 'attach') {
          if (found === undefined) assert.throws(() => SharedMemory.attach(name), NotFoundError);
          else {
            found.open++;
            handles.push({ real: SharedMemory.attach(name), block: found });
          }
        } else if (chosen === undefined) {
          continue;
        } else if (kind === 'unlink') {
          const { real, block } = chosen;
          if (!block.named) assert.throws(() => real.unlink(), NotFoundError);
          else {
            real.unlink();
            named.delete(block.name);
            block.named = false;
          }
        } else if (chosen.real.closed) {
          assert.throws(() => chosen.real.buf, { code: 'ERR_CLOSED' });
          chosen.real.close();
        } else if (kind === 'close') {
          chosen.real.close();
          chosen.block.open--;
        } else if (kind === 'write') {
          chosen.real.buf[15] = byte;
          chosen.block.byte = byte;
        } else if (chosen.block.named) {
          queue.putSync(chosen.real);
          handles.push({ real: queue.getSync(), block: chosen.block });
          chosen.block.open++;
        } else {
          assert.throws(() => queue.putSync(chosen.real));
        }
        for (const { real, block } of handles) {
          if (!real.closed) assert.equal(real.buf[15], block.byte);
        }
        const alive = [...blocks].filter((block) => block.named || block.open > 0);
        assert.equal(regions() - before, alive.length);
      }
      for (const { real, block } of handles) {
        real.close();
        if (block.named) real.unlink();
        block.named = false;
      }
      assert.equal(regions(), before);
    }),
    { numRuns: Math.ceil(inProcess.numRuns / 2) },
  );
});

check('lists', () => {
  const text = fc.string({ unit: 'binary', maxLength: 12 });
  const item: fc.Arbitrary<ListItem> = fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.double(),
    fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }),
    text,
    fc.uint8Array({ maxLength: 20 }),
  );
  const bytesOf = (given: ListItem): number => {
    if (typeof given === 'string') return Buffer.byteLength(given);
    return given instanceof Uint8Array ? given.length : 8;
  };
  const isWide = (given: ListItem): boolean =>
    typeof given === 'bigint' && BigInt.asIntN(64, given) !== given;
  const first = item.filter((given) => !isWide(given));
  fc.assert(
    fc.property(
      fc.array(first, { minLength: 1, maxLength: 8 }),
      fc.array(fc.tuple(fc.integer({ min: -1, max: 8 }), item), { maxLength: 20 }),
      (items, writes) => {
        using list = ShareableList.from(items);
        using same = ShareableList.attach(list.shm.name);
        const model = [...items];
        const capacities = items.map((each) => Math.max(8, Math.ceil(bytesOf(each) / 8) * 8));
        for (const [at, given] of writes) {
          const capacity = capacities[at];
          const fits = capacity !== undefined && bytesOf(given) <= capacity && !isWide(given);
          const write = (): void => {
            list[at] = given;
          };
          if (fits) {
            write();
            model[at] = given;
          } else assert.throws(write, RangeError);
          assert.deepEqual([...same], model);
        }
        for (const [i, each] of model.entries()) {
          assert.ok(same.index(each) <= i && same.count(each) >= 1);
        }
        list.shm.unlink();
      },
    ),
    inProcess,
  );
});

/** A block has whole lines and begins at one; up to 64 KiB its length is in steps of an eighth. */
function blockBytesAtMost(bytes: number): number {
  const LINE_BYTES = 64;
  const step = bytes <= 65_536 ? Math.max(LINE_BYTES, bytes / 8) : LINE_BYTES;
  return bytes + step + LINE_BYTES;
}

check('allocations', () => {
  const limitBytes = 1 << 20;
  const pool = Memory.create(Node.current(), { limitBytes, initialBytes: 1 << 16 });
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ bytes: fc.integer({ min: 1, max: 3000 }) }) },
    { weight: 1, arbitrary: fc.record({ bytes: fc.integer({ min: 1, max: 600_000 }) }) },
    { weight: 2, arbitrary: fc.record({ free: fc.nat() }) },
  );
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), (steps) => {
      const live: { block: Allocation; mark: number }[] = [];
      for (const [mark, each] of steps.entries()) {
        if ('bytes' in each) {
          const block = pool.tryAllocate(each.bytes);
          // It says no only when no free block is large enough.
          if (block === undefined) {
            assert.ok(pool.stats().largestFreeBytes < blockBytesAtMost(each.bytes));
          } else {
            assert.equal(block.byteLength, each.bytes);
            block.bytes.fill(mark);
            live.push({ block, mark });
          }
        } else if (live.length > 0) {
          const [freed] = live.splice(each.free % live.length, 1);
          freed?.block.free();
          assert.throws(() => freed?.block.free(), { code: 'ERR_OBJECT_DESTROYED' });
        }
        const { usedBytes, freeBytes } = pool.stats();
        assert.equal(usedBytes + freeBytes, limitBytes);
      }
      // Blocks that overlapped would have each other's marks.
      for (const { block, mark } of live) assert.ok(block.bytes.every((byte) => byte === mark));
      assert.equal(pool.audit(), '');
      for (const { block } of live) block.free();
      // The whole is one block again.
      pool.allocateSync(limitBytes).free();
      assert.equal(pool.stats().usedBytes, 0);
    }),
    inProcess,
  );
  pool.destroy();
  pool.close();
});

await runChecks();
