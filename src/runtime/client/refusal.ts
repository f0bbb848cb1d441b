/** What a refused request is thrown as. Non-goals: judging which answers are refusals. */
import type { Reply } from '../../services/messages/index.ts';
import { errorFromStatus } from '../errors/index.ts';

export function refusal(answer: Reply, what: string): Error {
  // The services' text says more than the status's own.
  return errorFromStatus(answer.err, what, answer.info ?? '');
}
