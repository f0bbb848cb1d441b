import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fifo } from './fifo.ts';

describe('a queue of jobs', () => {
  it('is first in, first out, whatever is taken out of its middle [PL-041]', () => {
    const command = fc.oneof(
      fc.record({ push: fc.integer() }),
      fc.constant('shift' as const),
      fc.constant('clear' as const),
      fc.record({ remove: fc.nat(3) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
        const fifo = new Fifo<number>();
        let model: number[] = [];
        for (const command of commands) {
          if (command === 'shift') expect(fifo.shift()).toBe(model.shift());
          else if (command === 'clear') expect(fifo.clear()).toEqual(model.splice(0));
          else if ('push' in command) {
            fifo.push(command.push);
            model.push(command.push);
          } else {
            const isUnwanted = (item: number): boolean => item % 4 === command.remove;
            fifo.remove(isUnwanted);
            model = model.filter((item) => !isUnwanted(item));
          }
          expect(fifo.size).toBe(model.length);
        }
        expect(fifo.clear()).toEqual(model);
      }),
    );
  });
});
