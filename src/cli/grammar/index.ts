export { parseArguments } from './parse-arguments.js';
export type { ArgumentValues } from './parse-arguments.js';
export { parseGrammar, usageSection } from './usage-text.js';
export type { Grammar } from './usage-text.js';
