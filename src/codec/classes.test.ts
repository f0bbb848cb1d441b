// Registered classes and handles: how they travel, alone, shared and in rings.
import { describe, expect, it } from 'vitest';
import { DecodeError, SerializeError } from '../runtime/errors/index.ts';
import { type CodecContext, decode, encode, join, registerClass, registerHandle } from './index.ts';

function roundTrip<T>(value: T, context?: CodecContext): T {
  return decode(join(encode(value, context)), context) as T;
}

class Vector {
  x: number;
  y: number;
  peer: unknown;
  constructor(x: number, y: number) {
    this.x = x;
    this.y = y;
  }
  get length(): number {
    return Math.hypot(this.x, this.y);
  }
}
registerClass(Vector);

class Money {
  readonly #cents: bigint;
  constructor(cents: bigint) {
    this.#cents = cents;
  }
  static cents(money: Money): bigint {
    return money.#cents;
  }
}
registerClass(Money, {
  name: 'test.Money',
  serialize: (money) => ({ cents: Money.cents(money) }),
  deserialize: (data) => new Money((data as { cents: bigint }).cents),
});

describe('registered classes', () => {
  it('an instance arrives as one of its class, with its fields [COD-020]', () => {
    const back = roundTrip({ list: [new Vector(3, 4)] });
    expect(back.list[0]).toBeInstanceOf(Vector);
    expect(back.list[0]?.length).toBe(5);
  });

  it('instances may be shared and lie in rings [COD-020]', () => {
    const vector = new Vector(1, 2);
    vector.peer = { owner: vector };
    const [a, b] = roundTrip([vector, vector]) as [Vector, Vector];
    expect(a).toBe(b);
    expect((a.peer as { owner: unknown }).owner).toBe(a);
  });

  it('a class with a serializer of its own sends what that gives [COD-021]', () => {
    const one = new Money(12n);
    const [a, b] = roundTrip([one, one]);
    expect(a).toBe(b);
    expect(Money.cents(a as Money)).toBe(12n);
  });

  it('a serializer that throws, or gives data that leads back, is named [COD-021]', () => {
    class Loop {
      readonly kind = 'loop';
    }
    registerClass(Loop, { serialize: (loop) => [loop], deserialize: () => new Loop() });
    class Broken {
      readonly kind = 'broken';
    }
    registerClass(Broken, {
      serialize: () => {
        throw new Error('no');
      },
      deserialize: () => new Broken(),
    });
    expect(() => encode({ a: new Loop() })).toThrow(/\$\.a\[0\] can't .* leads back/);
    expect(() => encode({ a: new Broken() })).toThrow(/\$\.a can't .*serializer of Broken throws/);
  });

  it('a class that is unknown on arrival is a DecodeError that says what to do [COD-022]', () => {
    const bytes = Uint8Array.from(join(encode(new Vector(1, 1))));
    const name = Buffer.from(bytes).indexOf('Vector');
    bytes.set(Buffer.from('Wector'), name);
    expect(() => decode(bytes)).toThrow(DecodeError);
    expect(() => decode(bytes)).toThrow(/Wector is not registered here; import/);
  });

  it('two classes of one name are refused, one class twice is not [COD-022]', () => {
    const other = { Vector: class Vector {} };
    expect(() => registerClass(other.Vector)).toThrow(/Vector: another class/);
    registerClass(Vector);
    registerClass(other.Vector, { name: 'other.Vector' });
    expect(roundTrip(new other.Vector())).toBeInstanceOf(other.Vector);
    expect(roundTrip(new Vector(1, 2))).toBeInstanceOf(Vector);
  });
});

describe('registered classes that extend those of the language', () => {
  it('keep content and fields, shared and in rings [COD-045]', () => {
    class Table extends Map<string, unknown> {
      title = 'none';
      rows(): number {
        return this.size;
      }
    }
    class Stack extends Array<number> {}
    class Samples extends Float64Array {}
    class Day extends Date {
      note = 'x';
    }
    for (const registered of [Table, Stack, Samples, Day]) registerClass<object>(registered);
    const table = new Table([['a', 1]]);
    table.title = 'T';
    table.set('self', table).set('owner', { table });
    const back = roundTrip([table, table]);
    const [first, second] = back as [Table, Table];
    expect(first).toBeInstanceOf(Table);
    expect(first).toBe(second);
    expect([first.title, first.rows(), first.get('a')]).toEqual(['T', 3, 1]);
    expect(first.get('self')).toBe(first);
    expect((first.get('owner') as { table: unknown }).table).toBe(first);
    const stack = roundTrip(Stack.from([1, 2, 3]));
    expect([stack instanceof Stack, stack.length, [...stack]]).toEqual([true, 3, [1, 2, 3]]);
    for (const length of [3, 3000]) {
      const samples = roundTrip(new Samples(length).fill(0.5));
      expect([samples instanceof Samples, samples.length, samples[2]]).toEqual([true, length, 0.5]);
    }
    const day = roundTrip(new Day(5));
    expect([day instanceof Day, day.getTime(), day.note]).toEqual([true, 5, 'x']);
  });

  it('a class of errors is registered as such [COD-045]', () => {
    class Refused extends RangeError {
      limit = 4;
    }
    registerClass(Refused, { name: 'test.Refused' });
    const back = roundTrip(new Refused('no', { cause: 5 }));
    expect(back).toBeInstanceOf(Refused);
    expect(back).toMatchObject({ message: 'no', limit: 4, cause: 5 });
  });

  it('content of another object is not taken for that of an instance [COD-045]', () => {
    class Basket extends Set {}
    registerClass(Basket, { name: 'test.Basket' });
    const { parts } = encode([{}, new Basket()]);
    const bytes = Uint8Array.from(parts[0] as Uint8Array);
    const at = bytes.lastIndexOf(0x97);
    bytes.set([0x8a, 0x01], at); // a reference to the object, and none of its own
    expect(() => decode(bytes)).toThrow(DecodeError);
  });
});

class Handle {
  readonly id: number;
  constructor(id: number) {
    this.id = id;
  }
}
class SpecialHandle extends Handle {}

const log: string[] = [];
registerHandle(Handle, {
  kind: 'test handle',
  lend: ({ id }, { node }) => {
    if (id < 0) throw new Error('closed');
    log.push(`lend ${id} ${String(node)}`);
    return { descriptor: Uint8Array.of(id), cancel: () => log.push(`cancel ${id}`) };
  },
  revive: ([id], { node }) => {
    log.push(`revive ${id} ${String(node)}`);
    return new Handle(id ?? 0);
  },
  discard: ({ id }) => log.push(`discard ${id}`),
});

describe('handles', () => {
  it('a handle is lent once and revived once, however often it stands in a value [COD-023]', () => {
    log.length = 0;
    const handle = new Handle(5);
    const value = { a: handle, b: new Map([[handle, new Set([handle])]]), c: new SpecialHandle(6) };
    const back = roundTrip(value, { node: 'N' });
    expect(log).toEqual(['lend 5 N', 'lend 6 N', 'revive 5 N', 'revive 6 N']);
    expect(back.a).toBeInstanceOf(Handle);
    expect(back.b.get(back.a)?.has(back.a)).toBe(true);
  });

  it('what was lent can be taken back when the message is not sent [COD-023]', () => {
    log.length = 0;
    for (const lent of encode([new Handle(1), new Handle(2)]).lent) lent.cancel();
    expect(log.slice(2)).toEqual(['cancel 1', 'cancel 2']);
  });

  it('a handle that can not be lent is an error with its place [COD-024]', () => {
    expect(() => encode({ a: [new Handle(-1)] })).toThrow(SerializeError);
    expect(() => encode({ a: [new Handle(-1)] })).toThrow(/\$\.a\[0\] .*test handle.*closed/);
  });

  it('handles of a message that turns out damaged are let go [COD-024]', () => {
    const bytes = Uint8Array.from(join(encode([new Handle(7), 'end'])));
    log.length = 0;
    expect(() => decode(bytes.subarray(0, -1))).toThrow(DecodeError);
    expect(log).toEqual(['revive 7 undefined', 'discard 7']);
  });
});
