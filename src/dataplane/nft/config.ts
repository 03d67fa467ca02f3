import { defaultFailsafePorts } from '../../policy/index.js';
import type { FailsafePort } from '../../policy/index.js';
import type { RateUnit } from './model.js';

export type { FailsafePort };

/** What the host's own configuration says about the ruleset; changing it takes a new driver. */
export interface NftConfig {
  /** interfaces whose name starts so are workloads': closed unless we know better */
  readonly interfacePrefixes: readonly string[];
  /** traffic from a workload to its host, after the workload's egress policy has allowed it */
  readonly endpointToHostAction: 'drop' | 'accept' | 'return';
  /** DHCP and DNS from a workload to its host pass before policy */
  readonly allowDhcpDnsToHost: boolean;
  /** off: nothing of IPv6 passes from or to workloads, and they have no routes */
  readonly ipv6: boolean;
  /** where workloads' requests to 169.254.169.254 port 80 go, and what they always reach; undefined: nowhere */
  readonly metadata: MetadataService | undefined;
  /** drop what connection tracking calls invalid; off for asymmetric paths */
  readonly dropInvalid: boolean;
  readonly failsafeInbound: readonly FailsafePort[];
  readonly failsafeOutbound: readonly FailsafePort[];
  /** what takes the place of every drop; the `accept` variants switch all policy off */
  readonly dropActionOverride: 'drop' | 'accept' | 'log-and-drop' | 'log-and-accept';
  /** how a line of the action `log` begins; see logPrefix */
  readonly logPrefix: string;
  /** netlink group to which packets are logged; undefined: the kernel's log */
  readonly logGroup: number | undefined;
  /** most packets that one rule logs; undefined: all */
  readonly logRateLimit: { readonly count: number; readonly per: RateUnit } | undefined;
  readonly logRateBurst: number;
  /** the one bit of packets' marks that is ours, used only while a policy is preDNAT */
  readonly preDnatMark: number;
  /** policy decides over what workloads wrap themselves; off: it is dropped */
  readonly allowIpipFromWorkloads: boolean;
  readonly allowVxlanFromWorkloads: boolean;
  /** UDP port that VXLAN packets between hosts come to */
  readonly vxlanPort: number;
}

/** A service over TCP; the address is of IPv4. */
export interface MetadataService {
  readonly address: string;
  readonly port: number;
}

/** The defaults of spec policy-enforcement 1.4 to 1.8. */
export const defaultNftConfig: NftConfig = {
  interfacePrefixes: ['cali'],
  endpointToHostAction: 'drop',
  allowDhcpDnsToHost: true,
  ipv6: true,
  metadata: undefined,
  dropInvalid: true,
  failsafeInbound: defaultFailsafePorts.inbound,
  failsafeOutbound: defaultFailsafePorts.outbound,
  dropActionOverride: 'drop',
  logPrefix: 'calico-packet',
  logGroup: undefined,
  logRateLimit: undefined,
  logRateBurst: 5,
  preDnatMark: 0x0100_0000,
  allowIpipFromWorkloads: false,
  allowVxlanFromWorkloads: false,
  vxlanPort: 4789,
};
