import type { Endpoint, EndpointId } from './model.js';
import type { IpVersion } from '../net/index.js';

/** The first packet of a new connection. */
export interface Packet {
  readonly ipVersion: IpVersion;
  /** IP protocol number */
  readonly protocol: number;
  /** addresses in any accepted form */
  readonly source: string;
  readonly destination: string;
  /** given exactly for protocols that have ports */
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  /** given exactly for ICMP and ICMPv6 */
  readonly icmpType?: number;
  readonly icmpCode?: number;
  /** where it starts and ends, when the addresses do not tell (a spoofed source, a host without known addresses) */
  readonly from?: Place;
  readonly to?: Place;
  /** the interfaces by which it enters and leaves hosts, where known; the hosts that it just crosses */
  readonly hops?: readonly Hop[];
}

/** A host on the way, with the interface where the packet enters it and that where it leaves it. */
export interface Hop {
  readonly node: string;
  readonly in?: string;
  readonly out?: string;
}

/** An endpoint, or the processes of a host. */
export type Place = EndpointId | { readonly host: string };

/** What is at one end of a packet's way. */
export type Located =
  | { readonly kind: 'workload'; readonly endpoint: Endpoint }
  /** an interface of ours for which no endpoint is known */
  | { readonly kind: 'unknown'; readonly id: EndpointId }
  | { readonly kind: 'host'; readonly node: string }
  | { readonly kind: 'outside' };
