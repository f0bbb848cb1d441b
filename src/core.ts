/** `dragon-runtime/core`: the objects of `core/`, and the node that the calling process is on. */
import { provideNode } from './core/node.ts';
import { getRuntime } from './runtime/client/index.ts';

export * from './core/index.ts';

provideNode(() => getRuntime().node);
