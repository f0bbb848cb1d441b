// Errors: as data they return equal, as thrown ones they bring the other side's stack.
import { AssertionError } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clonable, errors } from '../../conformance/codec/values.ts';
import {
  BufferTooShort,
  DragonError,
  RemoteError,
  RemoteTraceback,
  TimeoutError,
} from '../runtime/errors/index.ts';
import { decode, decodeError, encode, encodeError, join, registerError } from './index.ts';

function roundTrip<T>(value: T): T {
  return decode(join(encode(value))) as T;
}

function thrown(value: unknown): unknown {
  return decodeError(encodeError(value), { origin: 'process 7' });
}

function fieldsOf(error: Error): object {
  const { name, message, stack, cause } = error;
  const { errors: list } = error as AggregateError;
  return { ...error, name, message, stack, cause, list };
}

describe('errors as data', () => {
  it('class, message, stack, fields, causes and lists return equal [COD-030]', () => {
    fc.assert(
      fc.property(errors(), (error) => {
        const back = roundTrip({ error }).error;
        expect(Object.getPrototypeOf(back)).toBe(Object.getPrototypeOf(error));
        expect(Object.keys(back)).toEqual(Object.keys(error));
        return isDeepStrictEqual(fieldsOf(back), fieldsOf(error));
      }),
    );
  });

  it('an error may be its own cause [COD-030]', () => {
    const error = new Error('ring');
    error.cause = error;
    const back = roundTrip(error);
    expect(back.cause).toBe(back);
  });

  it('errors of the runtime keep class, code and category [COD-031]', () => {
    const timeout = roundTrip(new TimeoutError('late', { details: { waited: 5 } }));
    expect(timeout).toBeInstanceOf(TimeoutError);
    expect(timeout).toMatchObject({ code: 'ERR_TIMEOUT', category: 'warning' });
    expect(timeout.details).toEqual({ waited: 5 });
    const short = roundTrip(new BufferTooShort('short', Uint8Array.of(1, 2)));
    expect(short).toBeInstanceOf(BufferTooShort);
    expect(short.bytes).toEqual(Uint8Array.of(1, 2));
    expect(roundTrip(new DragonError('x', { code: 'ERR_STATE' })).code).toBe('ERR_STATE');
  });

  it('a registered class returns as itself, by its constructor or not [COD-031]', () => {
    class Quota extends RangeError {
      limit = 3;
      constructor(needed: { text: string }) {
        super(needed.text);
      }
    }
    registerError(Quota, { name: 'test.Quota' });
    const back = roundTrip(new Quota({ text: 'full' }));
    expect(back).toBeInstanceOf(Quota);
    expect(back).toMatchObject({ message: 'full', limit: 3, name: 'RangeError' });
  });

  it('system errors and DOM exceptions keep what identifies them [COD-031]', () => {
    const system = Object.assign(new Error('open'), { code: 'ENOENT', errno: -2, path: 'x' });
    expect(roundTrip(system)).toMatchObject({ code: 'ENOENT', errno: -2, path: 'x' });
    const aborted = roundTrip(AbortSignal.abort().reason as DOMException);
    expect(aborted).toBeInstanceOf(DOMException);
    expect(aborted).toMatchObject({ name: 'AbortError', code: 20 });
  });

  it('an unknown class becomes a RemoteError that keeps its name and fields [COD-032]', () => {
    class Strange extends Error {
      detail = 'here';
    }
    const back = roundTrip(new Strange('odd'));
    expect(back).toBeInstanceOf(RemoteError);
    expect(back).toMatchObject({ name: 'Strange', message: 'odd', detail: 'here' });
    expect(back).toMatchObject({ code: 'ERR_REMOTE' });
    const assertion = roundTrip(new AssertionError({ message: 'no', actual: 1, expected: 2 }));
    expect(assertion).toMatchObject({ name: 'AssertionError', code: 'ERR_ASSERTION', actual: 1 });
    class TimeoutError extends Error {}
    expect(roundTrip(new TimeoutError('mine'))).toBeInstanceOf(RemoteError);
  });
});

describe('thrown errors', () => {
  it('class, message, code, fields and the chain of causes survive [COD-033]', () => {
    fc.assert(
      fc.property(errors(), (error) => {
        const { cause, message, name } = fieldsOf(error) as Error;
        const back = thrown(error) as Error;
        expect(Object.getPrototypeOf(back)).toBe(Object.getPrototypeOf(error));
        expect({ ...back }).toEqual({ ...error });
        expect([back.message, back.name]).toEqual([message, name]);
        if (cause !== undefined && !(cause instanceof Error)) expect(back.cause).toEqual(cause);
      }),
    );
  });

  it('the stack that it had is the last cause, and names the process [COD-033]', () => {
    const root = new Error('root');
    const error = new TypeError('top', { cause: root });
    const back = thrown(error) as Error;
    const last = (back.cause as Error).cause as RemoteTraceback;
    expect((back.cause as Error).stack).toBe(root.stack);
    expect(last).toBeInstanceOf(RemoteTraceback);
    expect(last.message).toBe(`in process 7\n${error.stack}`);
    expect(back.stack).toMatch(/^TypeError: top\n/);
    expect(back.stack).not.toBe(error.stack);
  });

  it('a chain that ends in another value, or in itself, keeps the stack in place [COD-033]', () => {
    const odd = new Error('odd', { cause: 'a string' });
    expect(thrown(odd)).toMatchObject({ stack: odd.stack, cause: 'a string' });
    const ring = new Error('ring');
    ring.cause = ring;
    expect((thrown(ring) as Error).stack).toBe(ring.stack);
  });

  it('any thrown value arrives as it was [COD-034]', () => {
    fc.assert(fc.property(clonable(2), (value) => isDeepStrictEqual(thrown(value), value)));
    for (const value of [5, null, undefined, 'text', { a: 1 }])
      expect(thrown(value)).toEqual(value);
  });

  it('fields that can not be carried are left out, the error arrives [COD-035]', () => {
    const request = { socket: { on: () => 1 }, agent: Promise.resolve() };
    const inner = Object.assign(new Error('inner'), { retry: () => 1, url: '/x' });
    const error = Object.assign(new Error('outer', { cause: inner }), { request, status: 500 });
    const back = thrown(error) as Error & { cause: Error };
    expect({ ...back }).toEqual({ status: 500 });
    expect({ ...back.cause }).toEqual({ url: '/x' });
    expect(back.cause.message).toBe('inner');
  });

  it('an error that tells nothing about itself arrives all the same [COD-035]', () => {
    const bang = () => {
      throw new Error('no');
    };
    const hostile = new Error('text', { cause: 1 });
    for (const key of ['stack', 'constructor', 'name']) {
      Object.defineProperty(hostile, key, { get: bang });
    }
    const list = Object.defineProperty([1], 0, { get: bang });
    Object.assign(hostile, { list, kept: 5, message: Symbol('odd') });
    const back = thrown(hostile) as Error;
    expect(back).toBeInstanceOf(Error);
    expect({ ...back }).toMatchObject({ kept: 5 });
    expect(back.cause).toBe(1);
  });

  it('a thrown value that can not be carried becomes a ResultEncodingError [COD-035]', () => {
    for (const value of [() => 1, Symbol('s'), { run: () => 1 }]) {
      expect(thrown(value)).toMatchObject({ name: 'ResultEncodingError', code: 'ERR_ENCODE' });
    }
  });
});
