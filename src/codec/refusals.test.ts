// What can't be carried, what the error says, and that a failed encode leaves no trace.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clonable } from '../../conformance/codec/values.ts';
import { SerializeError } from '../runtime/errors/index.ts';
import { decode, encode, join, registerClass, registerHandle } from './index.ts';

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
    const wrappers: ((inner: unknown) => unknown)[] = [
      (inner) => [inner],
      (inner) => ({
        get inner() {
          return inner;
        },
      }),
      (inner) => new Map([[inner, 1]]),
      (cause) => new Error('', { cause }),
    ];
    for (const wrap of wrappers) {
      let value: unknown = 0;
      for (let i = 0; i < 100_000; i++) value = wrap(value);
      expect(refusal(value).message).toContain('too deeply');
    }
  });

  it('objects whose content is not in their fields are refused [COD-043]', () => {
    const { port1, port2 } = new MessageChannel();
    const opaque: Record<string, object> = {
      URL: new URL('http://x/'),
      Blob: new Blob(['x']),
      Headers: new Headers(),
      AbortSignal: AbortSignal.abort(),
      MessagePort: port1,
      ReadableStream: new ReadableStream(),
      Segmenter: new Intl.Segmenter(),
      iterator: 'a'.matchAll(/a/g),
    };
    for (const [name, value] of Object.entries(opaque)) {
      expect(refusal({ a: value })).toMatchObject({ details: { path: '$.a' } });
      expect(refusal(value).message).toContain(name);
    }
    port1.close();
    port2.close();
    const mine = {
      URL: class URL {
        href = 1;
      },
    };
    expect(decode(join(encode(new mine.URL())))).toEqual({ href: 1 });
    registerClass(URL, { serialize: String, deserialize: (text) => new URL(text as string) });
    expect(decode(join(encode([new URL('http://x/')])))).toEqual([new URL('http://x/')]);
  });

  it('whatever a value throws is the cause of a refusal that names the place [COD-044]', () => {
    const cause = new RangeError('mine');
    const bang = () => {
      throw cause;
    };
    const list = Object.defineProperty([1, 2], 1, { get: bang, enumerable: true });
    const named = (key: string) => Object.defineProperty(new Error('x'), key, { get: bang });
    const chain = Object.create(new Proxy({}, { getPrototypeOf: bang })) as object;
    const throwing: [unknown, string][] = [
      [list, '$.a'],
      [named('name'), '$.a.name'],
      [named('stack'), '$.a.stack'],
      [named('constructor'), '$.a.constructor'],
      [chain, '$.a'],
    ];
    for (const [value, path] of throwing) {
      expect(refusal({ a: value })).toMatchObject({ cause, details: { path } });
    }
    const foreign = new SerializeError('of another message');
    const getter = Object.defineProperty([0], 0, {
      get() {
        throw foreign;
      },
    });
    expect(refusal([getter])).toMatchObject({ cause: foreign, details: { path: '$[0]' } });
  });

  it('views of bytes that are gone are refused [COD-044]', () => {
    const Resizable = ArrayBuffer as new (length: number, options: object) => ArrayBuffer;
    type AnyView = new (buffer: ArrayBuffer, offset?: number, length?: number) => ArrayBufferView;
    for (const View of [Uint8Array, Float64Array, DataView] as AnyView[]) {
      const buffer = new Resizable(16, { maxByteLength: 32 }) as ArrayBuffer & {
        resize(length: number): void;
      };
      const view = new View(buffer, 8, 1);
      buffer.resize(4);
      expect(refusal({ view }).message).toContain('too short');
      const gone = new View(new ArrayBuffer(16));
      structuredClone(gone.buffer, { transfer: [gone.buffer as ArrayBuffer] });
      expect(refusal({ gone }).message).toContain('transferred away');
    }
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
