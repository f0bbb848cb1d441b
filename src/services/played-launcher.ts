/**
 * A launcher that runs nothing but the services, for tests: it is told over its IPC channel
 * what happens to processes, and tells what the services ask of their spawner.
 *
 *     fork(this file, [runtime directory])
 */
import { Node } from '../core/index.ts';
import { type Services, startServices } from './index.ts';
import { HEAD_PID, type Order, type Report } from './played-orders.ts';

function report(what: Report): void {
  process.send?.(what);
}

function obey(services: Services, order: Order): void {
  if (order.kind === 'exited') return services.processExited(order.pid, order.status);
  void services.teardown({ patienceMs: order.patienceMs }).then(() => report({ kind: 'halted' }));
}

const [dir = ''] = process.argv.slice(2);
const node = Node.create({ dir });
let lastPid = HEAD_PID;
const services = startServices({
  node,
  spawner: {
    spawn: async (request) => {
      const pid = ++lastPid;
      report({ kind: 'spawn', pid, request });
      return { pid };
    },
    signal: (pid, signal) => report({ kind: 'signal', pid, signal }),
  },
  program: { exe: '/bin/node', flags: ['--flag'], entry: '/main.js' },
  environment: { DRAGON_RUNTIME_DIR: dir },
  log: (level, text) => {
    if (level === 'error') process.stderr.write(`${text}\n`);
  },
});
services.registerHead({ pid: HEAD_PID, label: 'head' });
process.on('message', (order) => obey(services, order as Order));
process.on('disconnect', () => process.exit());
report({ kind: 'up' });
