import { parseIp } from '../net/index.js';
import { asList } from './json.js';
import type { Json } from './json.js';
import type { CniVersion } from './versions.js';

/** What an ADD made, before it takes the form of a version. */
export interface CniResult {
  /** canonical, without length; version 4 first */
  readonly addresses: readonly string[];
  /** as an IPAM plugin answered it */
  readonly dns?: Json | undefined;
  /** the answer of the plugins before this one, which is kept and added to */
  readonly previous?: Json;
  /** absent in the answer of an IPAM plugin */
  readonly link?: {
    readonly hostName: string;
    readonly hostMac: string;
    readonly containerName: string;
    readonly containerMac: string;
    readonly mtu: number;
    readonly netns: string;
  };
}

/** The answer to ADD in the form of that version of the specification (integrations.md A.7). */
export function formatResult(cniVersion: CniVersion, result: CniResult): string {
  const json =
    cniVersion === '0.1.0' || cniVersion === '0.2.0'
      ? oneEach(cniVersion, result)
      : lists(cniVersion, result);
  return `${JSON.stringify(json)}\n`;
}

/** `address/32` or `address/128`. */
export function hostNetworkOf(address: string): string {
  return `${address}/${parseIp(address)?.version === 4 ? '32' : '128'}`;
}

/** Before 0.3.0: one address of each family. */
function oneEach(cniVersion: CniVersion, { addresses, dns = {} }: CniResult): object {
  const first = (version: 4 | 6): object => {
    const address = addresses.find(each => parseIp(each)?.version === version);
    return address === undefined ? {} : { [`ip${String(version)}`]: { ip: hostNetworkOf(address) } };
  };
  // 0.1.0 has no member for the version.
  return { ...(cniVersion === '0.1.0' ? {} : { cniVersion }), ...first(4), ...first(6), dns };
}

function lists(cniVersion: CniVersion, { addresses, link, dns, previous = {} }: CniResult): object {
  const mtu = cniVersion === '1.1.0' && link !== undefined ? { mtu: link.mtu } : {};
  const before = asList(previous['interfaces']);
  const interfaces = link && [
    ...before,
    { name: link.hostName, mac: link.hostMac, ...mtu },
    { name: link.containerName, mac: link.containerMac, ...mtu, sandbox: link.netns },
  ];
  const withVersion = cniVersion.startsWith('0.');
  const ips = addresses.map(address => ({
    ...(withVersion ? { version: String(parseIp(address)?.version) } : {}),
    ...(link === undefined ? {} : { interface: before.length + 1 }),
    address: hostNetworkOf(address),
  }));
  return {
    ...previous,
    cniVersion,
    ...(interfaces === undefined ? {} : { interfaces }),
    ips: [...asList(previous['ips']), ...ips],
    dns: dns ?? previous['dns'] ?? {},
  };
}
