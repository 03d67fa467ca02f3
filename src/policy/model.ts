import type { Cidr, IpVersion, PortRange } from '../net/index.js';
import type { Selector } from '../selector/index.js';

/**
 * What policy means here, whatever API wrote it: endpoints with labels, policies in ordered tiers that select
 * endpoints, profiles that endpoints name. Plain immutable data; a changed object is a new object.
 */
export type EndpointId = string & { readonly __brand: 'EndpointId' };
export type PolicyId = string & { readonly __brand: 'PolicyId' };
export type ProfileId = string & { readonly __brand: 'ProfileId' };
export type SetId = string & { readonly __brand: 'SetId' };

/** Towards the endpoint, or away from it. */
export type Direction = 'ingress' | 'egress';

/**
 * Where a packet meets the policies of a host endpoint: before connection tracking, before destination NAT, on
 * its way through the host, and, `normal`, to or from the host itself. Workloads have only `normal`.
 */
export type Stage = 'untracked' | 'pre-dnat' | 'forward' | 'normal';

export type Labels = Readonly<Record<string, string>>;

export interface Endpoint {
  readonly id: EndpointId;
  readonly kind: 'workload' | 'host';
  /** name of the node it lives on */
  readonly node: string;
  /** its own labels; those of its profiles come on top when it is matched */
  readonly labels: Labels;
  /** in order of evaluation */
  readonly profiles: readonly ProfileId[];
  /** canonical addresses without length; empty for an endpoint that has none yet */
  readonly addresses: readonly string[];
  /** absent only for a host endpoint that is found by its addresses */
  readonly interfaceName?: string;
  readonly mac?: string;
  /** a workload's router of its own in IPv6, for which its host answers; canonical */
  readonly ipv6Gateway?: string;
  readonly adminUp: boolean;
  /** ports that rules may call by a name; several may have the same */
  readonly ports?: readonly NamedPort[];
  /** other addresses that lead to it; policy sees its own */
  readonly floating?: readonly FloatingAddress[];
}

/** An address outside that stands for one of the endpoint's own, of the same family; both canonical. */
export interface FloatingAddress {
  readonly external: string;
  readonly internal: string;
}

/** A port of an endpoint under a name. */
export interface NamedPort {
  readonly name: string;
  /** IP protocol number */
  readonly protocol: number;
  readonly port: number;
}

export type Action = 'allow' | 'deny' | 'log' | 'pass';

/**
 * What a rule matches on; all that is present must hold. One flat field for each criterion, so that each
 * consumer (evaluator, compiler) is a table with one entry a field, and a forgotten field does not compile.
 * Lists are never empty. Protocols 1 and 58 and `icmp` imply their family: 1 never matches in IPv6, 58 never
 * in IPv4. A list of networks, positive or negated, without one of the packet's family does not match. Of
 * ports by number and by name in one direction, positive, one has to match.
 */
export interface RuleMatch {
  readonly ipVersion?: IpVersion;
  readonly protocol?: number;
  readonly notProtocol?: number;
  /** ICMP in IPv4, ICMPv6 in IPv6, with this type and, where given, code */
  readonly icmp?: IcmpMatch;
  /** also only ICMP (of the family), with another type or, where given, another code */
  readonly notIcmp?: IcmpMatch;
  readonly sourceNets?: readonly Cidr[];
  readonly notSourceNets?: readonly Cidr[];
  readonly sourceSelector?: Selector;
  readonly notSourceSelector?: Selector;
  readonly sourceTag?: string;
  readonly notSourceTag?: string;
  readonly sourcePorts?: readonly PortRange[];
  readonly notSourcePorts?: readonly PortRange[];
  /** the source has one of these ports, so called by an endpoint with the source's address */
  readonly sourcePortNames?: readonly string[];
  readonly notSourcePortNames?: readonly string[];
  readonly destinationNets?: readonly Cidr[];
  readonly notDestinationNets?: readonly Cidr[];
  readonly destinationSelector?: Selector;
  readonly notDestinationSelector?: Selector;
  readonly destinationTag?: string;
  readonly notDestinationTag?: string;
  readonly destinationPorts?: readonly PortRange[];
  readonly notDestinationPorts?: readonly PortRange[];
  readonly destinationPortNames?: readonly string[];
  readonly notDestinationPortNames?: readonly string[];
}

export interface IcmpMatch {
  readonly type: number;
  readonly code?: number;
}

export interface Rule {
  readonly action: Action;
  readonly match: RuleMatch;
}

/** Rules by direction: what policies and profiles have in common. */
export interface Rules {
  readonly ingress: readonly Rule[];
  readonly egress: readonly Rule[];
}

export interface Policy extends Rules {
  readonly id: PolicyId;
  /** the tier it is in; v1 has just `default` */
  readonly tier: string;
  /** ascending; absent is last; ties by id in byte order */
  readonly order?: number;
  readonly selector: Selector;
  /** the directions that it decides: a v1 policy both, even with an empty rule list */
  readonly types: readonly Direction[];
  /** the stages of host endpoints at which it decides; absent: `normal`, the only one that workloads have */
  readonly stages?: readonly Stage[];
}

export interface Profile extends Rules {
  readonly id: ProfileId;
  readonly tags: readonly string[];
  /** inherited by the endpoints that name the profile; the endpoint's own label wins */
  readonly labels: Labels;
}

/** A range of addresses that belongs to us: what leaves it by NAT, and for where. */
export interface Pool {
  readonly cidr: Cidr;
  readonly natOutgoing: boolean;
}

/** One change of the model. Any order of arrival gives the same result. */
export type ModelChange =
  | { readonly kind: 'endpoint'; readonly id: EndpointId; readonly endpoint: Endpoint | undefined }
  | { readonly kind: 'policy'; readonly id: PolicyId; readonly policy: Policy | undefined }
  | { readonly kind: 'profile'; readonly id: ProfileId; readonly profile: Profile | undefined }
  /** `id` is the CIDR's canonical text */
  | { readonly kind: 'pool'; readonly id: string; readonly pool: Pool | undefined };
