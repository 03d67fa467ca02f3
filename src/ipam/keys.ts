import { formatCidr, parseCidr } from '../net/index.js';
import type { Cidr } from '../net/index.js';

/** Pools of both versions are below it. */
export const poolPrefix = '/calico/v1/ipam/';
/** Blocks, affinities, handles and the configuration are below it. */
export const ipamPrefix = '/calico/ipam/v2/';
export const blockPrefix = `${ipamPrefix}assignment/`;
export const ipamConfigKey = `${ipamPrefix}config`;
/** All reservations together, so that an assignment can hold on to them with one condition. */
export const reservationsKey = `${ipamPrefix}reservations`;
export const handlePrefix = `${ipamPrefix}handle/`;
/** Claims of all nodes are below it. */
export const affinitiesPrefix = `${ipamPrefix}host/`;

/** Key of the record that says who holds which address of a block. */
export function blockKey(cidr: Cidr): string {
  return `${blockPrefix}ipv${String(cidr.version)}/block/${pathOf(cidr)}`;
}

/** All affinities of a node are below it. */
export function affinityPrefix(node: string): string {
  return `${affinitiesPrefix}${node}/`;
}

/** Key of the record by which a node owns a block. */
export function affinityKey(node: string, cidr: Cidr): string {
  return `${affinityPrefix(node)}ipv${String(cidr.version)}/block/${pathOf(cidr)}`;
}

/** Key of the count of addresses that one owner holds in each block. */
export function handleKey(handle: string): string {
  return `${handlePrefix}${handle}`;
}

/** The block a block key speaks of; undefined for any other key. */
export function blockOfKey(key: string): Cidr | undefined {
  const match = /^\/calico\/ipam\/v2\/assignment\/ipv[46]\/block\/([^/]+)$/.exec(key);
  return match?.[1] === undefined ? undefined : cidrOfPath(match[1]);
}

/** Node and block of an affinity key; undefined for any other key. */
export function affinityOfKey(key: string): { readonly node: string; readonly cidr: Cidr } | undefined {
  const match = /^\/calico\/ipam\/v2\/host\/([^/]+)\/ipv[46]\/block\/([^/]+)$/.exec(key);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const cidr = cidrOfPath(match[2]);
  return cidr === undefined ? undefined : { node: match[1], cidr };
}

function pathOf(cidr: Cidr): string {
  return formatCidr(cidr).replace('/', '-');
}

function cidrOfPath(path: string): Cidr | undefined {
  return parseCidr(path.replace('-', '/'));
}
