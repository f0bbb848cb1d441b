/**
 * Type codes: what a shared element is in C, and what of it JavaScript sees.
 *
 * Goals: a write converts as C does (integers wrap around, `f` rounds); a value of another kind is
 * a TypeError and writes nothing. Integers of 64 bits are bigints. Sizes are those of 64-bit Linux.
 */

interface Views {
  c: Uint8Array;
  b: Int8Array;
  B: Uint8Array;
  h: Int16Array;
  H: Uint16Array;
  i: Int32Array;
  I: Uint32Array;
  l: BigInt64Array;
  L: BigUint64Array;
  q: BigInt64Array;
  Q: BigUint64Array;
  f: Float32Array;
  d: Float64Array;
  '?': Uint8Array;
}

/**
 * `c` char, `b` `B` signed and unsigned char, `h` `H` short, `i` `I` int, `l` `L` long, `q` `Q`
 * long long, `f` float, `d` double, `?` bool. A capital letter is unsigned.
 */
export type TypeCode = keyof Views;
type BigCode = 'l' | 'L' | 'q' | 'Q';

/** What reading an element gives. */
export type ElementOf<C extends TypeCode> = C extends BigCode
  ? bigint
  : C extends '?'
    ? boolean
    : number;

/** What may be written: of `?` also a number, which is true unless it is 0. */
export type InputOf<C extends TypeCode> = C extends '?' ? boolean | number : ElementOf<C>;

/** The typed array that shows elements as they lie in memory; bools are 0 or 1 in it. */
export type ViewOf<C extends TypeCode> = Views[C];

export type AnyView = Views[TypeCode];

interface ViewMaker {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, offset: number, length: number): AnyView;
}

const makers: Readonly<Record<TypeCode, ViewMaker>> = {
  c: Uint8Array,
  b: Int8Array,
  B: Uint8Array,
  h: Int16Array,
  H: Uint16Array,
  i: Int32Array,
  I: Uint32Array,
  l: BigInt64Array,
  L: BigUint64Array,
  q: BigInt64Array,
  Q: BigUint64Array,
  f: Float32Array,
  d: Float64Array,
  '?': Uint8Array,
};

/** The code itself; throws TypeError if there is no such code. */
export function checkCode<C extends TypeCode>(code: C): C {
  if (typeof code === 'string' && Object.hasOwn(makers, code)) return code;
  throw new TypeError(
    `${String(code)} is no type code; use one of ${Object.keys(makers).join(' ')}`,
  );
}

export function isTypeCode(value: unknown): value is TypeCode {
  return typeof value === 'string' && Object.hasOwn(makers, value);
}

/** Bytes of an element; C aligns it to as many. */
export function sizeOf(code: TypeCode): number {
  return makers[code].BYTES_PER_ELEMENT;
}

/** The elements that begin at `offset`, which is a multiple of their size. */
export function viewOf<C extends TypeCode>(
  code: C,
  buffer: ArrayBuffer,
  offset: number,
  length: number,
): ViewOf<C> {
  return new makers[code](buffer, offset, length) as ViewOf<C>;
}

function wrong(code: TypeCode, expected: string, value: unknown): never {
  const what = typeof value === 'number' ? String(value) : typeof value;
  throw new TypeError(`an element of type ${code} takes ${expected}, not ${what}`);
}

/** What to store for `value`; the store itself does the wrapping and the rounding. */
export function stored(code: TypeCode, value: unknown): number | bigint {
  switch (code) {
    case 'l':
    case 'L':
    case 'q':
    case 'Q':
      return typeof value === 'bigint' ? value : wrong(code, 'a bigint', value);
    case 'f':
    case 'd':
      return typeof value === 'number' ? value : wrong(code, 'a number', value);
    case '?':
      if (typeof value !== 'boolean' && typeof value !== 'number') wrong(code, 'a boolean', value);
      return value ? 1 : 0;
    case 'c': {
      const isByte = Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255;
      return isByte ? (value as number) : wrong(code, 'an integer from 0 to 255', value);
    }
    default:
      return Number.isInteger(value) ? (value as number) : wrong(code, 'an integer', value);
  }
}

export function load<C extends TypeCode>(code: C, view: ViewOf<C>, index: number): ElementOf<C> {
  const found = (view as AnyView)[index];
  return (code === '?' ? found !== 0 : found) as ElementOf<C>;
}

export function store<C extends TypeCode>(
  code: C,
  view: ViewOf<C>,
  index: number,
  value: InputOf<C>,
): void {
  (view as unknown as (number | bigint)[])[index] = stored(code, value);
}
