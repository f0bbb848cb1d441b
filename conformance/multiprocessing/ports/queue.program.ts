/** The checks of `queue.test.ts`. */
import { check, runChecks } from '../../harness/inside.ts';
import { runBoth } from '../../tasks/ports/flavours.ts';
import * as bodies from '../../tasks/ports/queue.ts';

const module = new URL('../../tasks/ports/queue.ts', import.meta.url);

for (const name of Object.keys(bodies).filter((each) => each.startsWith('test'))) {
  check(name, () => runBoth(module, name));
}

await runChecks();
