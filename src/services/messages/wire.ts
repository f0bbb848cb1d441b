/**
 * Control messages to bytes and back.
 *
 * A frame is: the length of the JSON text (u32, little endian), the JSON text, zeros up to a
 * multiple of 8, then the attachments, each padded to 8. In the JSON a field of type bytes is
 * `[offset, length]` into the attachments and a u64 is a decimal string.
 *
 * Goals: whatever bytes come in, the only thing thrown is InvalidMessage, and what is
 * returned has exactly the fields of its type. Non-goals: no transport, no meaning.
 */
import { brand, DragonError, type DragonErrorOptions } from '../../runtime/errors/dragon-error.ts';
import { type Message, messages, type Reply, type Request, structs } from './generated.ts';
import type { FieldSchema, FieldType } from './schema.ts';

const ALIGN = 8;
const U32_MAX = 2 ** 32 - 1;
const U64_MAX = 2n ** 64n - 1n;

/** Where the answer to an unreadable request would go, as far as it could be read. */
export interface Sender {
  readonly tag: number;
  readonly actor: number;
  readonly replyTo: Uint8Array;
}

/** The bytes are no control message, or one of an unknown or malformed type. */
export class InvalidMessage extends DragonError {
  static override readonly defaultCode: string = 'ERR_INVALID_MESSAGE';
  readonly sender: Sender | undefined;

  constructor(what: string, options: DragonErrorOptions & { sender?: Sender | undefined } = {}) {
    super(`invalid control message: ${what}`, options);
    this.sender = options.sender;
  }
}

brand(InvalidMessage, 'InvalidMessage');

type Fields = Record<string, unknown>;

/** Thrown inside this file only: what is wrong with a field. */
class Malformed {
  readonly what: string;
  constructor(what: string) {
    this.what = what;
  }
}

/** Builds the JSON of one message and collects its attachments. */
class Writer {
  readonly attachments: Uint8Array[] = [];
  #offset = 0;

  fields(schema: readonly FieldSchema[], value: Fields, path: string): Fields {
    const out: Fields = {};
    for (const { name, type, optional } of schema) {
      const item = value[name];
      if (item === undefined) {
        if (optional) continue;
        throw new Malformed(`${path}.${name} is missing`);
      }
      out[name] = this.#value(type, item, `${path}.${name}`);
    }
    return out;
  }

  #value(type: FieldType, value: unknown, path: string): unknown {
    if (type === 'u64') {
      if (typeof value === 'bigint' && value >= 0n && value <= U64_MAX) return String(value);
      throw new Malformed(`${path} is no u64`);
    }
    if (type === 'bytes') {
      if (value instanceof Uint8Array) return this.#attach(value);
      throw new Malformed(`${path} is no Uint8Array`);
    }
    if (typeof type === 'object' && 'list' in type) {
      if (!Array.isArray(value)) throw new Malformed(`${path} is no list`);
      return value.map((item, index) => this.#value(type.list, item, `${path}[${index}]`));
    }
    if (typeof type === 'object' && 'struct' in type) {
      return this.fields(structFields(type.struct), object(value, path), path);
    }
    return plain(type, value, path);
  }

  #attach(bytes: Uint8Array): [number, number] {
    const place: [number, number] = [this.#offset, bytes.byteLength];
    const paddedLength = padded(bytes.byteLength);
    this.attachments.push(bytes);
    if (paddedLength > bytes.byteLength) {
      this.attachments.push(new Uint8Array(paddedLength - bytes.byteLength));
    }
    this.#offset += paddedLength;
    return place;
  }
}

/** Checks the JSON of one message and gives back its typed form. */
class Reader {
  readonly #attachments: Uint8Array;

  constructor(attachments: Uint8Array) {
    this.#attachments = attachments;
  }

  fields(schema: readonly FieldSchema[], value: Fields, path: string): Fields {
    const out: Fields = {};
    let known = 0;
    for (const { name, type, optional } of schema) {
      if (!Object.hasOwn(value, name)) {
        if (optional) continue;
        throw new Malformed(`${path}.${name} is missing`);
      }
      known += 1;
      out[name] = this.value(type, value[name], `${path}.${name}`);
    }
    if (Object.keys(value).length > known) {
      const names = new Set(schema.map((field) => field.name));
      const extra = Object.keys(value).find((name) => !names.has(name));
      throw new Malformed(`${path} has no field ${JSON.stringify(extra)}`);
    }
    return out;
  }

  value(type: FieldType, value: unknown, path: string): unknown {
    if (type === 'u64') {
      if (typeof value !== 'string' || !/^(0|[1-9][0-9]{0,19})$/.test(value)) {
        throw new Malformed(`${path} is no u64`);
      }
      const wide = BigInt(value);
      if (wide > U64_MAX) throw new Malformed(`${path} is no u64`);
      return wide;
    }
    if (type === 'bytes') return this.#attachment(value, path);
    if (typeof type === 'object' && 'list' in type) {
      if (!Array.isArray(value)) throw new Malformed(`${path} is no list`);
      return value.map((item, index) => this.value(type.list, item, `${path}[${index}]`));
    }
    if (typeof type === 'object' && 'struct' in type) {
      return this.fields(structFields(type.struct), object(value, path), path);
    }
    return plain(type, value, path);
  }

  #attachment(place: unknown, path: string): Uint8Array {
    const [offset, length]: unknown[] = Array.isArray(place) && place.length === 2 ? place : [];
    if (!isU32(offset) || !isU32(length) || offset % ALIGN !== 0) {
      throw new Malformed(`${path} is no place of an attachment`);
    }
    if (offset + length > this.#attachments.byteLength) {
      throw new Malformed(`${path} lies outside the attachments`);
    }
    return this.#attachments.subarray(offset, offset + length);
  }
}

function padded(length: number): number {
  return Math.ceil(length / ALIGN) * ALIGN;
}

function isU32(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= U32_MAX;
}

function isI32(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) === ((value as number) | 0);
}

function object(value: unknown, path: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new Malformed(`${path} is no object`);
}

function structFields(name: string): readonly FieldSchema[] {
  const schema = structs[name];
  if (schema === undefined) throw new Malformed(`no struct ${name}`);
  return schema.fields;
}

/** Types whose JSON form is the value itself. */
function plain(type: FieldType, value: unknown, path: string): unknown {
  if (typeof type === 'object') {
    if ('enum' in type && typeof value === 'string' && type.enum.includes(value)) return value;
    throw new Malformed(`${path} is none of its names`);
  }
  const fits =
    type === 'json' ||
    (type === 'string' && typeof value === 'string') ||
    (type === 'bool' && typeof value === 'boolean') ||
    (type === 'u32' && isU32(value)) ||
    (type === 'i32' && isI32(value));
  if (!fits) throw new Malformed(`${path} is no ${type}`);
  return value;
}

function schemaOf(type: unknown): (typeof messages)[Message['type']] | undefined {
  if (typeof type !== 'string' || !Object.hasOwn(messages, type)) return undefined;
  return messages[type as Message['type']];
}

/** The parts of a message's frame, to be sent as one. Throws InvalidMessage. */
export function encodeMessage(message: Message): Uint8Array[] {
  const schema = schemaOf(message.type);
  if (schema === undefined) throw new InvalidMessage(`unknown type ${String(message.type)}`);
  const writer = new Writer();
  try {
    const fields = writer.fields(schema.fields, message as unknown as Fields, message.type);
    const json = new TextEncoder().encode(JSON.stringify({ type: message.type, ...fields }));
    const head = new Uint8Array(padded(4 + json.byteLength));
    new DataView(head.buffer).setUint32(0, json.byteLength, true);
    head.set(json, 4);
    return [head, ...writer.attachments];
  } catch (error) {
    throw new InvalidMessage(describe(error));
  }
}

/** The message that `frame` holds; attachments are views of it. Throws InvalidMessage. */
export function decodeMessage(frame: Uint8Array): Message {
  let sender: Sender | undefined;
  try {
    const { value, attachments } = split(frame);
    const reader = new Reader(attachments);
    sender = salvageSender(value, reader);
    const { type, ...fields } = value;
    const schema = schemaOf(type);
    if (schema === undefined) throw new Malformed(`unknown type ${JSON.stringify(type)}`);
    const name = type as Message['type'];
    return { type: name, ...reader.fields(schema.fields, fields, name) } as unknown as Message;
  } catch (error) {
    throw new InvalidMessage(describe(error), { sender });
  }
}

function split(frame: Uint8Array): { value: Fields; attachments: Uint8Array } {
  if (frame.byteLength < 4) throw new Malformed('shorter than its length field');
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const jsonLength = view.getUint32(0, true);
  if (4 + jsonLength > frame.byteLength) throw new Malformed('shorter than its text');
  const text = new TextDecoder('utf-8', { fatal: true }).decode(frame.subarray(4, 4 + jsonLength));
  const value = object(JSON.parse(text), 'the text');
  return { value, attachments: frame.subarray(padded(4 + jsonLength)) };
}

/** Reads the header of a request whatever else is wrong, so that it can be answered. */
function salvageSender(value: Fields, reader: Reader): Sender | undefined {
  try {
    return {
      tag: reader.value('u32', value['tag'], 'tag') as number,
      actor: reader.value('u32', value['actor'], 'actor') as number,
      replyTo: reader.value('bytes', value['replyTo'], 'replyTo') as Uint8Array,
    };
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

function describe(error: unknown): string {
  if (error instanceof Malformed) return error.what;
  return error instanceof Error ? error.message : String(error);
}

export function isRequest(message: Message): message is Request {
  return messages[message.type].kind === 'request';
}

export function isReply(message: Message): message is Reply {
  return messages[message.type].kind === 'reply';
}
