// Where the running installation of the package lies.
// Non-goals: what is in it.
import { packageRoot } from '../../core/native.ts';

let root: string | undefined;

export function installation(): string {
  root ??= packageRoot();
  return root;
}
