// What can be told of a value by looking at it, before the first byte of it is written.
// Non-goals: writing, and what can't be carried (`leaves.ts`, `opaque.ts`).
import { inspect, types } from 'node:util';

/** Shorter arrays are asked for their keys, longer ones are looked at in a cheaper way. */
const KEYS_ASKED_MAX = 64;

const PACKED_LENGTH_MIN = 4;

/** How the engine says that a value is too much for it. */
const ENGINE_LIMIT =
  /call stack|allocation failed|Invalid (string|array|typed array|array buffer)/i;

const nothing = {};

/** Whether something has given all objects a property that loops over keys meet. */
export function hasInherited(): boolean {
  for (const _ in nothing) return true;
  return false;
}

export function isEngineLimit(error: unknown): boolean {
  return error instanceof RangeError && ENGINE_LIMIT.test(error.message);
}

/** Whether an object holds more than its fields, as instances of subclasses of Map do. */
export function hasContent(value: object): boolean {
  return (
    Array.isArray(value) ||
    ArrayBuffer.isView(value) ||
    types.isAnyArrayBuffer(value) ||
    types.isMap(value) ||
    types.isSet(value) ||
    types.isDate(value) ||
    types.isRegExp(value) ||
    types.isBoxedPrimitive(value)
  );
}

/** How the elements can be written; holes must be found before the first byte is. */
export function packingOf(value: readonly unknown[]): 'ints' | 'floats' | 'values' | 'sparse' {
  const { length } = value;
  let numbers = 0;
  let ints = 0;
  for (let i = 0; i < length; i++) {
    const element = value[i];
    if (typeof element === 'number') {
      numbers++;
      if (element === (element | 0) && !Object.is(element, -0)) ints++;
    } else if (element === undefined && !(i in value)) {
      return 'sparse';
    }
  }
  if (numbers < length || length < PACKED_LENGTH_MIN) return 'values';
  return ints === length ? 'ints' : 'floats';
}

const inspectNothing = { maxArrayLength: 0, depth: 0, customInspect: false } as const;

/**
 * Whether an array without holes has properties besides its elements, as the result of a RegExp
 * match has. Asking for the keys of a long array makes a string of every index; its inspection
 * without elements takes half a microsecond, and an unexpected answer only leads to the slow way.
 */
export function hasNamedProperties(value: readonly unknown[]): boolean {
  const { length } = value;
  if (
    length > KEYS_ASKED_MAX &&
    inspect(value, inspectNothing) === `[ ... ${length} more items ]`
  ) {
    return false;
  }
  return Object.keys(value).length !== length;
}
