import type { Issue } from '../base/index.js';
import { formatIp } from '../net/index.js';
import type { Ip } from '../net/index.js';

/** What the kernel takes as a key of a TCP MD5 signature (RFC 2385), and BIRD inside quotes. */
const PASSWORD = /^[\u0020\u0021\u0023-\u007e]{1,80}$/;

/** A password that was set and can be used, none, or one that cannot be used and was reported. */
export type Password = { readonly usable: true; readonly text?: string } | { readonly usable: false };

/** The settings of the component `bgp`: `mesh_password`, and `peer_password/<address>` for a peer. */
export interface PasswordSources {
  readonly settings: ReadonlyMap<string, string>;
  /** those of this node come first */
  readonly nodeSettings?: ReadonlyMap<string, string>;
}

/** The password of the sessions of the mesh. */
export function meshPassword(sources: PasswordSources, issues: Issue[]): Password {
  return read('mesh_password', sources, issues);
}

/** The password of the sessions to a peer. */
export function peerPassword(sources: PasswordSources, peer: Ip, issues: Issue[]): Password {
  return read(`peer_password/${formatIp(peer)}`, sources, issues);
}

function read(name: string, { settings, nodeSettings }: PasswordSources, issues: Issue[]): Password {
  const text = nodeSettings?.get(name) ?? settings.get(name);
  if (text === undefined || text === '') return { usable: true };
  if (PASSWORD.test(text)) return { usable: true, text };
  // Never the text itself: it is nearly the secret.
  issues.push({
    path: `config.bgp.${name}`,
    value: '(not shown)',
    expected: '1 to 80 printable ASCII characters other than "; the sessions are left out meanwhile',
  });
  return { usable: false };
}
