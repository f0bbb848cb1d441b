/**
 * The fields of a struct in memory as properties of an object.
 *
 * Each field has a typed array of its own, so that a load or store of an element is one
 * instruction; a DataView would go byte by byte where it is interpreted.
 */
import { ClosedError } from '../../runtime/errors/index.ts';
import { type AnyView, load, store, stored, type TypeCode, viewOf } from './codes.ts';
import type { FieldLayout, StructLayout } from './struct-layout.ts';

type Accessors = Record<string, unknown>;

function shown<T extends AnyView>(view: T): T {
  if (view.length > 0) return view;
  throw new ClosedError('the shared object was closed in this process');
}

function accessor(field: FieldLayout, buffer: ArrayBuffer, base: number): PropertyDescriptor {
  const { type, offset, length } = field;
  if (typeof type !== 'string') {
    const within = accessorsOf(type, buffer, base + offset);
    return { get: () => within };
  }
  const view = viewOf(type, buffer, base + offset, length ?? 1);
  if (length !== undefined) return { get: () => shown(view) };
  return {
    get: () => load(type, shown(view), 0),
    set: (value) => store(type, shown(view), 0, value),
  };
}

/** An object whose properties are the fields of the struct at `base`. */
export function accessorsOf(layout: StructLayout, buffer: ArrayBuffer, base: number): Accessors {
  const fields: Accessors = {};
  for (const field of layout.fields) {
    const how = accessor(field, buffer, base);
    Object.defineProperty(fields, field.name, { ...how, enumerable: true });
  }
  return Object.freeze(fields);
}

interface Write {
  readonly view: AnyView;
  readonly cells: readonly (number | bigint)[];
}

function writesOf(
  { fields }: StructLayout,
  buffer: ArrayBuffer,
  base: number,
  input: Readonly<Record<string, unknown>>,
): Write[] {
  for (const name of Object.keys(input)) {
    if (fields.some((field) => field.name === name)) continue;
    throw new TypeError(`the struct has no field ${name}`);
  }
  return fields.flatMap(({ name, type, offset, length }) => {
    const given = input[name];
    if (given === undefined) return [];
    if (typeof type !== 'string') {
      return writesOf(type, buffer, base + offset, given as Record<string, unknown>);
    }
    const view = shown(viewOf<TypeCode>(type, buffer, base + offset, length ?? 1) as AnyView);
    if (length === undefined) return [{ view, cells: [stored(type, given)] }];
    const cells = Array.from(given as Iterable<unknown>, (each) => stored(type, each));
    if (cells.length <= length) return [{ view, cells }];
    throw new RangeError(`${cells.length} elements have no room in ${name}, which has ${length}`);
  });
}

/** Writes what `input` names; nothing if some of it is wrong. An array's other elements stay. */
export function assign(layout: StructLayout, buffer: ArrayBuffer, input: object): void {
  const writes = writesOf(layout, buffer, 0, input as Record<string, unknown>);
  for (const { view, cells } of writes) {
    for (const [i, cell] of cells.entries()) (view as unknown as (number | bigint)[])[i] = cell;
  }
}
