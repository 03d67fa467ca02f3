import { formatCidr, parseCidr } from '../net/index.js';
import type { Cidr } from '../net/index.js';
import { asObject, wrong } from './json.js';
import type { Json } from './json.js';

/** The IPAM plugin that is part of the agent; any other is a program. */
export const ownIpam = 'calico-ipam';

/** The `ipam` section of a network configuration, checked. */
export interface IpamSection {
  /** name of the plugin */
  readonly type: string;
  /** how many addresses of each version; `calico-ipam` only */
  readonly count: { readonly 4: number; readonly 6: number };
  /** undefined: all enabled pools; `calico-ipam` only */
  readonly pools: readonly Cidr[] | undefined;
  /** canonical destinations that take the place of the default routes; undefined: those */
  readonly routes: readonly string[] | undefined;
}

/** Reads the section; fails with code 7. */
export function parseIpamSection(ipam: Json): IpamSection {
  const type = typeOf(ipam['type'] ?? ownIpam);
  // The keys of another plugin mean what it says they do.
  const isOwn = type === ownIpam;
  return {
    type,
    count: isOwn ? countOf(ipam) : { 4: 0, 6: 0 },
    pools: isOwn ? poolsOf(ipam) : undefined,
    routes: routesOf(ipam['routes']),
  };
}

function typeOf(type: unknown): string {
  // It becomes part of a path; and the network plugin would ask itself.
  if (typeof type === 'string' && type !== 'calico' && /^[a-zA-Z0-9_-][a-zA-Z0-9_.-]*$/.test(type))
    return type;
  throw wrong('ipam.type', type, `"${ownIpam}" or the name of another IPAM plugin`);
}

function countOf(ipam: Json): IpamSection['count'] {
  const asked = (name: string, otherwise: boolean): number => {
    const value = ipam[name] ?? otherwise;
    // Calico takes the texts "true" and "false"; real booleans are what everybody tries first.
    if (value === true || value === 'true') return 1;
    if (value === false || value === 'false') return 0;
    throw wrong(`ipam.${name}`, value, '"true" or "false"');
  };
  const count = { 4: asked('assign_ipv4', true), 6: asked('assign_ipv6', false) };
  if (count[4] + count[6] === 0) {
    throw wrong(
      'ipam.assign_ipv4',
      ipam['assign_ipv4'],
      'at least one of assign_ipv4 and assign_ipv6 to be "true"',
    );
  }
  return count;
}

function poolsOf(ipam: Json): readonly Cidr[] | undefined {
  const read = (name: string, version: 4 | 6): readonly Cidr[] => {
    const list = ipam[name] ?? [];
    if (!Array.isArray(list)) throw wrong(`ipam.${name}`, list, 'a list of CIDRs');
    return list.map((text: unknown, index) => {
      const cidr = typeof text === 'string' ? parseCidr(text) : undefined;
      if (cidr?.version !== version)
        throw wrong(`ipam.${name}[${String(index)}]`, text, `an IPv${String(version)} CIDR`);
      return cidr;
    });
  };
  const pools = [...read('ipv4_pools', 4), ...read('ipv6_pools', 6)];
  return pools.length === 0 ? undefined : pools;
}

/** `[{"dst": CIDR}]`; a gateway is ignored, as there is only one way out. */
function routesOf(routes: unknown): readonly string[] | undefined {
  if (routes === undefined || routes === null) return undefined;
  if (!Array.isArray(routes)) throw wrong('ipam.routes', routes, 'a list of {"dst": CIDR}');
  if (routes.length === 0) return undefined;
  return routes.map((route: unknown, index) => {
    const dst = asObject(route)?.['dst'];
    const cidr = typeof dst === 'string' ? parseCidr(dst) : undefined;
    if (cidr === undefined) throw wrong(`ipam.routes[${String(index)}].dst`, dst, 'a CIDR');
    return formatCidr(cidr);
  });
}
