import { compareText } from './order.js';
import type { Endpoint } from './model.js';

/** The interfaces of a host by name, each with the addresses that it owns: canonical, without length. */
export type HostInterfaces = ReadonlyMap<string, readonly string[]>;

/** A name holds whether or not there is such an interface; addresses are looked for only without a name. */
function interfacesOf({ interfaceName, addresses }: Endpoint, interfaces: HostInterfaces): readonly string[] {
  if (interfaceName !== undefined) return [interfaceName];
  return [...interfaces]
    .filter(([, owned]) => owned.some(address => addresses.includes(address)))
    .map(([name]) => name);
}

/**
 * Which host endpoints of one host claim which of its interfaces (policy-enforcement 4.3): the first of each
 * interface, in byte order of the ids, is in force there.
 */
export function claimsOnInterfaces(
  endpoints: Iterable<Endpoint>,
  interfaces: HostInterfaces,
): ReadonlyMap<string, readonly Endpoint[]> {
  const claims = new Map<string, Endpoint[]>();
  for (const endpoint of [...endpoints].sort((a, b) => compareText(a.id, b.id))) {
    for (const name of interfacesOf(endpoint, interfaces)) {
      claims.set(name, [...(claims.get(name) ?? []), endpoint]);
    }
  }
  return claims;
}
