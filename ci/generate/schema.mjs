/**
 * Reads the message families of spec/messages into one checked model.
 *
 * Goals: every mistake in a YAML file stops the generator with the file's own words.
 * Non-goals: no output; what is made of the model is in messages.mjs and vectors.mjs.
 *
 * @typedef {'string' | 'u32' | 'i32' | 'u64' | 'bool' | 'bytes' | 'json'} Primitive
 * @typedef {Primitive | { list: FieldType } | { enum: string[] } | { struct: string }} FieldType
 * @typedef {{ name: string, type: FieldType, optional: boolean, doc: string }} Field
 * @typedef {'request' | 'command' | 'reply' | 'event'} Kind
 * @typedef {{ name: string, doc: string, fields: Field[] }} Struct
 * @typedef {Struct & { kind: Kind, family: string, reply: string | undefined }} MessageType
 * @typedef {{ structs: Struct[], messages: MessageType[] }} Model
 *
 * @typedef {Record<string, { type: string, doc: string }>} RawFields
 * @typedef {{ doc: string, fields: RawFields, kind?: Kind, reply?: string }} RawType
 * @typedef {object} RawFamily
 * @property {string} family
 * @property {Record<string, RawType>} [structs]
 * @property {Record<string, RawType>} messages
 */

const primitives = ['string', 'u32', 'i32', 'u64', 'bool', 'bytes', 'json'];

/** Fields that every message of a kind has before its own. */
export const headers = /** @type {Record<Kind, Field[]>} */ ({
  request: [
    field('tag', 'u32', false, 'unique among the open requests of the sender'),
    field('puid', 'u64', false, 'the process that asks'),
    field('actor', 'u32', false, 'the actor that asks'),
    field('replyTo', 'bytes', false, 'the channel that the answer goes to'),
  ],
  command: [field('tag', 'u32', false, 'unique among the open commands of the sender')],
  reply: [
    field('ref', 'u32', false, 'the tag that this answers'),
    field('err', 'u32', false, 'a status of errors.yaml; 0 is success'),
    field('info', 'string', true, 'what went wrong, for people'),
  ],
  event: [],
});

/**
 * @param {string} name
 * @param {FieldType} type
 * @param {boolean} optional
 * @param {string} doc
 * @returns {Field}
 */
function field(name, type, optional, doc) {
  return { name, type, optional, doc };
}

/**
 * @param {string} text
 * @param {Set<string>} structs
 * @returns {FieldType}
 */
function parseType(text, structs) {
  const list = /^list<(.+)>$/.exec(text);
  if (list) return { list: parseType(/** @type {string} */ (list[1]), structs) };
  const choice = /^enum\((\w+(?:\|\w+)*)\)$/.exec(text);
  if (choice) return { enum: /** @type {string} */ (choice[1]).split('|') };
  if (primitives.includes(text)) return /** @type {Primitive} */ (text);
  if (structs.has(text)) return { struct: text };
  throw new Error(`spec/messages: unknown type ${text}`);
}

/**
 * @param {string} owner
 * @param {RawFields} raw
 * @param {Set<string>} structs
 * @param {Field[]} header
 */
function parseFields(owner, raw, structs, header) {
  return Object.entries(raw).map(([name, { type, doc }]) => {
    const taken = name === 'type' || header.some((other) => other.name === name);
    if (taken) throw new Error(`spec/messages: ${owner}.${name} is a name of the header`);
    if (!doc) throw new Error(`spec/messages: ${owner}.${name} has no doc`);
    const optional = type.endsWith('?');
    return field(name, parseType(optional ? type.slice(0, -1) : type, structs), optional, doc);
  });
}

/**
 * @param {RawFamily[]} families
 * @returns {Model}
 */
export function readMessages(families) {
  /** @type {Model} */
  const model = { structs: [], messages: [] };
  const structNames = new Set(families.flatMap((family) => Object.keys(family.structs ?? {})));
  for (const { family, structs = {}, messages } of families) {
    for (const [name, raw] of Object.entries(structs)) {
      const fields = parseFields(name, raw.fields, structNames, []);
      model.structs.push({ name, doc: raw.doc, fields });
    }
    for (const [name, raw] of Object.entries(messages)) {
      const header = raw.kind === undefined ? undefined : headers[raw.kind];
      if (!header || !raw.kind) throw new Error(`spec/messages: ${name} has kind ${raw.kind}`);
      const fields = parseFields(name, raw.fields, structNames, header);
      const { kind, doc, reply } = raw;
      model.messages.push({ name, family, kind, doc, reply, fields });
    }
  }
  checkReplies(model);
  return model;
}

/** @param {Model} model */
function checkReplies({ messages }) {
  const kinds = new Map(messages.map((message) => [message.name, message.kind]));
  if (kinds.size < messages.length) throw new Error('spec/messages: a message appears twice');
  for (const { name, kind, reply } of messages) {
    const asks = kind === 'request' || kind === 'command';
    if (asks !== (reply !== undefined)) {
      throw new Error(`spec/messages: ${name} is a ${kind} and its reply is ${reply}`);
    }
    if (reply !== undefined && kinds.get(reply) !== 'reply') {
      throw new Error(`spec/messages: ${name} is answered by ${reply}, which is no reply`);
    }
  }
}
