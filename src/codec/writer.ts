// A growing run of bytes in a slab that many messages share, so that a small message costs no
// allocation of its own. A finished message is a view that nobody else writes to.
// Non-goals: knowing what the bytes mean.
import { SHORT_STRING, SHORT_STRING_MAX, STRING_ONE_BYTE, STRING_TWO_BYTE } from './format.ts';

/** A run of bytes inside others. */
export type Place = { bytes: Uint8Array; offset: number; length: number };

const SLAB_BYTES = 32 * 1024;
const SLAB_REST_BYTES_MIN = 512;

/** Up to this length a loop over the characters beats a call into native code. */
const LOOP_LENGTH_MAX = 16;

const scratch = new Float64Array(1);
const scratchBytes = new Uint8Array(scratch.buffer);

const aboveOneByte = /[^\0-\xff]/;

export class Writer {
  /** The slab; `pos` is where the next byte goes, the message began at `start`. */
  bytes: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  pos = 0;
  private start = 0;

  begin(): void {
    if (this.bytes.length - this.pos < SLAB_REST_BYTES_MIN) this.renew();
    this.start = this.pos;
  }

  /** The message so far, without copying; the next `begin` starts behind it. */
  finish(): Uint8Array {
    const { bytes, start, pos } = this;
    const message = new Uint8Array(bytes.buffer, bytes.byteOffset + start, pos - start);
    // A big message keeps its slab alive anyway; the next one gets a slab of the usual size.
    if (bytes.length > SLAB_BYTES) this.renew();
    else this.pos = Math.min((pos + 7) & ~7, bytes.length);
    return message;
  }

  /** The message so far, where it lies until the next `begin`. */
  leave(place: Place): void {
    place.bytes = this.bytes;
    place.offset = this.start;
    place.length = this.pos - this.start;
    this.abandon();
  }

  /** Gives up what was written since `begin`. */
  abandon(): void {
    this.pos = this.start;
    if (this.bytes.length > SLAB_BYTES) this.renew();
  }

  /** Takes back what was written behind the first `length` bytes of the message. */
  cutTo(length: number): void {
    this.pos = this.start + length;
  }

  get length(): number {
    return this.pos - this.start;
  }

  private renew(): void {
    this.bytes = Buffer.allocUnsafeSlow(SLAB_BYTES);
    this.pos = 0;
    this.start = 0;
  }

  /** Makes room for `count` more bytes. Every put below the line of single bytes does it itself. */
  ensure(count: number): void {
    if (this.pos + count > this.bytes.length) this.grow(count);
  }

  private grow(count: number): void {
    const used = this.pos - this.start;
    const larger = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, (used + count) * 2));
    larger.set(this.bytes.subarray(this.start, this.pos));
    this.bytes = larger;
    this.start = 0;
    this.pos = used;
  }

  byte(value: number): void {
    if (this.pos === this.bytes.length) this.grow(1);
    this.bytes[this.pos++] = value;
  }

  /** An unsigned LEB128 number, up to 2^53. */
  number(value: number): void {
    this.ensure(8);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.pos++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.pos++] = rest;
  }

  float(value: number): void {
    this.ensure(8);
    scratch[0] = value;
    const { bytes, pos } = this;
    for (let i = 0; i < 8; i++) bytes[pos + i] = scratchBytes[i] as number;
    this.pos = pos + 8;
  }

  raw(data: Uint8Array): void {
    this.ensure(data.length);
    this.bytes.set(data, this.pos);
    this.pos += data.length;
  }

  string(text: string): void {
    if (text.length > LOOP_LENGTH_MAX || !this.shortString(text)) this.longString(text);
  }

  private shortString(text: string): boolean {
    const { length } = text;
    this.ensure(length + 1);
    const { bytes } = this;
    let at = this.pos;
    bytes[at++] = SHORT_STRING + length;
    let seen = 0;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      seen |= code;
      bytes[at++] = code;
    }
    if (seen > 0xff) return false;
    this.pos = at;
    return true;
  }

  private longString(text: string): void {
    const { length } = text;
    this.ensure(2 * length + 10);
    // Equal lengths mean ASCII, which is the common case and the cheap question.
    if (Buffer.byteLength(text) === length || !aboveOneByte.test(text)) {
      if (length <= SHORT_STRING_MAX) this.bytes[this.pos++] = SHORT_STRING + length;
      else this.lengthOf(STRING_ONE_BYTE, length);
      this.pos += this.bytes.write(text, this.pos, 'latin1');
      return;
    }
    this.lengthOf(STRING_TWO_BYTE, length);
    this.pos += this.bytes.write(text, this.pos, 'utf16le');
  }

  private lengthOf(tag: number, length: number): void {
    this.bytes[this.pos++] = tag;
    this.number(length);
  }
}
