// What the codec knows about classes: which instances are carried, as what, and how they come back.
// Registration is per process and is done by the module that declares the class, so that whoever
// can use a class can also receive it.
// Non-goals: the byte format, and the meaning of a handle's descriptor.
import { brandedName, DragonError, errorClasses } from '../runtime/errors/index.ts';

/** Passed through to handles, with what the caller knows about its place. */
export type CodecContext = {
  /** The attachment to which handles belong; the codec never looks at it. */
  readonly node?: unknown;
  /** Where an error comes from, for the head line of a remote traceback. */
  readonly origin?: string;
  /**
   * Decoding: an ArrayBuffer of exactly these bytes of the message, for the value to keep; or
   * undefined, and they are copied.
   */
  readonly lend?: (offset: number, bytes: number) => ArrayBuffer | undefined;
};

/** A reference on its way. `cancel` takes it back as long as nobody has revived it. */
export type Lent = { cancel(): void };

export type AnyClass<T = object> = abstract new (...args: never[]) => T;

export type HandleCodec<T extends object> = {
  /** Name of the kind on the wire. */
  readonly kind: string;
  lend(object: T, context: CodecContext): { descriptor: Uint8Array; cancel(): void };
  revive(descriptor: Uint8Array, context: CodecContext): T;
  /** Lets go of a revived object whose message turned out to be damaged. */
  discard?(object: T): void;
};

export type ClassCodec<T extends object> = {
  /** Name on the wire; the class's own name unless given. */
  readonly name?: string;
  /** What is sent in place of the instance; its own fields unless given. */
  serialize?(object: T): unknown;
  /** Needed with `serialize`. Without both, fields are put on a new object of the class. */
  deserialize?(data: unknown): T;
};

export type HandleEntry = { readonly type: 'handle'; readonly codec: HandleCodec<object> };
export type ClassEntry = {
  readonly type: 'class';
  readonly name: string;
  readonly prototype: object;
  readonly codec: ClassCodec<object>;
};
export type Entry = HandleEntry | ClassEntry;

const entriesByPrototype = new Map<object, Entry>();
const handlesByKind = new Map<string, HandleEntry>();
const classesByName = new Map<string, ClassEntry>();
const errorsByName = new Map<string, AnyClass<Error>>();
const errorNames = new Map<unknown, string>();

/** Remembers the answer for a prototype, "none" included; emptied by each registration. */
let resolved = new WeakMap<object, Entry | false>();

function claim<T>(map: Map<string, T>, name: string, what: string, same: (old: T) => boolean) {
  const old = map.get(name);
  if (old === undefined || same(old)) return;
  throw new DragonError(
    `${what} ${name}: another class is registered under this name; give one of them a name`,
    { code: 'EEXIST' },
  );
}

/** Lets objects of a class, and of its subclasses, travel as handles to what they stand for. */
export function registerHandle<T extends object>(handle: AnyClass<T>, codec: HandleCodec<T>): void {
  const prototype = handle.prototype as object;
  const old = entriesByPrototype.get(prototype);
  claim(handlesByKind, codec.kind, 'handle kind', (entry) => entry === old);
  const entry: HandleEntry = { type: 'handle', codec: codec as unknown as HandleCodec<object> };
  handlesByKind.set(codec.kind, entry);
  entriesByPrototype.set(prototype, entry);
  resolved = new WeakMap();
}

/**
 * Lets instances of a class arrive as instances of it: their fields, or what `serialize` gives.
 *
 * @example
 * import { registerClass } from 'dragon-runtime';
 * import { Queue } from 'dragon-runtime/multiprocessing';
 * class Point {
 *   x = -3;
 *   norm() { return Math.abs(this.x); }
 * }
 * registerClass(Point, { name: 'geometry.Point' });
 * using queue = new Queue<Point>();
 * await queue.put(new Point());
 * console.log((await queue.get()).norm()); // 3
 */
export function registerClass<T extends object>(
  registered: AnyClass<T>,
  codec: ClassCodec<T> = {},
): void {
  if ((codec.serialize === undefined) !== (codec.deserialize === undefined)) {
    throw new DragonError('registerClass: serialize and deserialize belong together; give both', {
      code: 'ERR_INVALID_ARGUMENT',
    });
  }
  const prototype = registered.prototype as object;
  const name = codec.name ?? registered.name;
  if (prototype instanceof Error && codec.serialize === undefined) {
    registerError(registered as unknown as AnyClass<Error>, { name });
    return;
  }
  claim(classesByName, name, 'class', (entry) => entry.prototype === prototype);
  const entry: ClassEntry = {
    type: 'class',
    name,
    prototype,
    codec: codec as unknown as ClassCodec<object>,
  };
  classesByName.set(name, entry);
  entriesByPrototype.set(prototype, entry);
  resolved = new WeakMap();
}

/**
 * Lets errors of a class arrive as errors of it. The constructor is not called on arrival.
 *
 * @example
 * import { registerError } from 'dragon-runtime';
 * import { Queue } from 'dragon-runtime/multiprocessing';
 * class QuotaError extends Error { limit = 3; }
 * registerError(QuotaError);
 * using queue = new Queue<Error>();
 * await queue.put(new QuotaError('full'));
 * console.log((await queue.get()) instanceof QuotaError); // true
 */
export function registerError(errorClass: AnyClass<Error>, options: { name?: string } = {}): void {
  const name = options.name ?? errorClass.name;
  claim(errorsByName, name, 'error class', (old) => old === errorClass);
  errorsByName.set(name, errorClass);
  errorNames.set(errorClass, name);
}

/** The entry for an object's class or the nearest registered ancestor of it. */
export function entryFor(prototype: object): Entry | undefined {
  const known = resolved.get(prototype);
  if (known !== undefined) return known === false ? undefined : known;
  let entry: Entry | undefined;
  let at: object | null = prototype;
  while (at !== null && entry === undefined) {
    entry = entriesByPrototype.get(at);
    at = Object.getPrototypeOf(at) as object | null;
  }
  resolved.set(prototype, entry ?? false);
  return entry;
}

export function handleOfKind(kind: string): HandleEntry | undefined {
  return handlesByKind.get(kind);
}

export function classNamed(name: string): ClassEntry | undefined {
  return classesByName.get(name);
}

export function errorNamed(name: string): AnyClass<Error> | undefined {
  return errorsByName.get(name);
}

export function errorNameOf(errorClass: unknown): string | undefined {
  return errorNames.get(errorClass);
}

/** The error classes of the language, by name. */
export const languageErrors: Readonly<Record<string, AnyClass<Error>>> = {
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
  AggregateError,
};

/** A class of the runtime's own family, by name. */
export function familyError(name: string): AnyClass<Error> | undefined {
  if (name === 'DragonError') return DragonError;
  const known = Object.hasOwn(errorClasses, name);
  return known ? errorClasses[name as keyof typeof errorClasses] : undefined;
}

/** The name of an error's class in the runtime's family, if exactly that class is part of it. */
export function familyNameOf(error: Error): string | undefined {
  const name = brandedName(error);
  return name !== undefined && error.constructor.name === name ? name : undefined;
}
