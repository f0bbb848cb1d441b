/**
 * Turns the model of spec/messages into src/services/messages/generated.ts: the types of the
 * messages and the table that validators, encoder and decoder go by.
 *
 * Non-goals: no code that reads or writes a message; that is wire.ts beside the output.
 *
 * @typedef {import('./schema.mjs').Field} Field
 * @typedef {import('./schema.mjs').FieldType} FieldType
 * @typedef {import('./schema.mjs').Model} Model
 * @typedef {import('./schema.mjs').MessageType} MessageType
 * @typedef {import('./schema.mjs').Struct} Struct
 */
import { headers } from './schema.mjs';

const tsTypes = {
  string: 'string',
  u32: 'number',
  i32: 'number',
  u64: 'bigint',
  bool: 'boolean',
  bytes: 'Uint8Array',
  json: 'unknown',
};

/**
 * @param {FieldType} type
 * @returns {string}
 */
function tsType(type) {
  if (typeof type === 'string') return tsTypes[type];
  if ('enum' in type) return type.enum.map((name) => `'${name}'`).join(' | ');
  if ('struct' in type) return type.struct;
  const element = tsType(type.list);
  return `readonly ${element.includes(' ') ? `(${element})` : element}[]`;
}

/**
 * @param {FieldType} type
 * @returns {string}
 */
function tableType(type) {
  if (typeof type === 'string') return `'${type}'`;
  if ('enum' in type) return `{ enum: [${type.enum.map((name) => `'${name}'`).join(', ')}] }`;
  if ('struct' in type) return `{ struct: '${type.struct}' }`;
  return `{ list: ${tableType(type.list)} }`;
}

/** @param {Field[]} fields */
function interfaceBody(fields) {
  return fields.map(({ name, type, optional, doc }) => {
    const member = optional ? `${name}?: ${tsType(type)} | undefined` : `${name}: ${tsType(type)}`;
    return `  /** ${doc} */\n  readonly ${member};`;
  });
}

/** @param {Struct} struct */
function structInterface({ name, doc, fields }) {
  return [`/** ${doc} */`, `export interface ${name} {`, ...interfaceBody(fields), '}', ''];
}

/** @param {MessageType} message */
function messageInterface({ name, kind, doc, fields }) {
  const all = [...headers[kind], ...fields];
  const type = `  readonly type: '${name}';`;
  return [`/** ${doc} */`, `export interface ${name} {`, type, ...interfaceBody(all), '}', ''];
}

/**
 * @param {string} indent
 * @param {Field[]} fields
 */
function tableFields(indent, fields) {
  const rows = fields.map(({ name, type, optional }) => {
    const flag = optional ? ', optional: true' : '';
    return `${indent}  { name: '${name}', type: ${tableType(type)}${flag} },`;
  });
  return rows.length === 0 ? ['fields: [],'] : ['fields: [', ...rows, `${indent}],`];
}

/**
 * @param {string} name
 * @param {string[]} members
 */
function union(name, members) {
  return [`export type ${name} =`, ...members.map((member) => `  | ${member}`)]
    .join('\n')
    .concat(';\n');
}

/** @param {Model} model */
export function messagesSource({ structs, messages }) {
  /** @param {string} kind */
  const named = (kind) => messages.filter((m) => m.kind === kind).map((m) => m.name);
  const asking = messages.filter((message) => message.reply !== undefined);
  const lines = [
    '// The messages of the control plane, generated from spec/messages.',
    '//',
    '// Do not edit: change a YAML file there and run `node ci/generate.mjs`. The types and the',
    '// table say the same; wire.ts reads and writes messages by the table.',
    '// biome-ignore-all format: generated',
    '',
    "import type { MessageSchema, StructSchema } from './schema.ts';",
    '',
    ...structs.flatMap(structInterface),
    ...messages.flatMap(messageInterface),
    union('Request', named('request')),
    union('Command', named('command')),
    union('Reply', named('reply')),
    union('Event', named('event')),
    'export type Message = Request | Command | Reply | Event;',
    '',
    '/** Which reply answers which request or command. */',
    'export interface ReplyTo {',
    ...asking.map(({ name, reply }) => `  ${name}: ${reply};`),
    '}',
    '',
    'export const structs: Readonly<Record<string, StructSchema>> = {',
    ...structs.flatMap(({ name, fields }) => {
      const [first, ...rest] = tableFields('    ', fields);
      return [`  ${name}: {`, `    ${first}`, ...rest, '  },'];
    }),
    '};',
    '',
    "export const messages: Readonly<Record<Message['type'], MessageSchema>> = {",
    ...messages.flatMap(({ name, kind, fields, reply }) => {
      const [first, ...rest] = tableFields('    ', [...headers[kind], ...fields]);
      const answer = reply === undefined ? '' : ` reply: '${reply}',`;
      return [`  ${name}: {`, `    kind: '${kind}',${answer}`, `    ${first}`, ...rest, '  },'];
    }),
    '};',
    '',
  ];
  return lines.join('\n');
}
