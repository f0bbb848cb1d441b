import { describe, expect, it } from 'vitest';
import { checkProgram } from '../harness/checks.ts';
import { contradictions, type Event } from './queue-history.ts';

const program = checkProgram(new URL('./history.program.ts', import.meta.url));

describe('a channel that several processes use at once', () => {
  it('is one queue: nothing is lost, doubled or overtaken [CH-006, CH-007, COR-035]', () => {
    program.passed('linearizable');
  });
});

describe('the judge of histories', () => {
  const send = (id: number, begin: number, end: number, by = 1): Event => {
    return { kind: 'send', id, at: [begin, end], by };
  };
  const receive = (id: number, begin: number, end: number, by = 2): Event => {
    return { kind: 'receive', id, at: [begin, end], by };
  };

  it('lets overlapping operations take effect in any order [CH-006]', () => {
    const events = [
      send(1, 0, 10),
      send(2, 5, 15, 3),
      receive(2, 12, 20),
      receive(1, 18, 30, 4),
      { kind: 'empty', at: [0, 8], by: 5 } as const,
      { kind: 'full', at: [9, 16], by: 5 } as const,
    ];
    expect(contradictions(events, 2)).toEqual([]);
  });

  it.each<[string, Event[]]>([
    ['lost', [send(1, 0, 1)]],
    ['never sent', [receive(1, 0, 1)]],
    ['twice', [send(1, 0, 1), receive(1, 2, 3), receive(1, 2, 3, 4)]],
    ['before it was sent', [send(1, 5, 6), receive(1, 2, 3)]],
    ['overtook', [send(1, 0, 1), send(2, 2, 3, 3), receive(2, 4, 5), receive(1, 6, 7)]],
    ['overtook', [send(1, 0, 9), send(2, 0, 9), receive(2, 4, 5), receive(1, 4, 5)]],
    [
      'not empty',
      [
        send(1, 0, 1),
        send(2, 2, 3, 3),
        receive(1, 5, 6),
        receive(2, 9, 10),
        { kind: 'empty', at: [2, 8], by: 4 },
      ],
    ],
    ['not full', [send(1, 0, 1), receive(1, 5, 6), { kind: 'full', at: [2, 8], by: 4 }]],
    [
      '3 messages',
      [1, 2, 3].flatMap((id) => [send(id, id, id, id), receive(id, id + 9, id + 9, 9)]),
    ],
  ])('finds what is %s [CH-006]', (text, events) => {
    expect(contradictions(events, 2).join('\n')).toContain(text);
  });
});
