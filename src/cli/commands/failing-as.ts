import { isCalicoError } from '../../base/index.js';
import type { ExitCode } from '../command.js';
import { visible } from '../output/index.js';
import type { Output } from '../output/index.js';

/** Does a command's work; a failure of the outside world becomes one line behind `prefix`, and exit code `code`. */
export async function failingAs(
  { prefix, out, code = 1 }: { readonly prefix: string; readonly out: Output; readonly code?: ExitCode },
  work: () => Promise<ExitCode>,
): Promise<ExitCode> {
  try {
    return await work();
  } catch (error) {
    if (!isCalicoError(error)) throw error;
    out.line(visible(`${prefix}: ${error.message}`));
    return code;
  }
}
