import type { ExitCode } from '../command.js';
import type { Output } from '../output/index.js';

/** What a command says whose usage is settled and whose work is not written yet. */
export function notAvailable(out: Output, path: readonly string[]): ExitCode {
  out.line(`Error executing command: 'calicoctl ${path.join(' ')}' is not available in this version yet`);
  return 1;
}
