/**
 * Makes the golden vectors of the messages: for every type one with all fields and one
 * without the optional ones, as a value and as the bytes of its frame.
 *
 * Goals: a second encoder, written apart from src/services/messages/wire.ts, so that the two
 * check each other. Values are chosen by position, so they stay the same from run to run.
 *
 * @typedef {import('./schema.mjs').Field} Field
 * @typedef {import('./schema.mjs').FieldType} FieldType
 * @typedef {import('./schema.mjs').Model} Model
 */
import { headers } from './schema.mjs';

const ALIGN = 8;

/** Collects what one frame needs: the attachments and where they start. */
class Frame {
  /** @type {Buffer[]} */
  attachments = [];
  offset = 0;
  #counter = 0;

  next() {
    return ++this.#counter;
  }

  /** @param {Buffer} bytes */
  attach(bytes) {
    const padded = Buffer.alloc(Math.ceil(bytes.length / ALIGN) * ALIGN);
    bytes.copy(padded);
    const place = [this.offset, bytes.length];
    this.attachments.push(padded);
    this.offset += padded.length;
    return place;
  }
}

/**
 * A sample as it stands in the vector file and as it stands in the frame's JSON.
 * @param {FieldType} type
 * @param {Frame} frame
 * @param {Model} model
 * @param {boolean} full
 * @returns {{ shown: unknown, wire: unknown }}
 */
function sample(type, frame, model, full) {
  const n = frame.next();
  /** @param {unknown} value */
  const same = (value) => ({ shown: value, wire: value });
  if (typeof type === 'object') {
    if ('enum' in type) return same(type.enum[n % type.enum.length]);
    if ('list' in type) {
      const items = [0, 1].map(() => sample(type.list, frame, model, full));
      return { shown: items.map((i) => i.shown), wire: items.map((i) => i.wire) };
    }
    const struct = model.structs.find(({ name }) => name === type.struct);
    if (struct === undefined) throw new Error(`spec/messages: no struct ${type.struct}`);
    return sampleFields(struct.fields, frame, model, full);
  }
  const texts = ['plain', '', 'ünïcødé ✓ 🐉', 'quote " back\\slash \n tab\t'];
  const numbers = [0, 1, 2 ** 31, 2 ** 32 - 1];
  const wides = ['0', '4294967296', '18446744073709551615', '9007199254740993'];
  switch (type) {
    case 'string':
      return same(texts[n % texts.length]);
    case 'bool':
      return same(n % 2 === 0);
    case 'u32':
      return same(numbers[n % numbers.length]);
    case 'i32':
      return same(n % 2 === 0 ? -(2 ** 31) : 2 ** 31 - 1);
    case 'u64':
      return same(wides[n % wides.length]);
    case 'json':
      return same({ n, list: [1, null, 'x'] });
    case 'bytes': {
      const bytes = Buffer.from(Array.from({ length: n % 19 }, (_, i) => (i * 37 + n) % 256));
      return { shown: bytes.toString('hex'), wire: frame.attach(bytes) };
    }
  }
}

/**
 * @param {Field[]} fields
 * @param {Frame} frame
 * @param {Model} model
 * @param {boolean} full
 */
function sampleFields(fields, frame, model, full) {
  /** @type {Record<string, unknown>} */
  const shown = {};
  /** @type {Record<string, unknown>} */
  const wire = {};
  for (const { name, type, optional } of fields) {
    if (optional && !full) continue;
    const value = sample(type, frame, model, full);
    shown[name] = value.shown;
    wire[name] = value.wire;
  }
  return { shown, wire };
}

/**
 * @param {unknown} wire
 * @param {Frame} frame
 */
function frameBytes(wire, frame) {
  const json = Buffer.from(JSON.stringify(wire));
  const head = Buffer.alloc(Math.ceil((4 + json.length) / ALIGN) * ALIGN);
  head.writeUInt32LE(json.length, 0);
  json.copy(head, 4);
  return Buffer.concat([head, ...frame.attachments]);
}

/** @param {Model} model */
export function messageVectors(model) {
  const vectors = model.messages.flatMap(({ name, kind, fields }) =>
    [true, false].map((full) => {
      const frame = new Frame();
      const { shown, wire } = sampleFields([...headers[kind], ...fields], frame, model, full);
      const bytes = frameBytes({ type: name, ...wire }, frame);
      return { value: { type: name, ...shown }, frame: bytes.toString('hex') };
    }),
  );
  return `${JSON.stringify(vectors, undefined, 1)}\n`;
}
