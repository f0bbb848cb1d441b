/** Local services: they carry out on one node what global services decide. */
export * from './spawner.ts';
export * from './state.ts';
export { step as stepLocal } from './step.ts';
