/** Starts processes wherever it is loaded, as a program without `isRoot()` does. */
import { Pool } from 'dragon-runtime/multiprocessing';

export function double(x: number): number {
  return 2 * x;
}

const pool = new Pool({ processes: 1 });
console.log(await pool.map(double, [1, 2]));
await pool[Symbol.asyncDispose]();
