/**
 * Shares a pool, a lock and a channel with programs in other languages.
 *
 *     dragon examples/c/share.ts PROGRAM...
 *
 * Each program gets the handles in its environment, as hexadecimal digits.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Channel, Pool, RobustLock } from 'dragon-runtime/core';

const ROUNDS = 1000;
const TIMEOUT_MS = 20_000;

const pool = Pool.default();
const number = pool.allocateSync(8);
number.write(new Uint8Array(8));
const lock = RobustLock.create(pool);
const reports = Channel.create(pool);
const receiver = reports.openReceiver();

const digits = (handle: Uint8Array) => Buffer.from(handle).toString('hex');
const env = {
  ...process.env,
  NUMBER: digits(number.serialize()),
  LOCK: digits(lock.serialize()),
  REPORTS: digits(reports.serialize()),
};
const programs = process.argv.slice(2).map((program) => {
  const child = spawn(program, [String(ROUNDS)], { env, stdio: 'inherit' });
  return once(child, 'close');
});

for (let round = 0; round < ROUNDS; round++) {
  await lock.acquire();
  const bytes = Buffer.from(number.read());
  bytes.writeBigUInt64LE(bytes.readBigUInt64LE() + 1n);
  number.write(bytes);
  lock.release();
}

for (const ended of programs) {
  const report = await receiver.receive({ timeout: TIMEOUT_MS });
  console.log(Buffer.from(report.bytes).toString());
  report.release();
  await ended;
}
console.log(`the number is ${Buffer.from(number.read()).readBigUInt64LE()}`);
