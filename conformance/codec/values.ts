// Generators of values that can be carried to another process, and of errors, for every suite that
// sends something. Each documents what it covers.
// Non-goals: handles, and instances of registered classes.
import { inspect } from 'node:util';
import fc from 'fast-check';

/**
 * Any tree of values that structured clone carries: -0, NaN, bigint, boxed values, dates, Map, Set,
 * typed arrays, sparse arrays, any string with lone surrogates included, odd keys like `__proto__`.
 */
export function clonable(maxDepth = 3): fc.Arbitrary<unknown> {
  const text = fc.string({ unit: 'binary' });
  return fc.oneof(
    { weight: 4, arbitrary: anything(maxDepth) },
    { weight: 1, arbitrary: fc.array(anything(1), { maxLength: 40 }) },
    { weight: 1, arbitrary: text },
    { weight: 1, arbitrary: loneSurrogates() },
    { weight: 1, arbitrary: regexps() },
    { weight: 1, arbitrary: bytes() },
  );
}

function anything(maxDepth: number): fc.Arbitrary<unknown> {
  const any = fc.anything({
    maxDepth,
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    withUnicodeString: true,
  });
  // Node 20 finds an invalid date unequal to itself, so nothing could be told by comparing.
  const whole = { depth: null, maxArrayLength: null, maxStringLength: null };
  return any.filter((value) => !inspect(value, whole).includes('Invalid Date'));
}

/** Halves of surrogate pairs in any order, among other characters. */
export function loneSurrogates(): fc.Arbitrary<string> {
  const unit = fc.oneof(
    fc.integer({ min: 0xd800, max: 0xdfff }),
    fc.integer({ max: 0x17f, min: 0 }),
  );
  return fc.array(unit, { maxLength: 60 }).map((codes) => String.fromCharCode(...codes));
}

export function regexps(): fc.Arbitrary<RegExp> {
  const source = fc.constantFrom('a+', '(?<name>x)|y', '/', '[\\]/]', '', '\\u{1f409}', '\n');
  const flags = fc.subarray(['d', 'g', 'i', 'm', 's', 'u', 'y']);
  return fc.tuple(source, flags).map(([text, letters]) => new RegExp(text, letters.join('')));
}

/** Views of every kind over a part of a buffer, short ones and ones that travel on their own. */
export function bytes(): fc.Arbitrary<ArrayBufferView | ArrayBuffer> {
  const kinds = [Uint8Array, Int16Array, Uint32Array, Float32Array, Float64Array, BigUint64Array];
  return fc
    .record({
      content: fc.uint8Array({ maxLength: 700 }),
      kind: fc.constantFrom(...kinds),
      skipped: fc.integer({ min: 0, max: 3 }),
      form: fc.constantFrom('view', 'buffer', 'data view', 'node buffer'),
    })
    .map(({ content, kind, skipped, form }) => {
      const { buffer } = Uint8Array.from(content);
      if (form === 'buffer') return buffer;
      if (form === 'data view') return new DataView(buffer, Math.min(skipped, content.length));
      if (form === 'node buffer') return Buffer.from(buffer, Math.min(skipped, content.length));
      const offset = skipped * kind.BYTES_PER_ELEMENT;
      const rest = Math.floor((content.length - offset) / kind.BYTES_PER_ELEMENT);
      return rest < 0 ? new kind(0) : new kind(buffer, offset, rest);
    });
}

/** Objects, arrays, maps and sets that hold each other in any way: rings, shared members. */
export function graphs(): fc.Arbitrary<unknown> {
  const node = fc.constantFrom('object', 'array', 'map', 'set');
  const edge = fc.tuple(fc.nat(), fc.nat(), fc.string({ maxLength: 3 }));
  const shape = fc.tuple(fc.array(node, { minLength: 1, maxLength: 12 }), fc.array(edge));
  return shape.map(([kinds, edges]) => {
    const made = kinds.map((kind, index) => empty(kind, index));
    for (const [from, to, label] of edges) {
      connect(made[from % made.length], label, made[to % made.length]);
    }
    return made;
  });
}

function empty(kind: string, index: number): unknown {
  if (kind === 'array') return [index];
  if (kind === 'map') return new Map([['index', index]]);
  if (kind === 'set') return new Set([index]);
  return { index };
}

function connect(from: unknown, label: string, to: unknown): void {
  if (Array.isArray(from)) from.push(to);
  else if (from instanceof Map) from.set(label, to);
  else if (from instanceof Set) from.add(to);
  else Object.defineProperty(from, `_${label}`, { value: to, enumerable: true, writable: true });
}

const errorClasses = [
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
];

/** Errors of the language with own fields, chains of causes and lists of errors. */
export function errors(): fc.Arbitrary<Error> {
  const { error } = fc.letrec<{ error: Error; cause: unknown }>((tie) => ({
    cause: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.jsonValue(), tie('error')),
    error: fc
      .record({
        errorClass: fc.constantFrom(...errorClasses, AggregateError),
        message: fc.string(),
        fields: fc.dictionary(fc.constantFrom('code', 'errno', 'detail'), fc.jsonValue()),
        cause: fc.option(tie('cause'), { nil: undefined }),
        list: fc.array(tie('cause'), { maxLength: 2 }),
      })
      .map(({ errorClass, message, fields, cause, list }) => {
        const options = cause === undefined ? {} : { cause };
        const made =
          errorClass === AggregateError
            ? new AggregateError(list, message, options)
            : new (errorClass as ErrorConstructor)(message, options);
        return Object.assign(made, fields);
      }),
  }));
  return error;
}
