import type { CommandEntry, CommandGroup } from '../command.js';

/** Every command of this front end; a module is loaded only when its command was chosen. */
export const commandEntries: readonly CommandEntry[] = [
  { path: ['create'], load: async () => (await import('./create.js')).createCommand },
  { path: ['replace'], load: async () => (await import('./replace.js')).replaceCommand },
  { path: ['apply'], load: async () => (await import('./apply.js')).applyCommand },
  { path: ['delete'], load: async () => (await import('./delete.js')).deleteCommand },
  { path: ['get'], load: async () => (await import('./get.js')).getCommand },
  { path: ['config'], load: async () => (await import('./config.js')).configCommand },
  { path: ['ipam', 'release'], load: async () => (await import('./ipam/release.js')).ipamReleaseCommand },
  { path: ['ipam', 'show'], load: async () => (await import('./ipam/show.js')).ipamShowCommand },
  { path: ['ipam', 'check'], load: async () => (await import('./ipam/check.js')).ipamCheckCommand },
  {
    path: ['ipam', 'configure'],
    load: async () => (await import('./ipam/configure.js')).ipamConfigureCommand,
  },
  { path: ['node', 'run'], load: async () => (await import('./node/run.js')).nodeRunCommand },
  { path: ['node', 'status'], load: async () => (await import('./node/status.js')).nodeStatusCommand },
  { path: ['node', 'diags'], load: async () => (await import('./node/diags.js')).nodeDiagsCommand },
  {
    path: ['node', 'checksystem'],
    load: async () => (await import('./node/checksystem.js')).nodeCheckSystemCommand,
  },
  { path: ['version'], load: async () => (await import('./version.js')).versionCommand },
  {
    path: ['diff'],
    summary: 'Show what apply would change.',
    load: async () => (await import('./diff.js')).diffCommand,
  },
  {
    path: ['history'],
    summary: 'Show who changed what, and when.',
    load: async () => (await import('./history.js')).historyCommand,
  },
  {
    path: ['rollback'],
    summary: 'Make everything what it was at a revision.',
    load: async () => (await import('./rollback.js')).rollbackCommand,
  },
  {
    path: ['validate'],
    summary: 'Check files of resources without a datastore.',
    load: async () => (await import('./validate.js')).validateCommand,
  },
  {
    path: ['explain'],
    summary: 'Tell what fields a kind of resource has.',
    load: async () => (await import('./explain.js')).explainCommand,
  },
  {
    path: ['completion'],
    summary: 'Print the script by which a shell completes command lines.',
    load: async () => (await import('./completion.js')).completionCommand,
  },
  { path: ['__complete'], load: async () => (await import('./complete.js')).completeCommand },
  {
    path: ['why'],
    summary: 'Explain what policy does with a packet, and which rule decides.',
    load: async () => (await import('./why.js')).whyCommand,
  },
];

/** First words with commands below them. */
export const commandGroups: readonly CommandGroup[] = [
  { name: 'ipam', loadHelp: async () => (await import('../help/ipam.js')).ipamHelp },
  { name: 'node', loadHelp: async () => (await import('../help/node.js')).nodeHelp },
];
