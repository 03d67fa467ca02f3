export { defineCommand, list, required, text } from './command.js';
export type { CommandEntry, CommandGroup } from './command.js';
export { readManifests } from './load-manifests.js';
export { main } from './main.js';
export { formatTable, isTerminal, standardStream } from './output/index.js';
export type { Output } from './output/index.js';
