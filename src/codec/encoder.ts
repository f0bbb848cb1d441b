// The walk over a value that writes it down. One pass does everything: it checks that each part of
// the value can be carried, keeps shared references, and lends the handles that it meets.
// Non-goals: framing of messages (`message.ts`), single leaves (`leaves.ts`).
import { types } from 'node:util';
import { SerializeError } from '../runtime/errors/index.ts';
import { writeError } from './error-record.ts';
import * as format from './format.ts';
import { KeyTable } from './keys.ts';
import { leafWriter, nounOf } from './leaves.ts';
import { hasContent, hasInherited, hasNamedProperties, isEngineLimit, packingOf } from './looks.ts';
import { formatPath, type Step } from './path.ts';
import {
  type ClassEntry,
  type CodecContext,
  entryFor,
  type HandleEntry,
  type Lent,
} from './registry.ts';
import { Writer } from './writer.ts';

/** More objects than this are found by a Map, fewer by looking through a list. */
const LIST_SEARCH_MAX = 8;

type Mark = {
  bytes: number;
  objects: number;
  keys: number;
  parts: number;
  lent: number;
  depth: number;
};

const NESTED_DEEPLY = 500;

const NONE: CodecContext = {};

const objectPrototype = Object.prototype;
const arrayPrototype = Array.prototype;

export class Encoder {
  readonly writer = new Writer();
  context = NONE;
  /** Inside an error that is being thrown: fields that can't be carried are left out. */
  lenient = false;
  parts: Uint8Array[] = [];
  lent: Lent[] = [];

  /** Those that have ids, `count` of them. Setting an array's length would cost more than both. */
  private readonly objects: (object | undefined)[] = [];
  private count = 0;
  private objectIds: Map<object, number> | undefined;
  /** Instances whose serializer is at work: a way back to them can't be written. */
  private readonly open = new Set<object>();
  private readonly keys = new KeyTable();
  private readonly stepKinds: Step['kind'][] = [];
  private readonly stepKeys: unknown[] = [];
  private depth = 0;
  /** Keys and values of the plain objects that are being written. */
  private readonly stack: unknown[] = [];
  private top = 0;
  /** Whether something has given all objects a property that loops over keys meet. */
  private inherits = false;
  /** What `refuse` threw last: anything else comes from the value itself. */
  private refusal: unknown;

  begin(context: CodecContext): void {
    this.context = context;
    this.keys.begin();
    this.inherits = hasInherited();
    this.writer.begin();
  }

  /** Forgets everything about the message, so that nothing of it is kept alive. */
  end(): void {
    this.context = NONE;
    this.lenient = false;
    if (this.parts.length > 0) this.parts = [];
    if (this.lent.length > 0) this.lent = [];
    this.depth = 0;
    if (this.refusal !== undefined) this.forgetFailed();
    if (this.count === 0) return;
    if (this.objectIds === undefined) {
      for (let i = 0; i < this.count; i++) this.objects[i] = undefined;
    } else {
      this.objects.length = 0;
      this.objectIds = undefined;
    }
    this.count = 0;
  }

  /** What a walk that comes to its end leaves behind it empty. */
  private forgetFailed(): void {
    this.refusal = undefined;
    this.stack.length = 0;
    this.top = 0;
    this.stepKeys.length = 0;
    this.open.clear();
  }

  value(value: unknown): void {
    switch (typeof value) {
      case 'string':
        this.writer.string(value);
        break;
      case 'number':
        this.numeric(value);
        break;
      case 'object':
        if (value === null) this.writer.byte(format.NULL);
        else this.object(value);
        break;
      case 'boolean':
        this.writer.byte(value ? format.TRUE : format.FALSE);
        break;
      case 'undefined':
        this.writer.byte(format.UNDEFINED);
        break;
      case 'bigint':
        leafWriter.bigint(this.writer, value);
        break;
      default:
        this.refuse(nounOf(value));
    }
  }

  /** Writes what stands at `key` inside the current object. */
  at(kind: Step['kind'], key: unknown, value: unknown): void {
    this.step(kind, key);
    this.value(value);
    this.depth--;
    // It may be an object, which nothing of the encoder is to keep alive.
    if (kind !== 'property') this.stepKeys[this.depth] = undefined;
  }

  refuse(noun: string, cause?: unknown): never {
    const steps = this.stepKeys.slice(0, this.depth).map((key, i) => {
      return { kind: this.stepKinds[i], key } as Step;
    });
    const path = formatPath(steps);
    this.refusal = new SerializeError(`${path} can't be serialized: ${noun}`, {
      ...(cause === undefined ? {} : { cause }),
      details: { path },
    });
    throw this.refusal;
  }

  /** What a failed walk is told as: what the value threw itself becomes a refusal of its place. */
  failure(error: unknown): unknown {
    if (error === this.refusal) return error;
    if (isEngineLimit(error)) {
      this.refusal = error;
      const text = "$ can't be serialized: it is nested too deeply or too large";
      return new SerializeError(text, { cause: error, details: { path: '$' } });
    }
    try {
      return this.refuse('reading it throws', error);
    } catch (refusal) {
      return refusal;
    }
  }

  /** What an error says about itself. One that is being thrown may fail to. */
  told(error: Error, key: 'name' | 'message' | 'stack' | 'constructor'): unknown {
    try {
      return error[key];
    } catch (cause) {
      if (this.lenient) return undefined;
      this.step('property', key);
      return this.unreadable(cause);
    }
  }

  /** One field of an error. When the error is being thrown, a field that fails is left out. */
  record(key: string, object: object): void {
    if (!this.lenient) {
      this.field(object, key);
      return;
    }
    const mark = this.mark();
    try {
      this.field(object, key);
    } catch {
      this.rollBack(mark);
    }
  }

  private unreadable(cause: unknown): never {
    // Deep down it is the depth that the engine gives up on, wherever it does so.
    if (this.depth > NESTED_DEEPLY && isEngineLimit(cause)) throw cause;
    return this.refuse('reading it throws', cause);
  }

  private step(kind: Step['kind'], key: unknown): void {
    this.stepKinds[this.depth] = kind;
    this.stepKeys[this.depth] = key;
    this.depth++;
  }

  /** Number of own enumerable fields, then key and value of each. */
  private fields(object: object): void {
    const keys = Object.keys(object);
    this.writer.number(keys.length);
    for (let i = 0; i < keys.length; i++) this.field(object, keys[i] as string);
  }

  private numeric(value: number): void {
    const { writer } = this;
    if (value !== (value | 0) || Object.is(value, -0)) {
      writer.byte(format.FLOAT);
      writer.float(value);
    } else if (value >= 0 && value < format.SMALL_INT_END) {
      writer.byte(value);
    } else {
      writer.byte(format.INT);
      writer.number(((value << 1) ^ (value >> 31)) >>> 0);
    }
  }

  private object(value: object): void {
    const known = this.idOf(value);
    if (known >= 0) {
      this.reference(value, known);
      return;
    }
    // A view is no proxy, and asking for one is a call into native code.
    if (ArrayBuffer.isView(value)) {
      this.remember(value);
      const prototype = Object.getPrototypeOf(value) as object | null;
      if (!leafWriter.fewBytes(this, value, prototype)) this.instance(value, prototype);
      return;
    }
    if (types.isProxy(value)) this.refuse('it is a proxy');
    this.remember(value);
    const prototype = Object.getPrototypeOf(value) as object | null;
    if (prototype === objectPrototype) this.plain(value);
    else if (prototype === arrayPrototype && Array.isArray(value)) this.array(value);
    else this.instance(value, prototype);
  }

  private instance(value: object, prototype: object | null): void {
    const entry = prototype === null ? undefined : entryFor(prototype);
    if (entry?.type === 'handle') this.handle(value, entry);
    else if (entry?.type === 'class') this.registered(value, entry);
    else this.unregistered(value, prototype);
  }

  private unregistered(value: object, prototype: object | null): void {
    if (types.isNativeError(value) || value instanceof Error) {
      writeError(this, value as Error);
    } else if (types.isMap(value)) this.map(value);
    else if (types.isSet(value)) this.set(value);
    else if (Array.isArray(value)) this.array(value);
    else this.leafOrFields(value, prototype);
  }

  private leafOrFields(value: object, prototype: object | null): void {
    const problem = leafWriter.write(this, value);
    if (problem === 'written') return;
    if (problem !== 'plain') this.refuse(problem);
    this.writer.byte(prototype === null ? format.OBJECT_NULL_PROTOTYPE : format.OBJECT);
    this.fields(value);
  }

  private reference(value: object, id: number): void {
    if (this.open.has(value)) this.refuse('its serializer gave data that leads back to it');
    this.writer.byte(format.REFERENCE);
    this.writer.number(id);
  }

  private plain(value: object): void {
    const base = this.top;
    const top = this.readFields(value);
    const count = (top - base) / 2;
    const { writer, stack } = this;
    if (count <= format.SHORT_COUNT_MAX) {
      writer.byte(format.SHORT_OBJECT + count);
    } else {
      writer.byte(format.OBJECT);
      writer.number(count);
    }
    this.top = top;
    for (let i = base; i < top; i += 2) {
      const key = stack[i] as string;
      this.key(key, (i - base) / 2);
      this.at('property', key, stack[i + 1]);
      // Nothing of a message is kept alive by the next one's encoder.
      stack[i + 1] = undefined;
    }
    this.top = base;
  }

  /** Puts keys and values of a plain object onto the stack; where they end. */
  private readFields(value: object): number {
    const { stack } = this;
    let top = this.top;
    let key = '';
    try {
      // A loop over keys reads values several times as fast as asking for each by its name.
      for (key in value) {
        if (this.inherits && !Object.hasOwn(value, key)) continue;
        stack[top++] = key;
        stack[top++] = (value as Record<string, unknown>)[key];
      }
    } catch (cause) {
      this.step('property', key);
      this.unreadable(cause);
    }
    return top;
  }

  private field(object: object, key: string): void {
    this.key(key, 0);
    this.step('property', key);
    this.value(this.read(object, key));
    this.depth--;
  }

  private read(object: object, key: string): unknown {
    try {
      return (object as Record<string, unknown>)[key];
    } catch (cause) {
      return this.unreadable(cause);
    }
  }

  private key(key: string, place: number): void {
    const { writer } = this;
    const id = this.keys.find(key, this.depth, place);
    if (id < 0) {
      writer.string(key);
    } else if (id < format.SMALL_INT_END) {
      writer.byte(id);
    } else {
      writer.byte(format.KEY);
      writer.number(id);
    }
  }

  private array(value: readonly unknown[]): void {
    const packed = packingOf(value);
    if (packed === 'sparse' || hasNamedProperties(value)) this.sparseArray(value);
    else if (packed === 'values') this.denseArray(value);
    else leafWriter.numbers(this.writer, value, packed);
  }

  private denseArray(value: readonly unknown[]): void {
    const { length } = value;
    const { writer } = this;
    if (length <= format.SHORT_COUNT_MAX) {
      writer.byte(format.SHORT_ARRAY + length);
    } else {
      writer.byte(format.ARRAY);
      writer.number(length);
    }
    const { depth } = this;
    this.stepKinds[depth] = 'property';
    this.depth++;
    for (let i = 0; i < length; i++) {
      this.stepKinds[depth] = 'property';
      this.stepKeys[depth] = i;
      this.value(value[i]);
    }
    this.depth--;
  }

  private sparseArray(value: readonly unknown[]): void {
    const keys = Object.keys(value);
    this.writer.byte(format.ARRAY_SPARSE);
    this.writer.number(value.length);
    this.writer.number(keys.length);
    for (const key of keys) this.field(value, key);
  }

  private map(value: ReadonlyMap<unknown, unknown>): void {
    const entries = [...Map.prototype.entries.call(value)] as [unknown, unknown][];
    this.writer.byte(format.MAP);
    this.writer.number(entries.length);
    for (const [key, item] of entries) {
      this.at('mapKey', key, key);
      this.at('mapValue', key, item);
    }
  }

  private set(value: ReadonlySet<unknown>): void {
    const members = [...Set.prototype.values.call(value)] as unknown[];
    this.writer.byte(format.SET);
    this.writer.number(members.length);
    for (const member of members) this.at('setMember', member, member);
  }

  private registered(value: object, { codec, name }: ClassEntry): void {
    const { writer } = this;
    if (codec.serialize !== undefined) {
      writer.byte(format.INSTANCE_CUSTOM);
      writer.string(name);
      this.custom(value, { codec, name });
    } else if (hasContent(value)) {
      writer.byte(format.INSTANCE_WITH_CONTENT);
      writer.string(name);
      this.unregistered(value, arrayPrototype);
      const isIndexed = Array.isArray(value) || ArrayBuffer.isView(value);
      if (isIndexed) writer.number(0);
      else this.fields(value);
    } else {
      writer.byte(format.INSTANCE);
      writer.string(name);
      this.fields(value);
    }
  }

  private custom(value: object, { codec, name }: Pick<ClassEntry, 'codec' | 'name'>): void {
    let data: unknown;
    try {
      data = codec.serialize?.(value);
    } catch (cause) {
      this.refuse(`the serializer of ${name} throws`, cause);
    }
    this.open.add(value);
    this.value(data);
    this.open.delete(value);
  }

  private handle(value: object, { codec }: HandleEntry): void {
    let lent: ReturnType<typeof codec.lend>;
    try {
      lent = codec.lend(value, this.context);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      this.refuse(`this ${codec.kind} can't be lent (${why})`, cause);
    }
    this.lent.push({ cancel: () => lent.cancel() });
    this.writer.byte(format.HANDLE);
    this.writer.string(codec.kind);
    this.writer.number(lent.descriptor.length);
    this.writer.raw(lent.descriptor);
  }

  private idOf(value: object): number {
    if (this.objectIds !== undefined) return this.objectIds.get(value) ?? -1;
    for (let i = 0; i < this.count; i++) if (this.objects[i] === value) return i;
    return -1;
  }

  private remember(value: object): void {
    const id = this.count++;
    this.objects[id] = value;
    if (this.objectIds !== undefined) {
      this.objectIds.set(value, id);
    } else if (id >= LIST_SEARCH_MAX) {
      this.objectIds = new Map(this.objects.map((object, i) => [object as object, i]));
    }
  }

  private mark(): Mark {
    const { writer, count, keys, parts, lent, depth } = this;
    return {
      bytes: writer.length,
      objects: count,
      keys: keys.count,
      parts: parts.length,
      lent: lent.length,
      depth,
    };
  }

  private rollBack(mark: Mark): void {
    this.writer.cutTo(mark.bytes);
    while (this.count > mark.objects) {
      const object = this.objects[--this.count] as object;
      this.objects[this.count] = undefined;
      this.objectIds?.delete(object);
      this.open.delete(object);
    }
    this.keys.cutTo(mark.keys);
    this.parts.length = mark.parts;
    for (const lent of this.lent.splice(mark.lent)) lent.cancel();
    this.depth = mark.depth;
  }
}
