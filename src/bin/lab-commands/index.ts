import type { CommandEntry, CommandGroup } from '../../cli/index.js';

/** The lab's commands for calicoctl's table; a module is loaded only when its command was chosen. */
export const labCommands: readonly CommandEntry[] = [
  { path: ['lab', 'up'], load: async () => (await import('./up.js')).labUpCommand },
  { path: ['lab', 'down'], load: async () => (await import('./down.js')).labDownCommand },
  { path: ['lab', 'status'], load: async () => (await import('./status.js')).labStatusCommand },
  { path: ['lab', 'exec'], load: async () => (await import('./exec.js')).labExecCommand },
  { path: ['lab', 'connect'], load: async () => (await import('./connect.js')).labConnectCommand },
  { path: ['lab', 'fault'], load: async () => (await import('./fault.js')).labFaultCommand },
  { path: ['lab', 'stop'], load: async () => (await import('./power.js')).labStopCommand },
  { path: ['lab', 'start'], load: async () => (await import('./power.js')).labStartCommand },
  { path: ['lab', 'measure'], load: async () => (await import('./measure.js')).labMeasureCommand },
];

export const labGroup: CommandGroup = {
  name: 'lab',
  summary: 'A network of hosts on this machine, to see Calico at work and to try policy.',
  loadHelp: async () => (await import('./help.js')).labGroupHelp,
};
