/**
 * The working directory as another process can enter it.
 *
 * Goals: a process whose directory was removed or renamed can start others, which then are
 * where it is, as they are after a fork.
 */
import { existsSync } from 'node:fs';

/** Its name, or the kernel's link to it when it has none any more. */
export function ownDirectory(): string {
  try {
    const name = process.cwd();
    if (existsSync(name)) return name;
  } catch {
    // A process that was started in a directory without a name never had one.
  }
  return `/proc/${process.pid}/cwd`;
}
