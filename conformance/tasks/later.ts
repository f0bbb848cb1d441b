/** Puts into queues and pipes, when told to. */
import { defineTask } from 'dragon-runtime';
import { type Connection, type Queue, SimpleQueue } from 'dragon-runtime/multiprocessing';

type Sink = Queue<string> | SimpleQueue<string> | Connection<string>;

export const putLater = defineTask(
  import.meta.url,
  'putLater',
  async (sinks: readonly Sink[], go: Queue<string>): Promise<void> => {
    for (const sink of sinks) {
      await go.get();
      if (sink instanceof SimpleQueue || 'put' in sink) await sink.put('later');
      else await sink.send('later');
    }
    for (const sink of sinks) sink.close();
  },
);
