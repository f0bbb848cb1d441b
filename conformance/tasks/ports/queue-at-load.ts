/** Makes, uses and closes a queue while it is loaded. */
import { Queue } from 'dragon-runtime/multiprocessing';

const queue = new Queue<string>();
queue.putSync('while loading');
/** What the queue gave. */
export const got: string = await queue.get({ timeout: 3000 });
queue.close();
