import { canonicalMac, formatIp, parseIp } from '../net/index.js';
import { asList, asObject, wrong } from './json.js';
import type { Json } from './json.js';

/** What an earlier ADD answered about one attachment. */
export interface PreviousResult {
  /** canonical, without length */
  readonly addresses: readonly string[];
  readonly host: PreviousInterface | undefined;
  readonly container: PreviousInterface | undefined;
}

interface PreviousInterface {
  readonly mac: string | undefined;
  readonly mtu: number | undefined;
}

/**
 * Reads a `prevResult` (0.3.0 and later). Other plugins of a chain may have added interfaces and addresses:
 * those of ours count only.
 */
export function parsePreviousResult(
  json: Json,
  names: { readonly ifName: string; readonly hostName: string },
): PreviousResult {
  const interfaces = asList(json['interfaces']).map(each => asObject(each) ?? {});
  const inContainer = (each: Json): boolean =>
    typeof each['sandbox'] === 'string' && each['sandbox'] !== '' && each['name'] === names.ifName;
  const own = interfaces.findIndex(inContainer);
  const host = interfaces.find(each => !inContainer(each) && each['name'] === names.hostName);
  if (own < 0)
    throw wrong('prevResult.interfaces', json['interfaces'], `the container's interface ${names.ifName}`);
  const addresses = asList(json['ips']).flatMap(each => {
    const { address, interface: index } = asObject(each) ?? {};
    if (index !== undefined && index !== own) return [];
    const ip = typeof address === 'string' ? parseIp(address.replace(/\/\d+$/, '')) : undefined;
    if (ip === undefined) throw wrong('prevResult.ips', address, 'an address with its length');
    return [formatIp(ip)];
  });
  if (addresses.length === 0) throw wrong('prevResult.ips', json['ips'], 'the addresses of the container');
  return { addresses, host: host && readInterface(host), container: readInterface(interfaces[own] ?? {}) };
}

function readInterface({ mac, mtu }: Json): PreviousInterface {
  return {
    mac: typeof mac === 'string' ? canonicalMac(mac) : undefined,
    mtu: typeof mtu === 'number' && mtu > 0 ? mtu : undefined,
  };
}
