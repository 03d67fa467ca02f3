export { startAgent } from './agent.js';
export type { Agent, AgentContext } from './agent.js';
export { readAgentConfig } from './config.js';
export type { AgentConfig, Environment } from './config.js';
export { createLogger } from './log.js';
