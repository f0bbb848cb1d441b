// The layout, value by value: `spec/vectors/codec/values.txt` has the bytes of version 1, which
// every later release reads and, but for what it may write better, writes.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { decode, encode, join, registerClass, registerError } from './index.ts';

const path = fileURLToPath(new URL('../../spec/vectors/codec/values.txt', import.meta.url));

class Point {
  x = 1;
}
class Money {
  cents = 5n;
}
class Table extends Map<string, number> {
  title = 'T';
}
class Quota extends RangeError {
  limit = 3;
}
registerClass(Point, { name: 'vectors.Point' });
registerClass(Money, {
  name: 'vectors.Money',
  serialize: ({ cents }) => cents,
  deserialize: (cents) => Object.assign(new Money(), { cents }),
});
registerClass(Table, { name: 'vectors.Table' });
registerError(Quota, { name: 'vectors.Quota' });

/** The stack of an error tells of a place; a vector has none. */
function bare<E extends Error>(error: E): E {
  Object.defineProperty(error, 'stack', { value: undefined, writable: true, configurable: true });
  return error;
}

const ring: { self?: unknown } = {};
ring.self = ring;
const shared = { a: 1 };
const holes: unknown[] = [1];
holes[3] = 2;
const Resizable = ArrayBuffer as new (length: number, options: object) => ArrayBuffer;

const values: Readonly<Record<string, unknown>> = {
  zero: 0,
  small: 63,
  int: 64,
  negative: -2_147_483_648,
  float: 0.5,
  minusZero: -0,
  nan: Number.NaN,
  large: 2 ** 53,
  bigint: -(2n ** 70n),
  null: null,
  undefined: undefined,
  true: true,
  false: false,
  text: 'dragon',
  longText: 'x'.repeat(40),
  wideText: 'dr\u00e4\u0142on',
  loneSurrogate: '\ud800',
  list: [1, 'two', null],
  longList: Array.from({ length: 17 }, () => 'a'),
  ints: [1, -2, 3, 4],
  floats: [1, 0.5, 3, 4],
  holes,
  named: Object.assign([1], { name: 'x' }),
  object: { id: 1, op: 'get' },
  objects: [{ a: 1 }, { a: 2 }],
  wideObject: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, i])),
  manyKeys: Array.from({ length: 70 }, (_, i) => ({ [`k${i % 66}`]: 0 })),
  noPrototype: Object.assign(Object.create(null) as object, { a: 1 }),
  map: new Map<unknown, unknown>([[undefined, -5n]]),
  set: new Set([1, 'a']),
  date: new Date(86_400_000),
  regexp: /a+/gi,
  boxed: [Object(1), Object('s'), Object(true), Object(2n)],
  ring,
  shared: [shared, shared],
  bytes: Uint8Array.of(1, 2, 3),
  doubles: Float64Array.of(0.5, -1),
  bigints: BigInt64Array.of(-1n),
  dataView: new DataView(Uint8Array.of(9, 8).buffer),
  nodeBuffer: Buffer.from('ab'),
  buffer: Uint8Array.of(7).buffer,
  growing: new Resizable(2, { maxByteLength: 16 }),
  part: new Uint8Array(256).fill(5),
  twoParts: [new Uint8Array(257).fill(1), new Float64Array(32).fill(2)],
  error: bare(Object.assign(new TypeError('no', { cause: 5 }), { code: 'E' })),
  aggregate: bare(new AggregateError([1], 'all')),
  registeredError: bare(new Quota('full')),
  instance: new Point(),
  serialized: new Money(),
  withContent: new Table([['k', 2]]),
};

const encoded = (value: unknown) => Buffer.from(join(encode(value))).toString('hex');

describe('vectors', () => {
  it('each value has the bytes that are written down [COD-041]', () => {
    const lines = Object.entries(values).map(([name, value]) => `${name} ${encoded(value)}`);
    if (process.env['DRAGON_UPDATE_VECTORS'] === '1') writeFileSync(path, `${lines.join('\n')}\n`);
    expect(lines).toEqual(readFileSync(path, 'utf8').trimEnd().split('\n'));
  });

  it('the bytes that are written down are the values [COD-041]', () => {
    for (const line of readFileSync(path, 'utf8').trimEnd().split('\n')) {
      const [name = '', hex = ''] = line.split(' ');
      const value = decode(Buffer.from(hex, 'hex'));
      if (value instanceof Error) bare(value);
      expect([name, isDeepStrictEqual(value, values[name])]).toEqual([name, true]);
    }
  });
});
