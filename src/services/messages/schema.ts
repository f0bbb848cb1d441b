/**
 * The form of the generated message table.
 *
 * Non-goals: nothing is read or written here; that is wire.ts.
 */

export type FieldType =
  | 'string'
  | 'u32'
  | 'i32'
  | 'u64'
  | 'bool'
  | 'bytes'
  | 'json'
  | { readonly list: FieldType }
  | { readonly enum: readonly string[] }
  | { readonly struct: string };

export interface FieldSchema {
  readonly name: string;
  readonly type: FieldType;
  readonly optional?: boolean;
}

export interface StructSchema {
  readonly fields: readonly FieldSchema[];
}

/**
 * A request comes from a client and goes to global services, a command from global to local
 * services, a reply answers either, and an event is answered by nobody.
 */
export type MessageKind = 'request' | 'command' | 'reply' | 'event';

export interface MessageSchema extends StructSchema {
  readonly kind: MessageKind;
  /** The type of the reply, for requests and commands. */
  readonly reply?: string;
}
