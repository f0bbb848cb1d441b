// The way from the root of a value to the place that can't be serialized, as people write it.
// Non-goals: finding the place; the encoder keeps the steps while it walks.

export type Step =
  | { readonly kind: 'property'; readonly key: unknown }
  | { readonly kind: 'mapKey'; readonly key: unknown }
  | { readonly kind: 'mapValue'; readonly key: unknown }
  | { readonly kind: 'setMember'; readonly key: unknown };

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

function brief(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  }
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'function') return 'a function';
  return String(value);
}

/** `$` is the root: `$.a[3].b`, `$.table.get("k").c`, `$.set.member(7)`. */
export function formatPath(steps: readonly Step[]): string {
  let path = '$';
  for (const { kind, key } of steps) {
    if (kind === 'mapKey') path += `.key(${brief(key)})`;
    else if (kind === 'mapValue') path += `.get(${brief(key)})`;
    else if (kind === 'setMember') path += `.member(${brief(key)})`;
    else if (typeof key === 'number') path += `[${key}]`;
    else if (IDENTIFIER.test(String(key))) path += `.${String(key)}`;
    else path += `[${JSON.stringify(key)}]`;
  }
  return path;
}
