/**
 * What the workers of `wordcount.ts` run.
 *
 * The counts of a batch go through the queue that all processes share, as two arrays that
 * travel without being taken apart; only the report comes back as the task's result.
 */
import { defineTask } from 'dragon-runtime';
import type { Queue } from 'dragon-runtime/multiprocessing';
import { type PartialCounts, WordCounter } from './counter.ts';
import { type Batch, type Problem, readText } from './files.ts';

/** What became of a batch. */
export interface Report {
  readonly files: number;
  readonly bytes: number;
  readonly problems: Problem[];
}

/** Counts the files of a batch in `counter`. */
export function countInto(counter: WordCounter, batch: Batch): Report {
  const problems: Problem[] = [];
  for (const path of batch.paths) {
    const problem = readText(path, (piece) => counter.addText(piece));
    counter.endText();
    if (problem !== undefined) problems.push(problem);
  }
  return { files: batch.paths.length, bytes: batch.bytes, problems };
}

let counts: Queue<PartialCounts | null> | undefined;

/** Tells a worker, when it starts, where counts go. */
export const useQueue = defineTask(
  import.meta.url,
  'useQueue',
  (queue: Queue<PartialCounts | null>): void => {
    counts = queue;
  },
);

/** Counts a batch and puts the counts into the queue. */
export const countBatch = defineTask(
  import.meta.url,
  'countBatch',
  async (batch: Batch): Promise<Report> => {
    const counter = new WordCounter();
    const report = countInto(counter, batch);
    await counts?.put(counter.partial());
    return report;
  },
);
