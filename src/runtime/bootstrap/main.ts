// What every process of a run executes that runs JavaScript: the head, which is the program, and
// processes that were started to call a function. Its imports are few, since each start pays them.
// Non-goals: attaching to the runtime; a head that never asks for it never does.
import { readCertificatesLater } from './certificates.ts';
import { runHead } from './head.ts';
import { loadPackage } from './package.ts';
import { describeProcess, showSourcePositions } from './place.ts';

readCertificatesLater();
describeProcess();
if (process.env['DRAGON_ROLE'] === 'process') {
  const { runStartedProcess } = loadPackage();
  showSourcePositions();
  // Not awaited: whether the target's promise is ever settled is judged there.
  void runStartedProcess();
} else {
  showSourcePositions();
  runHead();
}
