// The error family of the runtime: base, classes, and the way from a native status to an error.
// Non-goals: carrying errors to another process, which is the codec's work.
import { errorClasses } from './classes.ts';
import { errorTable } from './codes.ts';
import { DragonError, type DragonErrorOptions } from './dragon-error.ts';

export * from './classes.ts';
export { type ErrorCategory, errorTable } from './codes.ts';
export { brandedName, DragonError, type DragonErrorOptions } from './dragon-error.ts';

/** What a person can do about a condition, where that does not depend on the call. */
const fixes: Readonly<Record<string, string>> = {
  ERR_OBJECT_DESTROYED: 'make a new one; a handle does not outlive its object',
  ERR_CLOSED: 'use it before close(), or open another handle',
  ERR_OUT_OF_MEMORY: 'free what is no longer needed, or raise DRAGON_DEFAULT_SEG_SZ',
  ERR_TOO_LARGE: 'split the request, or raise DRAGON_DEFAULT_SEG_SZ',
  ERR_BAD_HANDLE: 'pass the bytes on as they came from serialize(), within one release',
  ERR_WRONG_NODE: 'use the object on the node and in the run that made it',
  ERR_NO_RUNTIME: 'run this program with: dragon prog.ts',
  ERR_RUNTIME_GONE: 'start the program again; dragon ps shows what is left',
  ERR_NATIVE_MISSING: 'run: npm rebuild, or in a clone: npm run build',
  ERR_TOO_MANY_ACTORS: 'run fewer processes at once on this node',
  ERR_TOO_MANY_RECORDS: 'wait on fewer objects at once on this node',
  ERR_TOO_MANY_DESCRIPTORS: 'wait until some were received, or send fewer at once',
  ERR_LAYOUT: 'use one release of dragon for all parts of a run',
};

type ErrorClass = { readonly defaultCode: string };

const classByCode = new Map<string, ErrorClass>();
for (const errorClass of Object.values<ErrorClass>(errorClasses)) {
  // The first class of a code is the general one, the later ones refine it.
  if (!classByCode.has(errorClass.defaultCode)) classByCode.set(errorClass.defaultCode, errorClass);
}
classByCode.set('ERR_TOO_LARGE', errorClasses.OutOfMemoryError);
classByCode.set('ERR_UNSETTLED', errorClasses.ProcessError);

export type StatusContext = DragonErrorOptions & {
  /** Why it happened, in values: "limit 4096, used 4000, asked 200". */
  why?: string;
  /** What to do about it, in place of the general advice. */
  fix?: string;
};

/**
 * The error for a native status number: the class of its condition, and a message of the form
 * "what: cause; fix". A string as third argument adds to the cause.
 */
export function errorFromStatus(
  status: number,
  what: string,
  context: string | StatusContext = {},
): DragonError {
  const { why, fix, ...options } = typeof context === 'string' ? { why: context } : context;
  const row = errorTable[status];
  const code = options.code ?? row?.code ?? 'ERR_DRAGON';
  const text = row?.text ?? `unknown status ${status}`;
  const advice = fix ?? fixes[code];
  const cause = why === undefined ? text : `${text} (${why})`;
  const message = advice === undefined ? `${what}: ${cause}` : `${what}: ${cause}; ${advice}`;
  return errorWithCode(code, message, options);
}

/** An error of the class that belongs to a code, or a plain `DragonError` with it. */
export function errorWithCode(
  code: string,
  message: string,
  options: DragonErrorOptions = {},
): DragonError {
  const errorClass = (classByCode.get(code) ?? DragonError) as typeof DragonError;
  const given = { ...options, code };
  if ((errorClass as unknown) !== errorClasses.BufferTooShort)
    return new errorClass(message, given);
  return new errorClasses.BufferTooShort(message, new Uint8Array(), given);
}
