import { CalicoError } from '../../../base/index.js';
import { canonicalIp } from '../../../net/index.js';

/** The canonical form of `--ip`; `invalid` in the original's words. */
export function addressOption(text: string): string {
  const address = canonicalIp(text);
  if (address === undefined) throw new CalicoError('invalid', `invalid IP address specified: ${text}`);
  return address;
}
