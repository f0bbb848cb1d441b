// How an error is written and revived: class, message, stack, own fields, cause, list of errors.
// Non-goals: what an error thrown in another process looks like to its catcher (`thrown.ts`).
import { RemoteError } from '../runtime/errors/index.ts';
import type { Decoder } from './decoder.ts';
import type { Encoder } from './encoder.ts';
import * as format from './format.ts';
import {
  type AnyClass,
  errorNamed,
  errorNameOf,
  familyError,
  familyNameOf,
  languageErrors,
} from './registry.ts';

/** Written apart from the own fields. */
const RECORD_FIELDS: ReadonlySet<string> = new Set(['message', 'stack', 'cause', 'errors']);

type ErrorClassName = { kind: number; name: string };

function classOf(encoder: Encoder, error: Error): ErrorClassName {
  const errorClass = encoder.told(error, 'constructor');
  const registered = errorNameOf(errorClass);
  if (registered !== undefined) return { kind: format.ERROR_CLASS_NAMED, name: registered };
  const family = familyNameOf(error);
  if (family !== undefined) return { kind: format.ERROR_CLASS_FAMILY, name: family };
  const name = text(typeof errorClass === 'function' ? errorClass.name : shownName(encoder, error));
  if (Object.hasOwn(languageErrors, name)) return { kind: format.ERROR_CLASS_LANGUAGE, name };
  if (error instanceof DOMException) return { kind: format.ERROR_CLASS_DOM, name };
  return { kind: format.ERROR_CLASS_NAMED, name };
}

/** Names that are not text say nothing. */
function text(value: unknown): string {
  return typeof value === 'string' ? value : 'Error';
}

function shownName(encoder: Encoder, error: Error): string {
  return text(encoder.told(error, 'name'));
}

/** Usually text. What can't be carried is left out of an error that is being thrown. */
function messageOf(encoder: Encoder, error: Error): unknown {
  const message = encoder.told(error, 'message');
  return encoder.lenient && typeof message !== 'string' ? undefined : message;
}

export function writeError(encoder: Encoder, error: Error): void {
  const { writer } = encoder;
  const { kind, name } = classOf(encoder, error);
  const dom = kind === format.ERROR_CLASS_DOM;
  writer.byte(format.ERROR);
  writer.byte(kind);
  writer.string(name);
  writer.string(shownName(encoder, error));
  const hasMessage = dom || Object.hasOwn(error, 'message');
  encoder.at('property', 'message', hasMessage ? messageOf(encoder, error) : undefined);
  const stack = encoder.told(error, 'stack');
  encoder.at('property', 'stack', typeof stack === 'string' ? stack : undefined);
  for (const key of ['cause', 'errors'] as const) {
    if (Object.hasOwn(error, key)) encoder.record(key, error);
  }
  for (const key of Object.keys(error)) {
    if (!RECORD_FIELDS.has(key)) encoder.record(key, error);
  }
  writer.byte(format.END);
}

function hidden(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, configurable: true });
}

function resolveClass(kind: number, name: string): AnyClass<Error> | undefined {
  if (kind === format.ERROR_CLASS_FAMILY) return familyError(name);
  if (kind === format.ERROR_CLASS_NAMED) return errorNamed(name);
  return Object.hasOwn(languageErrors, name) ? languageErrors[name] : undefined;
}

/** Its own stack would be that of the decoder, and takes longer than all the rest. */
function withoutStack(): Error {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const error = new Error();
  Error.stackTraceLimit = limit;
  return error;
}

/** An error of the class, made without its constructor, whose work was done where it was thrown. */
function shell(kind: number, className: string, shownName: string): Error {
  const error = withoutStack();
  const known = resolveClass(kind, className);
  if (known !== undefined) {
    Object.setPrototypeOf(error, known.prototype as object);
    if (error.name !== shownName) hidden(error, 'name', shownName);
    return error;
  }
  Object.setPrototypeOf(error, RemoteError.prototype);
  hidden(error, 'name', shownName === 'Error' ? className : shownName);
  Object.assign(error, { code: RemoteError.defaultCode });
  return error;
}

export function readError(decoder: Decoder): Error {
  const kind = decoder.byte();
  const className = decoder.string();
  const shownName = decoder.string();
  if (kind === format.ERROR_CLASS_DOM) return readDomException(decoder, shownName);
  const error = shell(kind, className, shownName);
  decoder.remember(error);
  const message = decoder.value();
  if (message !== undefined) hidden(error, 'message', message);
  hidden(error, 'stack', decoder.value());
  for (let key = decoder.keyOrEnd(); key !== undefined; key = decoder.keyOrEnd()) {
    const value = decoder.value();
    if (key === 'cause' || key === 'errors') hidden(error, key, value);
    else decoder.define(error, key, value);
  }
  return error;
}

/** Such an error keeps its message and name inside, so it is made by its constructor. */
function readDomException(decoder: Decoder, name: string): Error {
  const id = decoder.reserve();
  const error = new DOMException(String(decoder.value() ?? ''), name);
  decoder.settle(id, error);
  hidden(error, 'stack', decoder.value());
  for (let key = decoder.keyOrEnd(); key !== undefined; key = decoder.keyOrEnd()) {
    const value = decoder.value();
    if (key === 'cause') hidden(error, key, value);
    else decoder.define(error, key, value);
  }
  return error;
}
