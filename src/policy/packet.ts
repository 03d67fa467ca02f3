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
