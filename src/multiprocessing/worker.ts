/** The module that a pool's worker processes load: their target and all that it can receive. */
export { runPoolWorker } from './pool/worker.ts';
