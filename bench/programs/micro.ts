/**
 * Operations within one process, timed by tinybench; with `--check` `benchmark` times the same
 * operation too, and the ratio of the two is told as a detail.
 */
import Benchmark from 'benchmark';
import { isRoot } from 'dragon-runtime';
import { Channel, Node, Pool, RobustLock } from 'dragon-runtime/core';
import { Lock } from 'dragon-runtime/multiprocessing';
import { Bench } from 'tinybench';
import { count, option } from './measure.ts';

function operation(name: string): () => void {
  const pool = Pool.default(Node.attach(process.env['DRAGON_RUNTIME_DIR'] ?? ''));
  if (name === 'lock') {
    const lock = RobustLock.create(pool);
    return () => {
      lock.tryAcquire();
      lock.release();
    };
  }
  if (name === 'user-lock') {
    const lock = new Lock();
    return () => {
      lock.acquireSync();
      lock.release();
    };
  }
  const channel = Channel.create(pool);
  const sender = channel.openSender();
  const receiver = channel.openReceiver();
  const message = new Uint8Array(count('bytes', 64));
  return () => {
    sender.trySend(message);
    receiver.tryReceive();
  };
}

/** Nanoseconds of one operation by the package `benchmark`. */
function crossCheckNs(run: () => void, timeMs: number): number {
  const options = { maxTime: timeMs / 1000, minSamples: 5 };
  const bench = new Benchmark(run, options).run({ async: false });
  return bench.stats.mean * 1e9;
}

async function main(): Promise<void> {
  const run = operation(option('operation', 'channel'));
  const timeMs = count('time', 300);
  const bench = new Bench({ time: timeMs, warmupTime: timeMs / 5, retainSamples: false });
  bench.add('operation', run);
  await bench.run();
  const result = bench.tasks[0]?.result;
  if (result === undefined || !('latency' in result)) throw new Error('tinybench has no result');
  const { p50, p99, min, samplesCount } = result.latency;
  const detail: Record<string, number> = {};
  if (option('check', 'no') === 'yes') {
    detail['benchmarkNs'] = crossCheckNs(run, timeMs);
    detail['benchmarkRatio'] = detail['benchmarkNs'] / (result.latency.mean * 1e6);
  }
  const ns = (ms: number): number => Math.max(1, ms * 1e6);
  const line = { unit: 'ns', n: samplesCount, p50: ns(p50), p99: ns(p99), min: ns(min), detail };
  console.log(JSON.stringify(line));
}

if (isRoot()) await main();
