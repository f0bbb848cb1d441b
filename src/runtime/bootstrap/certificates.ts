// Reads the file of NODE_EXTRA_CA_CERTS when the process first needs certificates. Node 20 reads it
// at its start, which takes longer than all the rest of that, and most processes never need it.
// Non-goals: which processes are started so (`services/local/interpreter.ts`).
import { subscribe } from 'node:diagnostics_channel';
import { join } from 'node:path';

interface SecureContext {
  addRootCerts(): void;
}

interface Reader {
  readCertificates(path: string): void;
}

/** What is found under the package's root, from where this is bundled to. */
const addon = join(__dirname, '..', '..', '..', 'build', 'Release', 'dragon_native.node');

export function readCertificatesLater(): void {
  const path = process.env['DRAGON_EXTRA_CA_CERTS'];
  if (path === undefined) return;
  delete process.env['DRAGON_EXTRA_CA_CERTS'];
  process.env['NODE_EXTRA_CA_CERTS'] = path;
  const { prototype } = secureContext();
  const original = prototype.addRootCerts;
  const read = (): void => {
    if (prototype.addRootCerts === original) return;
    prototype.addRootCerts = original;
    (require(addon) as Reader).readCertificates(path);
  };
  prototype.addRootCerts = function addRootCerts(): void {
    read();
    original.call(this);
  };
  // A thread has contexts of its own, over certificates that the process has once.
  subscribe('worker_threads', read);
}

/** The class behind every TLS context. Every other way to it loads all of TLS. */
function secureContext(): { readonly prototype: SecureContext } {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    const { binding } = process as unknown as { binding(name: string): object };
    return (binding('crypto') as { SecureContext: { prototype: SecureContext } }).SecureContext;
  } finally {
    process.emitWarning = emitWarning;
  }
}
