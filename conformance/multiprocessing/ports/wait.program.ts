/** The checks of `wait.test.ts`. */
import { check, runChecks } from '../../harness/inside.ts';
import { runBoth } from '../../tasks/ports/flavours.ts';
import * as bodies from '../../tasks/ports/wait.ts';

const module = new URL('../../tasks/ports/wait.ts', import.meta.url);

for (const name of Object.keys(bodies).filter((each) => each.startsWith('test'))) {
  check(name, () => runBoth(module, name));
}

await runChecks();
