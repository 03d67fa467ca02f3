import type { Output } from '../../output/index.js';

/** Whether the commands of a host may run: on Linux, by root. Says why where they may not. */
export function mayManageNode(out: Output): boolean {
  if (process.platform !== 'linux') {
    out.line("Error executing command: 'calicoctl node' commands are not available on this OS");
    return false;
  }
  if (process.getuid?.() === 0) return true;
  out.line('Need super user privileges: Operation not permitted');
  return false;
}
