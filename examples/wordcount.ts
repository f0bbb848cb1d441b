/**
 * Counts the words in a directory tree of text files, with all cores of the machine.
 *
 *     dragon examples/wordcount.ts [--top N] [--processes N] [--sequential] DIR
 *
 * A word is a maximal run of ASCII letters, in lower case. Lines `COUNT WORD` go to standard
 * output, the most frequent word first; what could not be counted is said on standard error,
 * and a file that could not be read makes the exit code 1.
 */
import { parseArgs } from 'node:util';
import { Pool, Queue } from 'dragon-runtime/multiprocessing';
import { type PartialCounts, WordCounter } from './wordcount/counter.ts';
import { batches, type Problem } from './wordcount/files.ts';
import { Progress } from './wordcount/progress.ts';
import { countBatch, countInto, type Report, useQueue } from './wordcount/tasks.ts';

const USAGE = 'usage: wordcount.ts [--top N] [--processes N] [--sequential] DIR';

/** Partial counts that may wait to be merged before the workers have to wait. */
const QUEUE_LENGTH = 16;

interface Options {
  readonly directory: string;
  readonly top: number;
  readonly processes: number | undefined;
  readonly sequential: boolean;
}

function positive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1) throw new Error(`--${name} needs a number of at least 1`);
  return value;
}

function readOptions(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      top: { type: 'string' },
      processes: { type: 'string' },
      sequential: { type: 'boolean', default: false },
    },
  });
  const [directory, ...rest] = positionals;
  if (directory === undefined || rest.length > 0) throw new Error('one directory is needed');
  return {
    directory,
    top: positive('top', values.top) ?? Number.POSITIVE_INFINITY,
    processes: positive('processes', values.processes),
    sequential: values.sequential,
  };
}

/** Whether all files could be read; says on standard error what was left out. */
class Complaints {
  failed = false;

  readonly report = (problem: Problem): void => {
    this.failed ||= problem.failed;
    const line = [Buffer.from('wordcount: '), problem.path, Buffer.from(`: ${problem.text}\n`)];
    process.stderr.write(Buffer.concat(line));
  };
}

function countHere(options: Options, complaints: Complaints, progress: Progress): WordCounter {
  const counter = new WordCounter();
  for (const batch of batches(options.directory, complaints.report)) {
    take(countInto(counter, batch), complaints, progress);
  }
  return counter;
}

function take(report: Report, complaints: Complaints, progress: Progress): void {
  progress.clear();
  for (const problem of report.problems) complaints.report(problem);
  progress.add(report.files, report.bytes);
}

async function merge(queue: Queue<PartialCounts | null>): Promise<WordCounter> {
  const counter = new WordCounter();
  for await (const partial of queue) {
    if (partial === null) break;
    counter.merge(partial);
  }
  return counter;
}

async function countInPool(
  options: Options,
  complaints: Complaints,
  progress: Progress,
): Promise<WordCounter> {
  using queue = new Queue<PartialCounts | null>({ maxsize: QUEUE_LENGTH });
  await using pool = new Pool({
    ...(options.processes === undefined ? {} : { processes: options.processes }),
    initializer: useQueue,
    initargs: [queue],
  });
  const merged = merge(queue);
  const work = batches(options.directory, complaints.report);
  for await (const report of pool.imapUnordered(countBatch, work)) {
    take(report, complaints, progress);
  }
  // Every worker has put its counts before it reported, so this comes after all of them.
  await queue.put(null);
  return await merged;
}

function print(counter: WordCounter, top: number): void {
  let lines = '';
  for (const { word, count } of counter.sorted().slice(0, top)) lines += `${count} ${word}\n`;
  // A reader that has seen enough, such as `head`, is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  process.stdout.write(lines);
}

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readOptions();
  } catch (error) {
    console.error(`wordcount: ${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  const complaints = new Complaints();
  const progress = new Progress(process.stderr);
  const counter = options.sequential
    ? countHere(options, complaints, progress)
    : await countInPool(options, complaints, progress);
  progress.clear();
  print(counter, options.top);
  return complaints.failed ? 1 : 0;
}

process.exitCode = await main();
