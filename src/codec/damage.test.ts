// Bytes that nobody encoded: the decoder answers with a DecodeError or with a value, and the layout
// is the one that is written down.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clonable, errors } from '../../conformance/codec/values.ts';
import { DecodeError } from '../runtime/errors/index.ts';
import { decode, encode, join } from './index.ts';

/** True for a value or a DecodeError; anything else is thrown on. */
function survives(bytes: Uint8Array): boolean {
  try {
    decode(bytes);
  } catch (error) {
    if (!DecodeError.is(error)) throw error;
  }
  return true;
}

describe('damaged bytes', () => {
  it('any bytes at all are refused or read [COD-040]', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), survives), { numRuns: 2000 });
    const framed = fc.tuple(fc.constantFrom(0x91, 0x92), fc.uint8Array({ maxLength: 100 }));
    const message = framed.map(([tag, rest]) => Uint8Array.of(tag, ...rest));
    fc.assert(fc.property(message, survives), { numRuns: 4000 });
  });

  it('a message with a changed, missing or added byte is refused or read [COD-040]', () => {
    const value = fc.oneof(clonable(), errors());
    const change = fc.record({ at: fc.nat(), byte: fc.nat(255), kind: fc.nat(2) });
    fc.assert(
      fc.property(value, fc.array(change, { minLength: 1, maxLength: 4 }), (item, changes) => {
        let bytes = Uint8Array.from(join(encode(item)));
        for (const { at, byte, kind } of changes) {
          const place = at % bytes.length;
          if (kind === 0) bytes[place] = byte;
          else if (kind === 1) bytes = Uint8Array.from([...bytes.subarray(0, place), byte, 0]);
          else bytes = Uint8Array.from([...bytes.subarray(0, place), ...bytes.subarray(place + 1)]);
          if (bytes.length === 0) bytes = Uint8Array.of(0);
        }
        return survives(bytes);
      }),
      { numRuns: 500 },
    );
  });

  it('a message cut short is always refused [COD-040]', () => {
    fc.assert(
      fc.property(clonable(2), fc.nat(), (value, cut) => {
        const bytes = join(encode(value));
        const short = bytes.subarray(0, cut % bytes.length);
        expect(() => decode(short)).toThrow(DecodeError);
      }),
    );
    expect(() => decode(new Uint8Array())).toThrow(DecodeError);
  });

  it('a number of things that can not be there is refused before room is made [COD-040]', () => {
    const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
    for (const tag of [0x86, 0x87, 0x88, 0x90, 0x91, 0x92, 0x93, 0x94, 0x96, 0x97]) {
      expect(() => decode(Uint8Array.of(0x91, tag, ...huge))).toThrow(DecodeError);
    }
  });

  it('nesting without end is refused [COD-040]', () => {
    const bytes = new Uint8Array(1_000_000).fill(0x61);
    bytes[0] = 0x91;
    expect(() => decode(bytes)).toThrow(DecodeError);
  });
});

describe('memory', () => {
  it('a part is taken once, however often it is named [COD-046]', () => {
    const [head, body, ...rest] = encode([new Uint8Array(300), [1]]).parts as Uint8Array[];
    const again = Uint8Array.of(...(body as Uint8Array).subarray(0, -2), 0xa1, 0, 0);
    expect(again.length).toBe((body as Uint8Array).length + 1);
    const longer = Uint8Array.from(head as Uint8Array);
    longer[4] = again.length;
    // The padding before the part is as long as its place asks for.
    const gap = new Uint8Array((8 - ((longer.length + again.length) % 8)) % 8);
    const message = Buffer.concat([longer, again, gap, rest.at(-1) as Uint8Array]);
    expect(() => decode(message)).toThrow(/there is no part 0/);
  });

  it('a long array with few elements takes little memory [COD-046]', () => {
    // 25,000,000 elements, none there: as room it would be 200 MB for each.
    const sparse = [0x93, 0xc0, 0xf0, 0xf5, 0x0b, 0];
    const message = Uint8Array.of(0x91, 0x6f, ...Array.from({ length: 15 }, () => sparse).flat());
    const before = process.memoryUsage().heapUsed;
    const lists = decode(message) as unknown[][];
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100e6);
    expect(lists.map((list) => list.length)).toEqual(Array(15).fill(25_000_000));
    expect(lists.some((list) => 24_999_999 in list)).toBe(false);
    const last: unknown[] = [];
    last[4999] = undefined;
    expect(Object.keys(decode(join(encode(last))) as object)).toEqual(['4999']);
  });
});

describe('layout', () => {
  it('the bytes of a value are the ones written down [COD-041]', () => {
    const hex = (value: unknown) => Buffer.from(join(encode(value))).toString('hex');
    expect(hex(5)).toBe('9105');
    expect(hex(-1)).toBe('918401');
    expect(hex(0.5)).toBe('9185000000000000e03f');
    expect(hex('dragon')).toBe('9146647261676f6e');
    expect(hex({ id: 1, op: 'get' })).toBe('91724269640142' + '6f70' + '43676574');
    expect(hex([{ a: null }, { a: true }])).toBe('9162714161807100' + '82');
    expect(hex(new Map([[undefined, -5n]]))).toBe('91960181860101' + '05');
    const shared = {};
    expect(hex([shared, shared])).toBe('9162708a01');
  });
});
