export { startAgent } from './agent.js';
export type { Agent } from './agent.js';
export { readAgentConfig } from './config.js';
export type { AgentConfig } from './config.js';
export type { Environment } from './environment-reader.js';
export { localHostname, readLocalSettings } from './felix-config/index.js';
export { createLogger } from './log.js';
export type { AgentContext } from './wiring.js';
export type { AgentStatus } from './status.js';
