export { createEndpointPlumbing } from './driver.js';
export type { EndpointPlumbing } from './driver.js';
export { HostEndpointStates } from './host-states.js';
export { configureWorkloadInterface } from './settings.js';
export type { EndpointState } from './state.js';
