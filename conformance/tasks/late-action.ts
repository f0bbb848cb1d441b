/** An action that no program imports: it is loaded when it is named. */
import type { Semaphore } from 'dragon-runtime/multiprocessing';

export function actLate(acted: Semaphore): void {
  acted.release();
}
