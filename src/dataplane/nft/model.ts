import type { Cidr, IpVersion, PortRange } from '../../net/index.js';

/**
 * Our table as plain data: what the compiler makes, the diff compares, and an applier (text today, netlink
 * behind the same interface) writes. Values are typed here; how they are spelled is text.ts's business.
 */
export type Side = 'source' | 'destination';

/** One condition of a rule; all of a rule's tests must hold. */
export type Test =
  | { readonly kind: 'family'; readonly version: IpVersion }
  | { readonly kind: 'protocol'; readonly protocol: number; readonly negated: boolean }
  /** ports of the transport header; the ranges are sorted and do not touch */
  | {
      readonly kind: 'ports';
      readonly side: Side;
      readonly ranges: readonly PortRange[];
      readonly negated: boolean;
    }
  /** the networks are sorted and do not overlap */
  | {
      readonly kind: 'nets';
      readonly side: Side;
      readonly version: IpVersion;
      readonly nets: readonly Cidr[];
      readonly negated: boolean;
    }
  /** the address, cut to `length` bits, is an element of the set */
  | {
      readonly kind: 'in-set';
      readonly side: Side;
      readonly version: IpVersion;
      readonly set: string;
      readonly length: number;
      readonly negated: boolean;
    }
  /** address, protocol and port of that side together are an element of the set; only beside a protocol with ports */
  | {
      readonly kind: 'port-in-set';
      readonly side: Side;
      readonly version: IpVersion;
      readonly set: string;
      readonly negated: boolean;
    }
  /** type, and code where given, of an ICMP or ICMPv6 header; negated: not (that type with that code) */
  | { readonly kind: 'icmp'; readonly type: number; readonly code?: number; readonly negated: boolean }
  | { readonly kind: 'icmp-types'; readonly types: readonly number[] }
  /** the interface's name starts with the prefix */
  | { readonly kind: 'interface-prefix'; readonly side: 'in' | 'out'; readonly prefix: string }
  /** the incoming interface is an element of the set */
  | { readonly kind: 'interface-in-set'; readonly set: string }
  /** the outgoing interface has that name */
  | { readonly kind: 'out-interface'; readonly name: string }
  /** the source is an address of this host; `outgoing`: of the interface by which the packet leaves */
  | { readonly kind: 'local-source'; readonly of: 'host' | 'outgoing'; readonly negated: boolean }
  /** there is no outgoing interface: the packet is for this host */
  | { readonly kind: 'no-output-interface' }
  /** there is an incoming interface: the packet is not from this host */
  | { readonly kind: 'input-interface' }
  /** source address and incoming interface together are an element of the set */
  | { readonly kind: 'source-on-interface'; readonly version: IpVersion; readonly set: string }
  /** the connection is in one of the states; negated: in none of them */
  | { readonly kind: 'conntrack'; readonly states: readonly ConntrackState[]; readonly negated: boolean }
  /** all of those bits are set in the packet's mark; negated: not all */
  | { readonly kind: 'mark'; readonly bits: number; readonly negated: boolean }
  /** at most so many packets in a unit of time, after a burst; the others do not pass the test */
  | { readonly kind: 'rate'; readonly count: number; readonly per: RateUnit; readonly burst: number };

/** A rate's unit of time, by the word that operators write; in seconds. */
export const rateUnits = { second: 1, minute: 60, hour: 3600, day: 86_400 } as const;

export type RateUnit = keyof typeof rateUnits;

export type ConntrackState = 'established' | 'related' | 'invalid' | 'untracked';

export type Verdict =
  | { readonly kind: 'accept' | 'drop' | 'return' }
  | { readonly kind: 'goto' | 'jump'; readonly chain: string };

/** What a map is looked up by. */
export type DispatchKey = 'in-interface' | 'out-interface' | 'protocol-and-port';

export type Statement =
  | Verdict
  /** to the kernel's log at that level, or to those who listen to a netlink group; goes on with the next rule */
  | {
      readonly kind: 'log';
      readonly prefix: string;
      readonly level?: LogLevel;
      readonly group?: number;
    }
  /** counts in a counter of the table; goes on with the next rule */
  | { readonly kind: 'count'; readonly counter: string }
  | { readonly kind: 'masquerade' }
  /** gives the connection another destination: an address of the version, and a port where one is given */
  | {
      readonly kind: 'dnat';
      readonly version: IpVersion;
      readonly address: string;
      readonly port?: number;
    }
  /** gives the connection another source */
  | { readonly kind: 'snat'; readonly version: IpVersion; readonly address: string }
  /** connection tracking shall not look at the packet; goes on with the next rule */
  | { readonly kind: 'notrack' }
  /** sets bits of the packet's mark, leaves the others; goes on with the next rule */
  | { readonly kind: 'set-mark'; readonly bits: number }
  /** the verdict that the map holds for the packet; none: the next rule */
  | { readonly kind: 'dispatch'; readonly key: DispatchKey; readonly map: string };

/** A severity of syslog. */
export type LogLevel = 'warn' | 'notice';

export interface Rule {
  readonly tests: readonly Test[];
  readonly statement: Statement;
  /** for people, as the user wrote it: made safe when it is rendered */
  readonly comment: string;
  /** stands for all of the above; see makeRule */
  readonly fingerprint: string;
}

export interface BaseChain {
  readonly type: 'filter' | 'nat';
  readonly hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';
  readonly priority: number;
}

export interface Chain {
  readonly name: string;
  /** present when the kernel calls it; its policy is always accept */
  readonly base?: BaseChain;
  readonly rules: readonly Rule[];
}

export type KeyField = 'ipv4_addr' | 'ipv6_addr' | 'ifname' | 'inet_proto' | 'inet_service';

/** A set, or a verdict map when `verdicts`. What it is never changes under one name; its elements do. */
export interface NftSet {
  readonly name: string;
  readonly key: readonly KeyField[];
  readonly verdicts: boolean;
  /** elements are networks that do not overlap */
  readonly intervals?: boolean;
  /** most elements that it will ever hold: only where that is certain */
  readonly size?: number;
}

/** The key's fields in canonical text joined by ` . `: `10.65.0.10 . calia1`. */
export type ElementKey = string;

/** `null` for a member of a plain set. */
export type ElementValue = Verdict | null;

export type Elements = ReadonlyMap<ElementKey, ElementValue>;

/** The whole table `inet calico`. */
export interface Ruleset {
  readonly sets: ReadonlyMap<string, NftSet>;
  readonly chains: ReadonlyMap<string, Chain>;
  /** by name of the set or map; one without elements may be missing */
  readonly elements: ReadonlyMap<string, Elements>;
  /** names; what they have counted is kept as long as they are there */
  readonly counters: ReadonlySet<string>;
}

/**
 * What a read-back shows of a table: of each rule only the fingerprint that it carries, because the kernel's
 * spelling of a rule is not ours.
 */
export interface RulesetSnapshot {
  readonly sets: ReadonlyMap<string, NftSet>;
  readonly chains: ReadonlyMap<string, ChainSnapshot>;
  readonly elements: ReadonlyMap<string, Elements>;
  readonly counters: ReadonlySet<string>;
}

/** What a counter has counted. */
export interface Count {
  readonly packets: number;
  readonly bytes: number;
}

export interface ChainSnapshot {
  readonly base?: BaseChain;
  readonly fingerprints: readonly string[];
}
