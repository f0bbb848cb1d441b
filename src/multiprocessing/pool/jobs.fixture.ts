/** Jobs in the tests of this folder: chunks of them, and what becomes of those. */
import { type Call, type Chunk, failed } from './chunks.ts';
import type { Job } from './scheduler.ts';

export const call: Call = {
  id: 0,
  reference: { v: 1, kind: 'esm', module: 'file:///tasks.ts', export: 'work' },
  spread: false,
};

let ids = 0;

export function take(job: Job): Chunk {
  const taken = job.take();
  if (taken === undefined) throw new Error('no chunk');
  return { id: ids++, job, ...taken };
}

/** Every item is its own result. */
export function succeed(chunk: Chunk): void {
  chunk.job.settle(chunk, { values: chunk.items, errors: undefined });
}

export function fail(chunk: Chunk, error: unknown): void {
  chunk.job.settle(chunk, failed(chunk, error));
}
