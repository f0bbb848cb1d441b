import { it } from 'vitest';
import { checkProgram } from '../../harness/checks.ts';

const program = checkProgram(new URL('./event.program.ts', import.meta.url));

it('for every program, an event is what was done last, and a set wakes all [PRP-026]', () => {
  program.passed('event');
});
