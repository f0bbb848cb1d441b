/** The checks of `connection.test.ts`. */
import { check, runChecks } from '../../harness/inside.ts';
import * as connections from '../../tasks/ports/connection.ts';
import * as transfers from '../../tasks/ports/fd-transfer.ts';
import { runBoth } from '../../tasks/ports/flavours.ts';

const modules = [
  [connections, '../../tasks/ports/connection.ts'],
  [transfers, '../../tasks/ports/fd-transfer.ts'],
] as const;

for (const [bodies, path] of modules) {
  const module = new URL(path, import.meta.url);
  for (const name of Object.keys(bodies).filter((each) => each.startsWith('test'))) {
    check(name, () => runBoth(module, name));
  }
}

await runChecks();
