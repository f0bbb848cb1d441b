/**
 * Turns spec/errors.yaml into the C enum and the TypeScript table of error codes.
 *
 * Goals: it refuses a list whose values are not dense from 0, or whose names or codes repeat,
 * since the order is the wire value.
 * Non-goals: what a language binding throws for a code is not decided here.
 *
 * @typedef {object} ErrorEntry
 * @property {number} value
 * @property {string} name
 * @property {string} code
 * @property {string} category
 * @property {string} entity
 * @property {string} text
 */

const categories = ['fatal', 'error', 'warning'];
const entities = ['call', 'handle', 'object', 'process', 'node'];

/**
 * Checks the parsed list and fills in the default TypeScript code of each entry.
 * @param {(Omit<ErrorEntry, 'code'> & { code?: string })[]} list
 * @returns {ErrorEntry[]}
 */
export function readErrors(list) {
  const seen = new Set();
  return list.map((entry, index) => {
    const { value, name, category, entity, text } = entry;
    const code = entry.code ?? (value === 0 ? 'OK' : `ERR_${name}`);
    if (value !== index) throw new Error(`errors.yaml: ${name} has value ${value}, not ${index}`);
    if (!/^[A-Z][A-Z0-9_]*$/.test(name)) throw new Error(`errors.yaml: bad name ${name}`);
    if (!categories.includes(category)) throw new Error(`errors.yaml: ${name}: ${category}`);
    if (!entities.includes(entity)) throw new Error(`errors.yaml: ${name}: ${entity}`);
    if (typeof text !== 'string' || text === '') throw new Error(`errors.yaml: ${name}: no text`);
    for (const unique of [name, `code ${code}`]) {
      if (seen.has(unique)) throw new Error(`errors.yaml: ${unique} appears twice`);
      seen.add(unique);
    }
    return { value, name, code, category, entity, text };
  });
}

/**
 * The text of native/include/dragon/errors.h.
 * @param {ErrorEntry[]} errors
 */
export function errorsHeader(errors) {
  const lines = errors.map((e) => `  /* ${e.text} */\n  DRAGON_${e.name} = ${e.value},`);
  const names = errors.map((e) => `      "${e.name}",`);
  const texts = errors.map((e) => `      ${JSON.stringify(e.text)},`);
  return `/* The status codes of the native core, generated from spec/errors.yaml.
 *
 * Do not edit: change the YAML file and run \`node ci/generate.mjs\`. The values are part of
 * the wire and shared-memory formats; they are only ever appended.
 */
#ifndef DRAGON_ERRORS_H
#define DRAGON_ERRORS_H

#ifdef __cplusplus
extern "C" {
#endif

/* clang-format off */
typedef enum dragon_status {
${lines.join('\n')}
} dragon_status_t;

enum { DRAGON_STATUS_COUNT = ${errors.length} };

/* The constant's name without its prefix; "UNKNOWN" for a number outside the table. */
static inline const char* dragon_status_name(dragon_status_t status) {
  static const char* const names[] = {
${names.join('\n')}
  };
  const unsigned index = (unsigned)status;
  return index < (unsigned)DRAGON_STATUS_COUNT ? names[index] : "UNKNOWN";
}

/* What happened, as the start of a message. */
static inline const char* dragon_status_text(dragon_status_t status) {
  static const char* const texts[] = {
${texts.join('\n')}
  };
  const unsigned index = (unsigned)status;
  return index < (unsigned)DRAGON_STATUS_COUNT ? texts[index] : "unknown status";
}
/* clang-format on */

#ifdef __cplusplus
}
#endif

#endif /* DRAGON_ERRORS_H */
`;
}

/**
 * The text of src/runtime/errors/codes.ts.
 * @param {ErrorEntry[]} errors
 */
export function errorsTable(errors) {
  /** @param {string} text */
  const q = (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const rows = errors.map(
    (e) =>
      `  { name: ${q(e.name)}, code: ${q(e.code)}, category: ${q(e.category)}, ` +
      `entity: ${q(e.entity)},\n    text: ${q(e.text)} },`,
  );
  const values = errors.map((e) => `  ${e.name}: ${e.value},`);
  return `// The error codes of the runtime, generated from spec/errors.yaml.
//
// Do not edit: change the YAML file and run \`node ci/generate.mjs\`. The index in the table is
// the status number that the native core and the control messages carry. Classes of errors and
// their construction live in index.ts beside this file.
// biome-ignore-all format: generated

export type ErrorCategory = 'fatal' | 'error' | 'warning';
export type ErrorEntity = 'call' | 'handle' | 'object' | 'process' | 'node';

/** One row for each status number, in order of the number. */
export const errorTable = [
${rows.join('\n')}
] as const satisfies readonly {
  readonly name: string;
  readonly code: string;
  readonly category: ErrorCategory;
  readonly entity: ErrorEntity;
  readonly text: string;
}[];

export type ErrorEntry = (typeof errorTable)[number];
export type StatusName = ErrorEntry['name'];
/** What a thrown error carries in its field \`code\`. */
export type ErrorCode = ErrorEntry['code'];

/** The status number of each name. */
export const Status = {
${values.join('\n')}
} as const satisfies Readonly<Record<StatusName, number>>;
`;
}
