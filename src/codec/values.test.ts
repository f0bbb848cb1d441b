// Values that go out and come back: what is kept, and how typed arrays travel.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes, clonable, graphs, loneSurrogates } from '../../conformance/codec/values.ts';
import { decode, encode, join } from './index.ts';

function roundTrip<T>(value: T): T {
  return decode(join(encode(value))) as T;
}

function returnsEqual(value: unknown): boolean {
  return isDeepStrictEqual(roundTrip(value), value);
}

describe('values', () => {
  it('any value that structured clone carries returns equal [COD-001]', () => {
    fc.assert(fc.property(clonable(4), returnsEqual), { numRuns: 1000 });
  });

  it('the same comes out as from structured clone [COD-001]', () => {
    const plain = fc
      .anything({ withBigInt: true, withDate: true, withMap: true, withSet: true })
      .map((value) => structuredClone(value))
      // Node 20 finds an invalid date unequal to itself; it has a test of its own.
      .filter((value) => isDeepStrictEqual(value, structuredClone(value)));
    fc.assert(fc.property(plain, returnsEqual));
  });

  it('an invalid date stays one [COD-001]', () => {
    const date = roundTrip(new Date(Number.NaN));
    expect(date).toBeInstanceOf(Date);
    expect(date.getTime()).toBeNaN();
  });

  it('numbers keep their bits [COD-001]', () => {
    const special = [
      0,
      -0,
      1,
      -1,
      63,
      64,
      2 ** 31 - 1,
      2 ** 31,
      -(2 ** 31),
      2 ** 53,
      1e300,
      5e-324,
    ];
    for (const value of [...special, Number.NaN, Infinity, -Infinity]) {
      expect(Object.is(roundTrip(value), value)).toBe(true);
      expect(roundTrip([value, 1, 2, 3, 4])[0]).toBe(value);
    }
    fc.assert(fc.property(fc.double(), (value) => Object.is(roundTrip(value), value)));
    fc.assert(fc.property(fc.array(fc.double(), { maxLength: 300 }), returnsEqual));
    fc.assert(fc.property(fc.array(fc.integer(), { maxLength: 300 }), returnsEqual));
    fc.assert(fc.property(fc.bigInt(), (value) => roundTrip(value) === value));
  });

  it('any string returns, of any length and with lone surrogates [COD-001]', () => {
    fc.assert(fc.property(loneSurrogates(), (text) => roundTrip(text) === text));
    for (const text of ['a', 'ä', 'ł', '\0', '🐉', '\ud800']) {
      for (const length of [1, 7, 15, 16, 17, 31, 32, 33, 1000, 70_000]) {
        expect(roundTrip(text.repeat(length))).toBe(text.repeat(length));
      }
    }
  });

  it('shared references and rings are kept [COD-002]', () => {
    fc.assert(fc.property(graphs(), (value) => isDeepStrictEqual(roundTrip(value), value)));
    const shared = { x: 1 };
    const many = Array.from({ length: 50 }, () => ({ shared }));
    const [first, ...others] = roundTrip(many);
    for (const other of others) expect(other.shared).toBe(first?.shared);
    const ring: { self?: unknown } = {};
    ring.self = ring;
    const back = roundTrip(ring);
    expect(back.self).toBe(back);
  });

  it('holes and named properties of arrays are kept [COD-003]', () => {
    const match = /b(?<rest>.)/.exec('abc');
    expect(returnsEqual(match)).toBe(true);
    const holes: unknown[] = [];
    holes[1] = 1;
    holes[3] = undefined;
    expect(returnsEqual(holes)).toBe(true);
    for (const length of [10, 64, 65, 5000]) {
      const named = Object.assign(
        Array.from({ length }, (_, i) => i),
        { name: 'x' },
      );
      expect(returnsEqual(named)).toBe(true);
    }
    const wide: unknown[] = [1];
    wide.length = 4_000_000_000;
    expect(roundTrip(wide).length).toBe(wide.length);
  });

  it('an instance of an unknown class arrives as a plain object of its fields [COD-004]', () => {
    class Point {
      x = 1;
      #hidden = 2;
      get sum(): number {
        return this.x + this.#hidden;
      }
    }
    expect(returnsEqual({ ...new Point() })).toBe(true);
    expect(Object.getPrototypeOf(roundTrip(new Point()))).toBe(Object.prototype);
    const bare = Object.assign(Object.create(null) as object, { [Symbol('s')]: 1, a: 1 });
    expect(Object.getPrototypeOf(roundTrip(bare))).toBe(null);
    expect(Reflect.ownKeys(roundTrip(bare))).toEqual(['a']);
  });

  it('fields are own ones, also where all objects inherit some, each read once [COD-004]', () => {
    let reads = 0;
    const value = {
      get counted() {
        reads++;
        return { inner: 1 };
      },
    };
    const before = join(encode([{ a: 1 }, { b: { c: 2 } }]));
    Object.defineProperty(Object.prototype, 'inherited', {
      value: 1,
      writable: true,
      enumerable: true,
      configurable: true,
    });
    try {
      expect(Buffer.compare(join(encode([{ a: 1 }, { b: { c: 2 } }])), before)).toBe(0);
      expect(Object.hasOwn(roundTrip(value).counted, 'inherited')).toBe(false);
    } finally {
      Reflect.deleteProperty(Object.prototype, 'inherited');
    }
    expect([roundTrip(value), reads]).toEqual([{ counted: { inner: 1 } }, 2]);
  });

  it('a key of any name is an own property on arrival [COD-001]', () => {
    const odd = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2, "": 3}') as object;
    const back = roundTrip(odd);
    expect(Object.keys(back)).toEqual(['__proto__', 'constructor', '']);
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect((back as { polluted?: number }).polluted).toBe(undefined);
  });

  it('a message in a Buffer, or anywhere in one, is read as any other [COD-001]', () => {
    const value = [[1, 2, 3, 4], [1, 2, 3, 0.5], new Uint8Array(300).fill(3)];
    const message = join(encode(value));
    const pooled = Buffer.concat([Buffer.from('abc'), message, Buffer.from('d')]);
    const inside = pooled.subarray(3, 3 + message.length);
    for (const bytes of [Buffer.from(message), inside, Uint8Array.from(message)]) {
      expect(decode(bytes)).toEqual(value);
    }
  });

  it('encoding while encoding gives two sound messages [COD-005]', () => {
    let inner: Uint8Array | undefined;
    const outer = {
      before: 'x',
      get now() {
        inner = join(encode({ before: [1, 'two'] }));
        return 3;
      },
    };
    expect(roundTrip(outer)).toEqual({ before: 'x', now: 3 });
    expect(decode(inner as Uint8Array)).toEqual({ before: [1, 'two'] });
  });
});

describe('what a value is', () => {
  it('does not depend on properties that it has replaced [COD-042]', () => {
    class Lying extends RegExp {
      override get source() {
        return 'a lie';
      }
      override get flags() {
        return 'y';
      }
    }
    expect(roundTrip(new Lying('a', 'gi'))).toEqual(/a/gi);
    const own = Object.defineProperty(/b/s, 'global', { value: true });
    expect(roundTrip(own).flags).toBe('s');
    const box = Object.assign(Object(5n) as object, { valueOf: () => 6 });
    expect(roundTrip(box)).toEqual(Object(5n));
    const list = Object.assign([1, 2, 3, 4, 5], { [Symbol.iterator]: () => [][Symbol.iterator]() });
    expect(roundTrip(list)).toEqual([1, 2, 3, 4, 5]);
    const map = Object.assign(new Map([[1, 2]]), { entries: () => [], get: () => 7 });
    expect(roundTrip(map)).toEqual(new Map([[1, 2]]));
  });

  it('every flag of a RegExp returns, lastIndex does not [COD-042]', () => {
    const sticky = /a/gy;
    sticky.lastIndex = 3;
    expect([roundTrip(sticky).lastIndex, structuredClone(sticky).lastIndex]).toEqual([0, 0]);
    for (const flags of ['dgimsuy', 'dgimsvy']) {
      expect(roundTrip(new RegExp('x', flags)).flags).toBe(flags);
    }
  });

  it('is what structured clone keeps: no own fields of dates, maps, views [COD-042]', () => {
    const date = Object.assign(new Date(7), { note: 1 });
    const set = Object.assign(new Set([1]), { note: 1 });
    const view = Object.assign(new Uint8Array(300), { note: 1 });
    for (const value of [date, set, view]) {
      expect(roundTrip(value)).toEqual(structuredClone(value));
      expect(Object.hasOwn(roundTrip(value), 'note')).toBe(false);
    }
  });
});

describe('typed arrays and buffers', () => {
  it('every kind of view returns equal, and only what it shows is sent [COD-006]', () => {
    fc.assert(fc.property(bytes(), returnsEqual));
    const window = new Uint8Array(new ArrayBuffer(1 << 20), 100, 8);
    expect(join(encode(window)).length).toBeLessThan(40);
    expect(roundTrip(window).buffer.byteLength).toBe(8);
  });

  it('a Buffer stays a Buffer, other subclasses become their base [COD-006]', () => {
    class Mine extends Uint8Array {}
    expect(Buffer.isBuffer(roundTrip(Buffer.from('abc')))).toBe(true);
    expect(Buffer.isBuffer(roundTrip(Buffer.alloc(1000)))).toBe(true);
    expect(Object.getPrototypeOf(roundTrip(new Mine(3)))).toBe(Uint8Array.prototype);
  });

  it('the same view twice is one on arrival [COD-002]', () => {
    const view = new Float64Array(100).fill(0.5);
    const [a, b] = roundTrip([view, view]);
    expect(a).toBe(b);
    expect(a).toEqual(view);
  });

  it('arrays of 256 bytes and more are pieces of their own, not copied, aligned [COD-007]', () => {
    const big = new Uint8Array(256).fill(7);
    const floats = new Float64Array(1000).fill(1.5);
    const { parts } = encode({ big, small: new Uint8Array(255), floats });
    expect(parts.some((part) => part.buffer === big.buffer)).toBe(true);
    expect(parts.some((part) => part.buffer === floats.buffer)).toBe(true);
    let position = 0;
    for (const part of parts) {
      if (part.buffer === floats.buffer || part.buffer === big.buffer) expect(position % 8).toBe(0);
      position += part.length;
    }
  });

  it('long arrays may stay in the received bytes, in buffers of their own [COD-047]', () => {
    const floats = new Float64Array(3000).fill(1.5);
    const value = {
      floats,
      same: floats,
      short: new Uint8Array(300),
      raw: new ArrayBuffer(20_000),
    };
    const message = Uint8Array.from(join(encode(value)));
    const lent: [number, number][] = [];
    const lend = (offset: number, bytes: number) => {
      lent.push([offset % 8, bytes]);
      return message.buffer.slice(offset, offset + bytes);
    };
    for (const context of [{ lend }, { lend: () => undefined }, {}]) {
      const back = decode(message, context) as typeof value;
      expect(back).toEqual(value);
      expect(back.same).toBe(back.floats);
      expect([back.floats.byteOffset, back.floats.buffer.byteLength]).toEqual([0, 24_000]);
    }
    const expected = [
      [0, 24_000],
      [0, 20_000],
    ];
    expect(lent).toEqual(expected);
    const mostlyText = join(encode([floats, 'x'.repeat(50_000)]));
    expect(decode(mostlyText, { lend })).toEqual([floats, 'x'.repeat(50_000)]);
    expect(lent).toHaveLength(expected.length);
  });

  it('an ArrayBuffer that can grow still can [COD-006]', () => {
    const Resizable = ArrayBuffer as new (length: number, options: object) => ArrayBuffer;
    for (const length of [8, 512]) {
      const back = roundTrip(new Resizable(length, { maxByteLength: 1024 }));
      expect(back).toMatchObject({ byteLength: length, resizable: true, maxByteLength: 1024 });
    }
  });
});
