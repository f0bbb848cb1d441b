// Objects of the platform whose content is not in their fields: a copy of the fields would be an
// empty object that looks like a success.
// Non-goals: classes of programs; their fields are sent, or what their serializer gives.

/** Of the global classes. Those of `Intl` and `WebAssembly` are all meant. */
const opaqueClasses: ReadonlySet<string> = new Set([
  'AbortController',
  'AbortSignal',
  'Blob',
  'BroadcastChannel',
  'CompressionStream',
  'CryptoKey',
  'DecompressionStream',
  'FormData',
  'Headers',
  'KeyObject',
  'MessageChannel',
  'MessagePort',
  'ReadableStream',
  'Request',
  'Response',
  'TextDecoder',
  'TextDecoderStream',
  'TextEncoder',
  'TextEncoderStream',
  'TransformStream',
  'URL',
  'URLSearchParams',
  'WebSocket',
  'WritableStream',
]);

const webAssembly = (globalThis as unknown as { WebAssembly: object }).WebAssembly;

const ITERATOR = /Iterator( Helper)?$/;

/** What was found for a prototype; walking a chain takes longer than writing a small object. */
const found = new WeakMap<object, string | false>();

function isClassOf(holder: object, name: string, prototype: object): boolean {
  // An instance is there, so its class is loaded: reading it from its holder loads nothing.
  const known = (holder as Record<string, { prototype?: unknown } | undefined>)[name];
  return known?.prototype === prototype;
}

function nounOfPrototype(prototype: object): string | undefined {
  const tag = Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag)?.value as unknown;
  if (typeof tag === 'string' && ITERATOR.test(tag)) return 'an iterator';
  const owner = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value as unknown;
  if (typeof owner !== 'function' || typeof owner.name !== 'string') return undefined;
  const { name } = owner;
  const isOpaque =
    (opaqueClasses.has(name) && isClassOf(globalThis, name, prototype)) ||
    isClassOf(Intl, name, prototype) ||
    isClassOf(webAssembly, name, prototype);
  if (!isOpaque) return undefined;
  const article = /^[AEIOU](?!RL)/.test(name) ? 'an' : 'a';
  return `${article} ${name}, whose content is not in its fields; register a serializer for it`;
}

function search(value: object): string | undefined {
  let at = Object.getPrototypeOf(value) as object | null;
  while (at !== null && at !== Object.prototype) {
    const noun = nounOfPrototype(at);
    if (noun !== undefined) return noun;
    at = Object.getPrototypeOf(at) as object | null;
  }
  return undefined;
}

/** What the object is called in a refusal, or undefined for one that consists of its fields. */
export function opaqueNoun(value: object): string | undefined {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null) return undefined;
  const known = found.get(prototype);
  if (known !== undefined) return known === false ? undefined : known;
  const noun = search(value);
  found.set(prototype, noun ?? false);
  return noun;
}
