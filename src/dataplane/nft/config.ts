import { defaultFailsafePorts } from '../../policy/index.js';
import type { FailsafePort } from '../../policy/index.js';

export type { FailsafePort };

/** What the host's own configuration says about the ruleset; changing it takes a new driver. */
export interface NftConfig {
  /** interfaces whose name starts so are workloads': closed unless we know better */
  readonly interfacePrefixes: readonly string[];
  /** traffic from a workload to its host, after the workload's egress policy has allowed it */
  readonly endpointToHostAction: 'drop' | 'accept' | 'return';
  /** DHCP and DNS from a workload to its host pass before policy */
  readonly allowDhcpDnsToHost: boolean;
  /** drop what connection tracking calls invalid; off for asymmetric paths */
  readonly dropInvalid: boolean;
  readonly failsafeInbound: readonly FailsafePort[];
  readonly failsafeOutbound: readonly FailsafePort[];
  /** the one bit of packets' marks that is ours, used only while a policy is preDNAT */
  readonly preDnatMark: number;
  /** UDP port that VXLAN packets between hosts come to */
  readonly vxlanPort: number;
}

/** The defaults of spec policy-enforcement 1.4 to 1.8. */
export const defaultNftConfig: NftConfig = {
  interfacePrefixes: ['cali'],
  endpointToHostAction: 'drop',
  allowDhcpDnsToHost: true,
  dropInvalid: true,
  failsafeInbound: defaultFailsafePorts.inbound,
  failsafeOutbound: defaultFailsafePorts.outbound,
  preDnatMark: 0x0100_0000,
  vxlanPort: 4789,
};
