export { defineCommand, flag, list, required, text } from './command.js';
export type {
  Command,
  CommandContext,
  CommandEntry,
  CommandGroup,
  CommandServices,
  ExitCode,
} from './command.js';
export { readManifests } from './load-manifests.js';
export { main } from './main.js';
export type { MainOptions } from './main.js';
export { formatJson, formatTable, outputTo, standardStream, visible } from './output/index.js';
export type { Output } from './output/index.js';
