/** The checks of `connection.test.ts`. */
import { check, runChecks } from '../../harness/inside.ts';
import * as bodies from '../../tasks/ports/connection.ts';
import { runBoth } from '../../tasks/ports/flavours.ts';

const module = new URL('../../tasks/ports/connection.ts', import.meta.url);

for (const name of Object.keys(bodies).filter((each) => each.startsWith('test'))) {
  check(name, () => runBoth(module, name));
}

await runChecks();
