/** Uses a pool, holds it, and ends without closing it. */
import { Pool } from 'dragon-runtime/multiprocessing';
import { square } from '../../tasks/pool-tasks.ts';

export const pool = new Pool({ processes: 2 });
console.log(await pool.apply(square, [3]));
