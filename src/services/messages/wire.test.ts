/** Control messages as bytes: golden frames, round trips, and bytes that nobody encoded. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { root } from '../../../ci/process.mjs';
import { type Message, messages, structs } from './generated.ts';
import type { FieldSchema, FieldType } from './schema.ts';
import { decodeMessage, encodeMessage, InvalidMessage } from './wire.ts';

interface Vector {
  readonly value: Record<string, unknown>;
  readonly frame: string;
}

const vectors = JSON.parse(
  readFileSync(`${root}/spec/vectors/messages/golden.json`, 'utf8'),
) as Vector[];

/** The value of a vector with its texts turned into what the type says. */
function revive(type: FieldType, value: unknown): unknown {
  if (type === 'u64') return BigInt(value as string);
  if (type === 'bytes') return new Uint8Array(Buffer.from(value as string, 'hex'));
  if (typeof type === 'string' || 'enum' in type) return value;
  if ('list' in type) return (value as unknown[]).map((item) => revive(type.list, item));
  return reviveFields(structs[type.struct]?.fields ?? [], value as Record<string, unknown>);
}

function reviveFields(fields: readonly FieldSchema[], value: Record<string, unknown>) {
  const types = new Map(fields.map(({ name, type }) => [name, type]));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      const type = types.get(name);
      return [name, type === undefined ? item : revive(type, item)];
    }),
  );
}

function reviveMessage({ value }: Vector): Message {
  const { fields } = messages[value['type'] as Message['type']];
  return reviveFields(fields, value) as unknown as Message;
}

function frameOf(message: Message): Uint8Array {
  return new Uint8Array(Buffer.concat(encodeMessage(message)));
}

/** Any value of a type. */
function arbitrary(type: FieldType): fc.Arbitrary<unknown> {
  if (typeof type === 'object') {
    if ('enum' in type) return fc.constantFrom(...type.enum);
    if ('list' in type) return fc.array(arbitrary(type.list), { maxLength: 4 });
    return arbitraryFields(structs[type.struct]?.fields ?? []);
  }
  switch (type) {
    case 'string':
      return fc.string({ unit: 'binary' });
    case 'u32':
      return fc.nat(2 ** 32 - 1);
    case 'i32':
      return fc.integer();
    case 'u64':
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case 'bool':
      return fc.boolean();
    case 'bytes':
      return fc.uint8Array({ maxLength: 40 });
    case 'json':
      // What JSON text can carry: it has no -0.
      return fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);
  }
}

function arbitraryFields(fields: readonly FieldSchema[]) {
  const required = fields.filter(({ optional }) => !optional).map(({ name }) => name);
  const model = Object.fromEntries(fields.map(({ name, type }) => [name, arbitrary(type)]));
  return fc.record(model, { requiredKeys: required });
}

const anyMessage = fc
  .constantFrom(...(Object.keys(messages) as Message['type'][]))
  .chain((type) =>
    arbitraryFields(messages[type].fields).map((fields) => ({ type, ...fields }) as Message),
  );

describe('control messages', () => {
  it('golden frames are what is made, and decode to their values [SVC-001, SVC-002]', () => {
    expect(new Set(vectors.map(({ value }) => value['type'])).size).toBe(
      Object.keys(messages).length,
    );
    for (const vector of vectors) {
      const message = reviveMessage(vector);
      expect(Buffer.from(frameOf(message)).toString('hex')).toBe(vector.frame);
      expect(decodeMessage(new Uint8Array(Buffer.from(vector.frame, 'hex')))).toEqual(message);
    }
  });

  it('any message comes back as it was [SVC-001]', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(decodeMessage(frameOf(message))).toEqual(message);
      }),
      { numRuns: 500 },
    );
  });

  it('mutated frames are read or refused, and nothing else happens [SVC-003]', () => {
    const change = fc.record({ at: fc.nat(), byte: fc.nat(255), kind: fc.nat(2) });
    fc.assert(
      fc.property(anyMessage, fc.array(change, { minLength: 1, maxLength: 5 }), (message, all) => {
        let bytes = frameOf(message);
        for (const { at, byte, kind } of all) {
          const place = at % bytes.length;
          if (kind === 0) bytes[place] = byte;
          else if (kind === 1) bytes = bytes.slice(0, Math.max(1, place));
          else
            bytes = Uint8Array.from([...bytes.subarray(0, place), byte, ...bytes.subarray(place)]);
        }
        return survives(bytes);
      }),
      { numRuns: 3000 },
    );
  });

  it('any bytes at all are refused or read [SVC-003]', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), survives), { numRuns: 2000 });
    const texts = fc.json().map(withText);
    fc.assert(fc.property(texts, survives), { numRuns: 2000 });
  });

  it('a frame with a field too many, too few or of the wrong type is refused [SVC-003]', () => {
    const good = { type: 'LsHalted', nodeId: 1 };
    expect(decodeMessage(withText(JSON.stringify(good)))).toEqual(good);
    const bad = [
      { ...good, extra: 1 },
      { type: 'LsHalted' },
      { ...good, nodeId: '1' },
      { ...good, nodeId: 2 ** 32 },
      { ...good, nodeId: 1.5 },
      { ...good, type: 'toString' },
      { ...good, type: 7 },
      [good],
      null,
    ];
    for (const value of bad) {
      expect(() => decodeMessage(withText(JSON.stringify(value)))).toThrow(InvalidMessage);
    }
    const poisoned = '{"type":"LsHalted","nodeId":1,"__proto__":{}}';
    expect(() => decodeMessage(withText(poisoned))).toThrow('__proto__');
  });

  it('a value that does not fit is refused by name [SVC-004]', () => {
    const good = { type: 'LsProcessEnd', puid: 1n, patienceMs: 5 } as const;
    expect(() => encodeMessage(good)).not.toThrow();
    const wrong = { ...good, patienceMs: -1 };
    expect(() => encodeMessage(wrong)).toThrow('LsProcessEnd.patienceMs');
    const missing = { type: 'LsProcessEnd', puid: 2n ** 64n } as unknown as Message;
    expect(() => encodeMessage(missing)).toThrow('LsProcessEnd.puid');
    const unknown = { type: 'Rumour' } as unknown as Message;
    expect(() => encodeMessage(unknown)).toThrow('Rumour');
  });

  it('tells where the answer to an unreadable request would go [SVC-005]', () => {
    const request = { type: 'GsNodeList', tag: 9, puid: 3n, actor: 4, replyTo: Uint8Array.of(5) };
    const frame = frameOf(request as Message);
    const text = Buffer.from(frame).toString('latin1').replace('GsNodeList', 'GsNodeLost');
    const error = errorOf(new Uint8Array(Buffer.from(text, 'latin1')));
    expect(error.code).toBe('ERR_INVALID_MESSAGE');
    expect(error.sender).toEqual({ tag: 9, actor: 4, replyTo: Uint8Array.of(5) });
    expect(errorOf(Uint8Array.of(1)).sender).toBeUndefined();
  });
});

function errorOf(frame: Uint8Array): InvalidMessage {
  try {
    decodeMessage(frame);
  } catch (error) {
    if (error instanceof InvalidMessage) return error;
  }
  throw new Error('the frame was not refused');
}

function withText(text: string): Uint8Array {
  const json = Buffer.from(text);
  const frame = new Uint8Array(Math.ceil((4 + json.length) / 8) * 8);
  new DataView(frame.buffer).setUint32(0, json.length, true);
  frame.set(json, 4);
  return frame;
}

/** True for a message or an InvalidMessage; anything else is thrown on. */
function survives(bytes: Uint8Array): boolean {
  try {
    decodeMessage(bytes);
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error;
  }
  return true;
}
