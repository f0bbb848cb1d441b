// Reading a value back. The bytes may be damaged or hostile: each length and number is checked
// against what is there, nothing is looked up by name but registered classes, and whatever goes
// wrong is a DecodeError.
// Non-goals: framing of messages (`message.ts`).
import { DecodeError } from '../runtime/errors/index.ts';
import { readError } from './error-record.ts';
import * as format from './format.ts';
import { type CodecContext, classNamed, handleOfKind } from './registry.ts';

/** Keys repeat, other strings do when they are very short. */
const INTERNED_KEY_MAX = 24;
const INTERNED_VALUE_MAX = 8;
const INTERNED_SLOTS = 1024;

/** Short strings repeat; finding one again is cheaper than making it. Never more than the slots. */
const interned: (string | undefined)[] = new Array<undefined>(INTERNED_SLOTS).fill(undefined);

const scratch = new Float64Array(1);
const scratchBytes = new Uint8Array(scratch.buffer);

/** Longer arrays with holes are kept as tables until they turn out to be well filled. */
const SPARSE_LENGTH_MIN = 1024;

/** Stands for an object whose serializer's data is still being read. */
const UNSETTLED = Symbol('unsettled');

export class Decoder {
  private readonly bytes: Uint8Array;
  private readonly context: CodecContext;
  private readonly parts: (Uint8Array | undefined)[];
  private readonly end: number;
  private pos: number;
  private text: Buffer | undefined;
  private lends = false;
  private readonly objects: unknown[] = [];
  private readonly keys: string[] = [];
  private readonly revived: (() => void)[] = [];

  constructor(
    bytes: Uint8Array,
    start: number,
    end: number,
    parts: Uint8Array[],
    context: CodecContext,
  ) {
    this.bytes = bytes;
    this.pos = start;
    this.end = end;
    this.parts = parts;
    this.context = context;
  }

  /** Whether long parts may stay where the message lies. */
  mayLend(allowed: boolean): void {
    this.lends = allowed;
  }

  /** The whole body is one value. */
  body(): unknown {
    const value = this.value();
    if (this.pos !== this.end) this.damaged(`${this.end - this.pos} bytes are left over`);
    return value;
  }

  /** Lets go of the handles of a message that turned out to be damaged. */
  discard(): void {
    for (const letGo of this.revived) letGo();
  }

  damaged(why: string): never {
    throw new DecodeError(`an encoded value is damaged at byte ${this.pos}: ${why}`);
  }

  byte(): number {
    if (this.pos >= this.end) this.damaged('it ends too early');
    return this.bytes[this.pos++] as number;
  }

  string(): string {
    const tag = this.byte();
    if (tag >= format.SHORT_STRING && tag <= format.SHORT_STRING + format.SHORT_STRING_MAX) {
      return this.shortString(tag - format.SHORT_STRING, INTERNED_KEY_MAX);
    }
    if (tag === format.STRING_ONE_BYTE) return this.slice(this.count(1), 'latin1');
    if (tag === format.STRING_TWO_BYTE) return this.slice(2 * this.count(2), 'utf16le');
    return this.damaged('a string is missing');
  }

  /** A key of an object, or undefined at the end of the fields of an error. */
  keyOrEnd(): string | undefined {
    if (this.bytes[this.pos] !== format.END || this.pos >= this.end) return this.key();
    this.pos++;
    return undefined;
  }

  /** Gives the next id to an object, which later references name. */
  remember<T>(object: T): T {
    this.objects.push(object);
    return object;
  }

  reserve(): number {
    return this.objects.push(UNSETTLED) - 1;
  }

  settle<T>(id: number, object: T): T {
    this.objects[id] = object;
    return object;
  }

  /** Sets an own property, whatever its name. */
  define(object: object, key: string, value: unknown): void {
    if (key !== '__proto__' && !(key in object)) {
      (object as Record<string, unknown>)[key] = value;
      return;
    }
    const descriptor = { value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(object, key, descriptor);
  }

  value(): unknown {
    const tag = this.byte();
    if (tag < format.SMALL_INT_END) return tag;
    if (tag < format.SHORT_ARRAY) {
      return this.shortString(tag - format.SHORT_STRING, INTERNED_VALUE_MAX);
    }
    if (tag < format.SHORT_OBJECT) return this.array(tag - format.SHORT_ARRAY);
    if (tag < format.NULL) return this.object(tag - format.SHORT_OBJECT);
    switch (tag) {
      case format.NULL:
        return null;
      case format.UNDEFINED:
        return undefined;
      case format.TRUE:
        return true;
      case format.FALSE:
        return false;
      case format.INT:
        return this.int();
      case format.FLOAT:
        return this.float();
      case format.BIGINT:
        return this.bigint();
      case format.STRING_ONE_BYTE:
        return this.slice(this.count(1), 'latin1');
      case format.STRING_TWO_BYTE:
        return this.slice(2 * this.count(2), 'utf16le');
      case format.REFERENCE:
        return this.reference();
      default:
        return this.larger(tag);
    }
  }

  private larger(tag: number): unknown {
    switch (tag) {
      case format.ARRAY:
        return this.array(this.count(1));
      case format.ARRAY_OF_FLOATS:
        return this.numbers(Float64Array, 8);
      case format.ARRAY_OF_INTS:
        return this.numbers(Int32Array, 4);
      case format.ARRAY_SPARSE:
        return this.sparseArray();
      case format.OBJECT:
        return this.object(this.count(2));
      case format.OBJECT_NULL_PROTOTYPE:
        return this.fields(this.remember(Object.create(null) as object));
      case format.MAP:
        return this.map();
      case format.SET:
        return this.set();
      case format.DATE:
        return this.remember(new Date(this.float()));
      case format.REGEXP:
        return this.remember(new RegExp(this.string(), this.string()));
      case format.BOXED:
        return this.boxed();
      case format.VIEW:
      case format.VIEW_PART:
        return this.view(tag === format.VIEW_PART);
      case format.ARRAY_BUFFER:
      case format.ARRAY_BUFFER_PART:
        return this.arrayBuffer(tag === format.ARRAY_BUFFER_PART);
      case format.ERROR:
        return readError(this);
      case format.INSTANCE:
        return this.instance();
      case format.INSTANCE_CUSTOM:
        return this.customInstance();
      case format.INSTANCE_WITH_CONTENT:
        return this.instanceWithContent();
      case format.HANDLE:
        return this.handle();
      default:
        this.pos--;
        return this.damaged(`unknown tag ${tag}`);
    }
  }

  private number(): number {
    let result = 0;
    let unit = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.byte();
      result += (byte & 0x7f) * unit;
      if (byte < 0x80) return result;
      unit *= 0x80;
    }
    return this.damaged('a number is too long');
  }

  /** A number of things of which each takes at least so many bytes of what is left. */
  private count(bytesEach: number): number {
    const count = this.number();
    if (count * bytesEach > this.end - this.pos) this.damaged(`${count} is more than there is`);
    return count;
  }

  private int(): number {
    const value = this.number();
    if (value > 0xffffffff) this.damaged('an integer is too large');
    return (value >>> 1) ^ -(value & 1);
  }

  private float(): number {
    const { bytes, pos } = this;
    if (pos + 8 > this.end) this.damaged('a number is cut off');
    for (let i = 0; i < 8; i++) scratchBytes[i] = bytes[pos + i] as number;
    this.pos = pos + 8;
    return scratch[0] as number;
  }

  private bigint(): bigint {
    const negative = this.byte();
    const digits = Buffer.from(this.take(this.count(1))).reverse();
    const magnitude = digits.length === 0 ? 0n : BigInt(`0x${digits.toString('hex')}`);
    return negative === 1 ? -magnitude : magnitude;
  }

  /** The next bytes, not copied. */
  private take(length: number): Uint8Array {
    if (length > this.end - this.pos) this.damaged('bytes are cut off');
    const taken = this.bytes.subarray(this.pos, this.pos + length);
    this.pos += length;
    return taken;
  }

  private slice(length: number, encoding: 'latin1' | 'utf16le'): string {
    const { bytes, pos } = this;
    this.text ??= Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.pos = pos + length;
    return this.text.toString(encoding, pos, pos + length);
  }

  private shortString(length: number, internedMax: number): string {
    const { bytes, pos } = this;
    if (length > this.end - pos) this.damaged('a string is cut off');
    if (length > internedMax) return this.slice(length, 'latin1');
    let hash = length;
    for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + (bytes[pos + i] as number)) | 0;
    const slot = hash & (INTERNED_SLOTS - 1);
    const known = interned[slot];
    if (known !== undefined && this.isAt(known, length)) {
      this.pos = pos + length;
      return known;
    }
    const made = this.slice(length, 'latin1');
    interned[slot] = made;
    return made;
  }

  private isAt(text: string, length: number): boolean {
    if (text.length !== length) return false;
    const { bytes, pos } = this;
    for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[pos + i]) return false;
    return true;
  }

  private key(): string {
    const tag = this.byte();
    if (tag < format.SMALL_INT_END) return this.knownKey(tag);
    if (tag === format.KEY) return this.knownKey(this.number());
    this.pos--;
    const key = this.string();
    this.keys.push(key);
    return key;
  }

  private knownKey(id: number): string {
    return this.keys[id] ?? this.damaged(`there is no key ${id}`);
  }

  private reference(): unknown {
    const id = this.number();
    const object = this.objects[id];
    if (object === undefined || object === UNSETTLED) this.damaged(`there is no object ${id}`);
    return object;
  }

  private array(length: number): unknown[] {
    if (length > this.end - this.pos) this.damaged(`${length} elements are more than there are`);
    const array: unknown[] = this.remember([]);
    for (let i = 0; i < length; i++) array.push(this.value());
    return array;
  }

  private numbers(kind: typeof Float64Array | typeof Int32Array, bytesEach: number): number[] {
    const bytes = this.take(this.count(bytesEach) * bytesEach);
    // Not `slice`, which copies nothing when the message is a Buffer.
    const data = new kind(new Uint8Array(bytes).buffer);
    const array = this.remember(new Array<number>(data.length));
    for (let i = 0; i < data.length; i++) array[i] = data[i] as number;
    return array;
  }

  private sparseArray(): unknown[] {
    const length = this.number();
    if (length > 0xffffffff) this.damaged('an array is too long');
    const array: unknown[] = this.remember([]);
    // A table, and not room for elements that are not there.
    if (length > SPARSE_LENGTH_MIN) array[length - 1] = undefined;
    array.length = length;
    const isLastThere = this.fieldsOf(array, String(length - 1));
    if (length > SPARSE_LENGTH_MIN && !isLastThere) delete array[length - 1];
    return array;
  }

  private object(count: number): object {
    const object: Record<string, unknown> = this.remember({});
    for (let i = 0; i < count; i++) {
      const key = this.key();
      if (key === '__proto__') this.define(object, key, this.value());
      else object[key] = this.value();
    }
    return object;
  }

  private fields(object: object): object {
    this.fieldsOf(object, '');
    return object;
  }

  /** Reads fields; whether one of them has the name. */
  private fieldsOf(object: object, name: string): boolean {
    const count = this.count(2);
    let isThere = false;
    for (let i = 0; i < count; i++) {
      const key = this.key();
      if (key === name) isThere = true;
      this.define(object, key, this.value());
    }
    return isThere;
  }

  private map(): Map<unknown, unknown> {
    const count = this.count(2);
    const map = this.remember(new Map<unknown, unknown>());
    for (let i = 0; i < count; i++) {
      const key = this.value();
      map.set(key, this.value());
    }
    return map;
  }

  private set(): Set<unknown> {
    const count = this.count(1);
    const set = this.remember(new Set<unknown>());
    for (let i = 0; i < count; i++) set.add(this.value());
    return set;
  }

  private boxed(): unknown {
    const id = this.reserve();
    const inner = this.value();
    if (inner === null || inner === undefined || typeof inner === 'object') {
      this.damaged('a boxed value is not a primitive');
    }
    return this.settle(id, Object(inner));
  }

  /** Each part is used once: else a few bytes could ask for any amount of memory. */
  private part(): Uint8Array {
    const number = this.number();
    const part = this.parts[number] ?? this.damaged(`there is no part ${number}`);
    this.parts[number] = undefined;
    return part;
  }

  private view(apart: boolean): ArrayBufferView {
    const kind = this.byte();
    const viewClass = format.viewClasses[kind];
    if (viewClass === undefined) return this.damaged(`unknown kind of array ${kind}`);
    const data = apart ? this.part() : this.take(this.count(1));
    if (kind === format.VIEW_UINT8 && data.byteLength < format.LENT_BYTES_MIN) {
      return this.remember(new Uint8Array(data));
    }
    const bytesEach = viewClass.BYTES_PER_ELEMENT ?? 1;
    if (data.byteLength % bytesEach !== 0) this.damaged('an array is cut off');
    const buffer = this.bufferOf(data);
    if (kind === format.VIEW_BUFFER) return this.remember(Buffer.from(buffer));
    return this.remember(new viewClass(buffer));
  }

  /** An ArrayBuffer of exactly these bytes: lent with the message, or a copy. */
  private bufferOf(data: Uint8Array): ArrayBuffer {
    if (this.lends && data.byteLength >= format.LENT_BYTES_MIN) {
      const lent = this.context.lend?.(data.byteOffset - this.bytes.byteOffset, data.byteLength);
      if (lent !== undefined) return lent;
    }
    return new Uint8Array(data).buffer;
  }

  private arrayBuffer(apart: boolean): ArrayBuffer {
    const limit = this.number();
    const data = apart ? this.part() : this.take(this.count(1));
    if (limit === 0) return this.remember(this.bufferOf(data));
    const options = { maxByteLength: limit - 1 };
    const Resizable = ArrayBuffer as new (length: number, options: object) => ArrayBuffer;
    const buffer = new Resizable(data.byteLength, options);
    new Uint8Array(buffer).set(data);
    return this.remember(buffer);
  }

  private instance(): object {
    const name = this.string();
    const entry = classNamed(name);
    if (entry === undefined) this.unknownClass(name);
    return this.fields(this.remember(Object.create(entry.prototype) as object));
  }

  /** An instance of a subclass of Map, say: a Map of the class's prototype, and own fields. */
  private instanceWithContent(): object {
    const name = this.string();
    const entry = classNamed(name);
    if (entry === undefined) this.unknownClass(name);
    const id = this.objects.length;
    const object = this.value();
    if (typeof object !== 'object' || object === null || this.objects[id] !== object) {
      return this.damaged('the content of an instance is missing');
    }
    Object.setPrototypeOf(object, entry.prototype);
    return this.fields(object);
  }

  private customInstance(): unknown {
    const name = this.string();
    const deserialize = classNamed(name)?.codec.deserialize;
    if (deserialize === undefined) this.unknownClass(name);
    const id = this.reserve();
    return this.settle(id, deserialize(this.value()));
  }

  private unknownClass(name: string): never {
    throw new DecodeError(
      `class ${name} is not registered here; import the module that calls registerClass for it`,
    );
  }

  private handle(): object {
    const kind = this.string();
    const descriptor = new Uint8Array(this.take(this.count(1)));
    const entry = handleOfKind(kind);
    if (entry === undefined) {
      throw new DecodeError(`handle kind ${kind} is not registered here; import its module`);
    }
    const { codec } = entry;
    const object = this.remember(codec.revive(descriptor, this.context));
    this.revived.push(() => codec.discard?.(object));
    return object;
  }
}
