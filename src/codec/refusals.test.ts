// What can't be carried, what the error says, and that a failed encode leaves no trace.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clonable } from '../../conformance/codec/values.ts';
import { SerializeError } from '../runtime/errors/index.ts';
import { decode, encode, join, registerHandle } from './index.ts';

function refusal(value: unknown): SerializeError {
  try {
    encode(value);
  } catch (error) {
    if (SerializeError.is(error)) return error;
    throw error;
  }
  throw new Error('it was encoded');
}

const detached = new ArrayBuffer(16);
structuredClone(detached, { transfer: [detached] });

const refused: Record<string, unknown> = {
  'a function': () => 1,
  'a class': class {},
  'a symbol': Symbol('s'),
  'a promise': Promise.resolve(1),
  'a proxy': new Proxy({}, {}),
  'a proxied array': new Proxy([], {}),
  'a WeakMap': new WeakMap(),
  'a WeakSet': new WeakSet(),
  'a WeakRef': new WeakRef({}),
  'a generator': (function* () {})(),
  'an iterator': new Map().entries(),
  'shared memory': new SharedArrayBuffer(8),
  'a view of shared memory': new Uint8Array(new SharedArrayBuffer(8)),
  'a detached buffer': detached,
  'a boxed symbol': Object(Symbol('s')),
  'a module': await import('./format.ts'),
};

describe('refusals', () => {
  for (const [name, value] of Object.entries(refused)) {
    it(`${name} is refused wherever it stands [COD-010]`, () => {
      expect(refusal(value)).toMatchObject({ code: 'ERR_ENCODE', details: { path: '$' } });
      expect(refusal({ a: [0, 1, 2, { b: value }] }).details).toEqual({ path: '$.a[3].b' });
      expect(refusal(new Map([['k', [value]]])).details).toEqual({ path: '$.get("k")[0]' });
    });
  }

  it('the message names the place and the reason [COD-010]', () => {
    const error = refusal({ list: [{ ok: 1 }, { run: () => 1 }] });
    expect(error.message).toMatch(/^\$\.list\[1\]\.run can't be serialized: it is a function; /);
    expect(refusal({ 'two words': Symbol() }).message).toContain('$["two words"]');
    expect(refusal(new Map([[Symbol(), 1]])).message).toContain('$.key(Symbol())');
    expect(refusal(new Set([1, () => 1])).message).toContain('$.member(a function)');
    expect(refusal(new Error('x', { cause: () => 1 })).message).toContain('$.cause');
  });

  it('a getter that throws is named and its error is the cause [COD-010]', () => {
    const cause = new Error('boom');
    const value = {
      deep: {
        get bad() {
          throw cause;
        },
      },
    };
    expect(refusal(value)).toMatchObject({ cause, details: { path: '$.deep.bad' } });
  });

  it('a value that is nested too deeply is refused [COD-011]', () => {
    let value: unknown = 0;
    for (let i = 0; i < 100_000; i++) value = [value];
    expect(refusal(value).message).toContain('too deeply');
  });

  it('what comes after a refusal is encoded as if nothing had been [COD-012]', () => {
    const bad = fc.tuple(clonable(2), clonable(2)).map(([a, b]) => [a, { a, bad: () => 1 }, b]);
    fc.assert(
      fc.property(bad, clonable(), (value, next) => {
        const expected = join(encode(next));
        expect(refusal(value).code).toBe('ERR_ENCODE');
        const after = join(encode(next));
        expect(Buffer.compare(expected, after)).toBe(0);
        return isDeepStrictEqual(decode(after), next);
      }),
    );
  });

  it('handles that a failed encode lent are taken back [COD-012]', () => {
    const cancelled: number[] = [];
    class Thing {
      readonly id: number;
      constructor(id: number) {
        this.id = id;
      }
    }
    registerHandle(Thing, {
      kind: 'refusal test',
      lend: ({ id }) => ({
        descriptor: Uint8Array.of(id),
        cancel: () => cancelled.push(id),
      }),
      revive: ([id]) => new Thing(id ?? 0),
    });
    refusal([new Thing(1), { inner: new Thing(2) }, () => 1, new Thing(3)]);
    expect(cancelled).toEqual([1, 2]);
    expect(encode([new Thing(4)]).lent).toHaveLength(1);
    expect(cancelled).toEqual([1, 2]);
  });
});
