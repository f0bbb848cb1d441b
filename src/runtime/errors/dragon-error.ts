// The base class of every error that the runtime raises, and the brand by which an error is
// recognised when it comes from another realm or from a second copy of the package.
// Non-goals: the classes for single conditions (`classes.ts`) and their numbers (`codes.ts`).
import { type ErrorCategory, errorTable } from './codes.ts';

export type DragonErrorOptions = {
  /** The closed code of the condition; a class has its own default. */
  code?: string;
  category?: ErrorCategory;
  cause?: unknown;
  /** Values that explain the failure, for programs that look closer. */
  details?: Record<string, unknown>;
};

/** Prototype key that holds the names of the branded classes of an error, nearest first. */
const BRAND = Symbol.for('dragon-runtime.error');

/** Own key of a branded class: instances of another copy of it are instances of this one. */
const CLASS_NAME = Symbol.for('dragon-runtime.error.class');

const PLAIN_CODE = 'ERR_DRAGON';

let categories: Map<string, ErrorCategory> | undefined;

function categoryOf(code: string): ErrorCategory {
  categories ??= new Map(errorTable.map((row) => [row.code, row.category]));
  return categories.get(code) ?? 'error';
}

function brandsOf(value: unknown): readonly string[] {
  if (value === null || typeof value !== 'object') return [];
  const brands = (value as Record<symbol, unknown>)[BRAND];
  return Array.isArray(brands) ? brands : [];
}

/**
 * The base of the family. `code` is closed (`spec/errors.yaml`), `category` tells the caller what
 * to do: `fatal` give the object or runtime up, `error` the call failed, `warning` try again later.
 */
export class DragonError extends Error {
  declare readonly code: string;
  declare readonly details?: Record<string, unknown>;

  constructor(message: string, options: DragonErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    const own = this as { code: string; details?: Record<string, unknown> };
    own.code = options.code ?? (new.target as { defaultCode?: string }).defaultCode ?? PLAIN_CODE;
    if (options.details !== undefined) own.details = options.details;
    if (options.category !== undefined) {
      Object.defineProperty(this, 'category', { value: options.category, configurable: true });
    }
  }

  static readonly defaultCode: string = PLAIN_CODE;

  /** What the caller can do about it; follows from the code unless it was given. */
  get category(): ErrorCategory {
    return categoryOf(this.code);
  }

  /** True for an error of this class, whichever realm or copy of the package made it. */
  static is<T extends typeof DragonError>(this: T, value: unknown): value is InstanceType<T> {
    return value instanceof this;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    const self = this as unknown as Record<symbol, unknown>;
    if (Object.hasOwn(this, CLASS_NAME)) return brandsOf(value).includes(String(self[CLASS_NAME]));
    return Function.prototype[Symbol.hasInstance].call(this, value);
  }
}

/** The name of the nearest branded class of an error, of any copy of the package. */
export function brandedName(value: unknown): string | undefined {
  return brandsOf(value)[0];
}

/** Gives a class of the family its name and brand; each class is branded once, where it is made. */
export function brand(errorClass: typeof DragonError, name: string): void {
  const parent = Object.getPrototypeOf(errorClass.prototype) as object;
  const names = [name, ...brandsOf(parent)];
  Object.defineProperty(errorClass, CLASS_NAME, { value: name });
  Object.defineProperty(errorClass.prototype, BRAND, { value: names });
  Object.defineProperty(errorClass.prototype, 'name', {
    value: name,
    writable: true,
    configurable: true,
  });
}

brand(DragonError, 'DragonError');
