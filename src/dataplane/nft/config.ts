import type { Cidr } from '../../net/index.js';

/** A port of the host that no policy closes, so that a wrong policy cannot lock the operator out. */
export interface FailsafePort {
  readonly protocol: 6 | 17;
  readonly port: number;
  /** only from, or to, this network; absent: any */
  readonly net?: Cidr;
}

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
}

const tcp = (port: number): FailsafePort => ({ protocol: 6, port });
const udp = (port: number): FailsafePort => ({ protocol: 17, port });

/** The defaults of spec policy-enforcement 1.4 to 1.8. */
export const defaultNftConfig: NftConfig = {
  interfacePrefixes: ['cali'],
  endpointToHostAction: 'drop',
  allowDhcpDnsToHost: true,
  dropInvalid: true,
  failsafeInbound: [tcp(22), udp(68), ...[179, 2379, 2380, 5473, 6443, 6666, 6667].map(tcp)],
  failsafeOutbound: [udp(53), udp(67), ...[179, 2379, 2380, 4001, 5473, 6443, 6666, 6667, 7001].map(tcp)],
};
