/** The properties of shared values, arrays and structs. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { endianness } from 'node:os';
import {
  array,
  type FieldType,
  Process,
  pipe,
  type RawArray,
  rawArray,
  rawStruct,
  rawValue,
  type StructSchema,
  type TypeCode,
  type Value,
  value,
} from 'dragon-runtime/multiprocessing';
import fc from 'fast-check';
import { check, inProcess, multiProcess, runChecks, sized } from '../../harness/inside.ts';
import { serveValues, type ValueScript } from '../../tasks/value-tasks.ts';

const WIDTHS = { b: 8, B: 8, h: 16, H: 16, i: 32, I: 32, l: 64, L: 64, q: 64, Q: 64 } as const;
type IntegerCode = keyof typeof WIDTHS;
const INTEGERS = Object.keys(WIDTHS) as IntegerCode[];
const isSigned = (code: string): boolean => code === code.toLowerCase();
const isBig = (code: string): boolean => 'lLqQ'.includes(code);

/** Processes that carry out scripts. */
async function startServers(count: number) {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const [near, far] = pipe<ValueScript, unknown>();
      const process = new Process({ target: serveValues, args: [far], daemon: true });
      await process.start();
      far.close();
      const play = async (script: ValueScript): Promise<unknown> => {
        await near.send(script);
        return await near.recv();
      };
      return { process, near, play };
    }),
  );
  const end = async (): Promise<void> => {
    for (const { near } of servers) near.close();
    await Promise.all(servers.map(({ process }) => process.join()));
  };
  return { servers, [Symbol.asyncDispose]: end };
}

check('increments', async () => {
  await using started = await startServers(3);
  const plan = fc.record({
    times: fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 3 }),
    flavours: fc.array(fc.constantFrom('async', 'sync', 'try'), { minLength: 1, maxLength: 3 }),
    start: fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ times, flavours, start }) => {
      const sum = times.reduce((total, each) => total + each, 0);
      for (const code of [...INTEGERS, 'f', 'd'] as TypeCode[]) {
        const isFloat = code === 'f' || code === 'd';
        const begin = isFloat ? Number(BigInt.asIntN(12, start)) : start;
        const width = WIDTHS[code as IntegerCode];
        const given = isFloat || isBig(code) ? begin : Number(BigInt.asIntN(width, start));
        using counter = value(code, given as never) as Value<TypeCode>;
        await Promise.all(
          times.map((each, i) => {
            const script = { kind: 'count', value: counter, times: each, flavours } as const;
            return started.servers[i]?.play(script);
          }),
        );
        if (isFloat) assert.equal(counter.value, (begin as number) + sum);
        else {
          const exact = start + BigInt(sum);
          const wrapped = isSigned(code)
            ? BigInt.asIntN(width, exact)
            : BigInt.asUintN(width, exact);
          assert.equal(BigInt(counter.value as number), wrapped, code);
        }
      }
    }),
    multiProcess,
  );
});

/** Reads lines of code and value, and prints the bytes that ctypes has for each. */
const CTYPES = `
import ctypes, struct, sys
types = {'c': 'char', 'b': 'byte', 'B': 'ubyte', 'h': 'short', 'H': 'ushort', 'i': 'int',
         'I': 'uint', 'l': 'long', 'L': 'ulong', 'q': 'longlong', 'Q': 'ulonglong',
         'f': 'float', 'd': 'double', '?': 'bool'}
for line in sys.stdin:
    code, text = line.split()
    if code in 'fd': given = struct.unpack('<d', bytes.fromhex(text))[0]
    elif code == '?': given = text == 'true'
    else: given = int(text)
    print(bytes(getattr(ctypes, 'c_' + types[code])(given)).hex())
`;

check('conversions', () => {
  assert.equal(endianness(), 'LE');
  const wide = fc.oneof(
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
    fc.constantFrom(-1n, 0n, 2n ** 31n, 2n ** 63n, 2n ** 64n - 1n),
  );
  const small = fc.oneof(
    fc.maxSafeInteger(),
    fc.integer(),
    fc.constantFrom(-0, 2 ** 80, -(2 ** 31)),
  );
  const cases = fc.oneof(
    fc.tuple(fc.constantFrom('l', 'L', 'q', 'Q'), wide),
    fc.tuple(fc.constantFrom('b', 'B', 'h', 'H', 'i', 'I'), small),
    fc.tuple(fc.constantFrom('f', 'd'), fc.double()),
    fc.tuple(fc.constant('c'), fc.integer({ min: 0, max: 255 })),
    fc.tuple(fc.constant('?'), fc.boolean()),
  ) as fc.Arbitrary<[TypeCode, number | bigint | boolean]>;
  const sample = fc.sample(cases, sized(2000));
  const doubleHex = (given: number): string => {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(given);
    return bytes.toString('hex');
  };
  const lines = sample.map(([code, given]) => {
    if (code === 'f' || code === 'd') return `${code} ${doubleHex(given as number)}`;
    return `${code} ${typeof given === 'number' ? BigInt(given) : given}`;
  });
  const input = `${lines.join('\n')}\n`;
  const printed = execFileSync('python3', ['-c', CTYPES], { input, encoding: 'utf8' });
  const expected = printed.trim().split('\n');
  assert.equal(expected.length, sample.length);
  for (const [i, [code, given]] of sample.entries()) {
    using cells = rawArray(code, [given as never]);
    const { buffer, byteLength } = cells.subarray();
    const bytes = Buffer.from(buffer, 0, byteLength).toString('hex');
    // Which of the NaNs it is, no language says.
    if (Number.isNaN(given)) assert.ok(Number.isNaN(cells[0]));
    else assert.equal(bytes, expected[i], `${code} ${given}`);
    using element = rawValue(code, given as never);
    assert.deepEqual(element.value, cells[0]);
  }
});

type Model = number[];

check('arrays', () => {
  const index = fc.integer({ min: -3, max: 24 });
  const element = fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 });
  const command = fc.oneof(
    fc.tuple(fc.constant('get' as const), index),
    fc.tuple(fc.constant('put' as const), index, element),
    fc.tuple(fc.constant('slice' as const), index, index),
    fc.tuple(fc.constant('set' as const), index, fc.array(element, { maxLength: 6 })),
    fc.tuple(fc.constant('fill' as const), element, index, index),
    fc.tuple(fc.constant('view' as const), index, index),
  );
  const either = (isLegal: boolean, call: () => void): void => {
    if (isLegal) call();
    else assert.throws(call, RangeError);
  };
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 20 }),
      fc.array(command, { maxLength: 40 }),
      fc.boolean(),
      (length, commands, raw) => {
        // Memory that was used before, most likely the same.
        using dirty = rawArray('h', Math.max(1, length));
        dirty.fill(-1);
        dirty.close();
        using real = raw ? rawArray('h', length) : array('h', length);
        const model: Model = new Array(length).fill(0);
        const isIndex = (at: number): boolean => at >= 0 && at < length;
        for (const each of commands) {
          if (each[0] === 'get') {
            const [, at] = each;
            either(isIndex(at), () => assert.equal(real[at], model[at]));
            either(isIndex(at) || isIndex(at + length), () => {
              assert.equal(real.at(at), model.at(at));
            });
          } else if (each[0] === 'put') {
            const [, at, given] = each;
            either(isIndex(at), () => {
              real[at] = given;
              model[at] = given;
            });
          } else if (each[0] === 'slice') {
            assert.deepEqual(real.slice(each[1], each[2]), model.slice(each[1], each[2]));
          } else if (each[0] === 'view') {
            const [, start, end] = each;
            assert.deepEqual([...real.subarray(start, end)], model.slice(start, end));
          } else if (each[0] === 'set') {
            const [, at, given] = each;
            either(at >= 0 && at + given.length <= length, () => {
              real.set(given, at);
              model.splice(at, given.length, ...given);
            });
          } else {
            const [, given, start, end] = each;
            either(start >= 0 && Math.max(start, end) <= length, () => {
              real.fill(given, start, end);
              model.fill(given, start, Math.max(start, end));
            });
          }
          assert.deepEqual([...real], model);
          assert.equal(real.length, model.length);
        }
      },
    ),
    inProcess,
  );
});

check('whole elements', async () => {
  await using started = await startServers(1);
  const word = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const codes: TypeCode[] = ['Q', 'd', 'I', 'H'];
  await fc.assert(
    fc.asyncProperty(word, word, fc.constantFrom(...codes), async (first, second, code) => {
      const as = (bits: bigint): number | bigint => {
        if (code === 'Q') return bits;
        const bytes = Buffer.alloc(8);
        bytes.writeBigUInt64LE(bits);
        if (code === 'd') return bytes.readDoubleLE();
        return code === 'I' ? bytes.readUInt32LE() : bytes.readUInt16LE();
      };
      const patterns = [as(first), as(second)];
      fc.pre(!patterns.some(Number.isNaN as never));
      using cell = rawArray(code, [patterns[0], ...patterns] as never) as RawArray<TypeCode>;
      let isOver = false;
      const writing = started.servers[0]
        ?.play({ kind: 'alternate', cell, times: sized(30_000) })
        .then(() => {
          isOver = true;
        });
      while (!isOver) {
        for (let i = 0; i < 2000; i++) {
          const seen = cell[0] as number | bigint;
          assert.ok(seen === patterns[0] || seen === patterns[1]);
        }
        await new Promise(setImmediate);
      }
      await writing;
    }),
    multiProcess,
  );
});

const C_TYPES: Record<TypeCode, string> = {
  c: 'char',
  b: 'signed char',
  B: 'unsigned char',
  h: 'short',
  H: 'unsigned short',
  i: 'int',
  I: 'unsigned int',
  l: 'long',
  L: 'unsigned long',
  q: 'long long',
  Q: 'unsigned long long',
  f: 'float',
  d: 'double',
  '?': 'bool',
};

/** A schema as the body of a struct in C++. */
function inCpp(schema: StructSchema): string {
  const fields = Object.entries(schema).map(([name, type]) => {
    if (typeof type === 'string') return `${C_TYPES[type]} ${name};`;
    if (Array.isArray(type)) return `${C_TYPES[type[0] as TypeCode]} ${name}[${type[1]}];`;
    return `struct ${inCpp(type as StructSchema)} ${name};`;
  });
  return `{ ${fields.join(' ')} }`;
}

check('layouts', () => {
  const code = fc.constantFrom(...(Object.keys(C_TYPES) as TypeCode[]));
  const { schema } = fc.letrec<{ schema: StructSchema; field: FieldType }>((tie) => ({
    schema: fc
      .array(tie('field'), { minLength: 1, maxLength: 6 })
      .map((fields) => Object.fromEntries(fields.map((field, i) => [`f${i}`, field]))),
    field: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      code,
      fc.tuple(code, fc.integer({ min: 1, max: 9 })),
      tie('schema'),
    ),
  }));
  const sample = fc.sample(schema, inProcess.numRuns);
  const lines = ['#include <cstddef>'];
  for (const [i, each] of sample.entries()) {
    using made = rawStruct(each);
    const { fields, bytes, alignment } = made.layout;
    let end = 0;
    for (const field of fields) {
      assert.ok(field.offset >= end && field.offset + field.bytes <= bytes);
      end = field.offset + field.bytes;
    }
    lines.push(`struct S${i} ${inCpp(each)};`);
    lines.push(`static_assert(sizeof(S${i}) == ${bytes} && alignof(S${i}) == ${alignment});`);
    for (const { name, offset } of fields) {
      lines.push(`static_assert(offsetof(S${i}, ${name}) == ${offset}, "S${i}.${name}");`);
    }
  }
  const flags = ['-x', 'c++', '-std=c++20', '-fsyntax-only', '-Wno-invalid-offsetof', '-'];
  execFileSync('c++', flags, { input: lines.join('\n'), stdio: ['pipe', 'inherit', 'pipe'] });
});

await runChecks();
