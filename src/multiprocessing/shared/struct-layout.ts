/**
 * Where C puts the fields of a struct: each at a multiple of its own alignment, in their order, and
 * the whole at a multiple of the largest.
 */
import {
  type ElementOf,
  type InputOf,
  isTypeCode,
  sizeOf,
  type TypeCode,
  type ViewOf,
} from './codes.ts';

/** A type code, so many elements of one, or a struct within. */
export type FieldType = TypeCode | readonly [code: TypeCode, length: number] | StructSchema;

/** Fields by name, in the order in which they lie in memory. */
export interface StructSchema {
  readonly [name: string]: FieldType;
}

/** The fields of a struct as they are read and written. */
export type FieldsOf<S extends StructSchema> = {
  -readonly [K in keyof S as S[K] extends TypeCode ? K : never]: S[K] extends TypeCode
    ? ElementOf<S[K]>
    : never;
} & {
  readonly [K in keyof S as S[K] extends TypeCode ? never : K]: S[K] extends readonly [
    infer C extends TypeCode,
    number,
  ]
    ? ViewOf<C>
    : S[K] extends StructSchema
      ? FieldsOf<S[K]>
      : never;
};

/** What fields are given at once: any of them, arrays as what iterates over their elements. */
export type StructInput<S extends StructSchema> = {
  readonly [K in keyof S]?: S[K] extends TypeCode
    ? InputOf<S[K]>
    : S[K] extends readonly [infer C extends TypeCode, number]
      ? Iterable<InputOf<C>>
      : S[K] extends StructSchema
        ? StructInput<S[K]>
        : never;
};

export interface FieldLayout {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  /** The elements' type, or the fields of a struct within. */
  readonly type: TypeCode | StructLayout;
  /** How many elements; undefined if it is not an array. */
  readonly length: number | undefined;
}

export interface StructLayout {
  readonly bytes: number;
  readonly alignment: number;
  readonly fields: readonly FieldLayout[];
}

const roundedUp = (offset: number, step: number): number => Math.ceil(offset / step) * step;

function sizeOfField(name: string, field: FieldType): Omit<FieldLayout, 'name' | 'offset'> {
  if (isTypeCode(field)) return { bytes: sizeOf(field), type: field, length: undefined };
  if (Array.isArray(field)) {
    const [code, length] = field as readonly [TypeCode, number];
    if (!isTypeCode(code) || field.length !== 2 || !(Number.isInteger(length) && length > 0)) {
      throw new TypeError(`the array ${name} is not a type code and a number of elements`);
    }
    return { bytes: sizeOf(code) * length, type: code, length };
  }
  if (typeof field !== 'object' || field === null) {
    throw new TypeError(`the field ${name} has no type code, array or struct as its type`);
  }
  const type = layoutOf(field as StructSchema);
  return { bytes: type.bytes, type, length: undefined };
}

/** The layout of a struct. Throws TypeError for a schema that describes none. */
export function layoutOf(schema: StructSchema): StructLayout {
  const fields: FieldLayout[] = [];
  let end = 0;
  let alignment = 1;
  for (const [name, field] of Object.entries(schema)) {
    // Names that are numbers would not keep their place among the others.
    if (!/^[A-Za-z_$][\w$]*$/.test(name)) throw new TypeError(`${name} can't name a field`);
    const size = sizeOfField(name, field);
    const own = typeof size.type === 'string' ? sizeOf(size.type) : size.type.alignment;
    const offset = roundedUp(end, own);
    fields.push({ name, offset, ...size });
    end = offset + size.bytes;
    alignment = Math.max(alignment, own);
  }
  if (fields.length === 0) throw new TypeError('a struct has at least one field');
  return { bytes: roundedUp(end, alignment), alignment, fields };
}
