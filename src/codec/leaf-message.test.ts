// Messages that are one small value are read without a decoder, and are the same value.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decode, decodeFrom, type Encoded, encode, encodeHere, here, join } from './index.ts';

/** What reading gives or throws. */
function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return String(error);
  }
}

const leaf = fc.oneof(
  fc.integer({ min: -200, max: 200 }),
  fc.double(),
  fc.constantFrom(null, undefined, true, false, -0, 63, 64, 'short'),
  fc.uint8Array({ maxLength: 300 }),
);

it('a value is the same wherever its message was written and is read [COD-048]', () => {
  fc.assert(
    fc.property(leaf, fc.nat(20), (value, offset) => {
      const whole = join(encode(value));
      const apart = encodeHere(value);
      const bytes = new Uint8Array(offset + whole.length + 5).fill(7);
      if (apart === undefined) {
        bytes.set(here.bytes.subarray(here.offset, here.offset + here.length), offset);
        expect(here.length).toBe(whole.length);
      } else {
        bytes.set(join(apart as Encoded), offset);
      }
      const read = decodeFrom(bytes, offset, whole.length);
      bytes.fill(0);
      expect(read).toStrictEqual(value);
    }),
  );
});

it('damage is told as by the decoder [COD-048]', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), fc.boolean(), (bytes, isPlain) => {
      if (isPlain) bytes[0] = 0x91;
      const read = outcome(() => decodeFrom(bytes, 0, bytes.length));
      expect(read).toStrictEqual(outcome(() => decode(bytes)));
    }),
    { numRuns: 2000 },
  );
});
