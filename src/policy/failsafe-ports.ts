import type { Cidr } from '../net/index.js';

/** A port of the host that no policy closes, so that a wrong policy cannot lock the operator out. */
export interface FailsafePort {
  readonly protocol: 6 | 17;
  readonly port: number;
  /** only from, or to, this network; absent: any */
  readonly net?: Cidr;
}

/** By the direction of the connection, as the host sees it. */
export interface FailsafePorts {
  readonly inbound: readonly FailsafePort[];
  readonly outbound: readonly FailsafePort[];
}

const tcp = (port: number): FailsafePort => ({ protocol: 6, port });
const udp = (port: number): FailsafePort => ({ protocol: 17, port });

/** SSH, DHCP, DNS, BGP, etcd, and what Kubernetes and Typha need (policy-enforcement 1.6). */
export const defaultFailsafePorts: FailsafePorts = {
  inbound: [tcp(22), udp(68), ...[179, 2379, 2380, 5473, 6443, 6666, 6667].map(tcp)],
  outbound: [udp(53), udp(67), ...[179, 2379, 2380, 4001, 5473, 6443, 6666, 6667, 7001].map(tcp)],
};
