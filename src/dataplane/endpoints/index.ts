export { createEndpointPlumbing } from './driver.js';
export type { EndpointPlumbing, EndpointPlumbingConfig, EndpointPlumbingParts } from './driver.js';
export { configureWorkloadInterface } from './settings.js';
export type { SettingOptions, SettingProblem } from './settings.js';
export type { EndpointState } from './state.js';
