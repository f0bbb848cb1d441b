/** Global services: the records of a run's processes, names and nodes. */
export * from './state.ts';
export { step as stepGlobal } from './step.ts';
