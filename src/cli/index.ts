export { defineCommand, flag, list, required, text } from './command.js';
export type { CommandContext, CommandEntry, CommandGroup } from './command.js';
export { readDocument, readManifests } from './load-manifests.js';
export { main } from './main.js';
export { formatTable, isTerminal, standardStream, visible } from './output/index.js';
export type { Output } from './output/index.js';
