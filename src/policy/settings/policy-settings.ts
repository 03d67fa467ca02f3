import { defaultFailsafePorts } from '../failsafe-ports.js';
import type { FailsafePorts } from '../failsafe-ports.js';
import { bool, failsafePorts, interfacePrefixes, oneOf, port } from './value-types.js';
import type { ValueType } from './value-types.js';

/** Settings of the agent that decide over packets; the names are those of its configuration. */
export interface PolicySettings {
  /** what happens to a workload's packet to its own host after its egress policy has allowed it */
  readonly defaultEndpointToHostAction: 'drop' | 'return' | 'accept';
  /** workloads may always ask their host by DHCP, and by DNS over UDP */
  readonly workloadDhcpDnsToHost: boolean;
  /** what no policy of a host endpoint closes */
  readonly failsafePorts: FailsafePorts;
  /** interfaces whose name begins so are workloads' */
  readonly interfacePrefixes: readonly string[];
  /** off: nothing of IPv6 passes from or to workloads */
  readonly ipv6: boolean;
  /** policy decides over what workloads wrap themselves; off: it is dropped */
  readonly allowIpipFromWorkloads: boolean;
  readonly allowVxlanFromWorkloads: boolean;
  /** UDP port of VXLAN */
  readonly vxlanPort: number;
  /** what takes the place of every drop */
  readonly dropActionOverride: 'drop' | 'accept' | 'log-and-drop' | 'log-and-accept';
}

/** What is so when nobody says anything. */
export const defaultPolicySettings: PolicySettings = {
  defaultEndpointToHostAction: 'drop',
  workloadDhcpDnsToHost: true,
  failsafePorts: defaultFailsafePorts,
  interfacePrefixes: ['cali'],
  ipv6: true,
  allowIpipFromWorkloads: false,
  allowVxlanFromWorkloads: false,
  vxlanPort: 4789,
  dropActionOverride: 'drop',
};

interface Setting<T> {
  /** as operators write it */
  readonly name: string;
  readonly type: ValueType<T>;
}

/** How these parameters are called and written. */
export const policyParameters = {
  defaultEndpointToHostAction: {
    name: 'DefaultEndpointToHostAction',
    type: oneOf({ DROP: 'drop', RETURN: 'return', ACCEPT: 'accept' } as const),
  },
  workloadDhcpDnsToHost: { name: 'WorkloadDhcpDnsToHost', type: bool },
  failsafeInbound: { name: 'FailsafeInboundHostPorts', type: failsafePorts },
  failsafeOutbound: { name: 'FailsafeOutboundHostPorts', type: failsafePorts },
  interfacePrefixes: { name: 'InterfacePrefix', type: interfacePrefixes },
  ipv6: { name: 'Ipv6Support', type: bool },
  allowIpipFromWorkloads: { name: 'AllowIPIPPacketsFromWorkloads', type: bool },
  allowVxlanFromWorkloads: { name: 'AllowVXLANPacketsFromWorkloads', type: bool },
  vxlanPort: { name: 'VXLANPort', type: port },
  dropActionOverride: {
    name: 'DropActionOverride',
    type: oneOf({
      DROP: 'drop',
      ACCEPT: 'accept',
      'LOG-and-DROP': 'log-and-drop',
      'LOG-and-ACCEPT': 'log-and-accept',
      LogAndDrop: 'log-and-drop',
      LogAndAccept: 'log-and-accept',
    } as const),
  },
} as const;

/** Their names. */
export const policyParameterNames: readonly string[] = Object.values(policyParameters).map(
  ({ name }) => name,
);

/** The settings as texts say them; what is not said, or cannot be read, is as in `otherwise`. */
export function policySettingsFrom(
  textOf: (name: string) => string | undefined,
  otherwise: PolicySettings = defaultPolicySettings,
): PolicySettings {
  const read = <T>({ name, type }: Setting<T>, fallback: T): T => {
    const text = textOf(name)?.trim() ?? '';
    if (text === '') return fallback;
    if (text.toLowerCase() === 'none') return type.none ?? fallback;
    return type.parse(text) ?? fallback;
  };
  const all = policyParameters;
  const { inbound, outbound } = otherwise.failsafePorts;
  return {
    defaultEndpointToHostAction: read(all.defaultEndpointToHostAction, otherwise.defaultEndpointToHostAction),
    workloadDhcpDnsToHost: read(all.workloadDhcpDnsToHost, otherwise.workloadDhcpDnsToHost),
    failsafePorts: {
      inbound: read(all.failsafeInbound, inbound),
      outbound: read(all.failsafeOutbound, outbound),
    },
    interfacePrefixes: read(all.interfacePrefixes, otherwise.interfacePrefixes),
    ipv6: read(all.ipv6, otherwise.ipv6),
    allowIpipFromWorkloads: read(all.allowIpipFromWorkloads, otherwise.allowIpipFromWorkloads),
    allowVxlanFromWorkloads: read(all.allowVxlanFromWorkloads, otherwise.allowVxlanFromWorkloads),
    vxlanPort: read(all.vxlanPort, otherwise.vxlanPort),
    dropActionOverride: read(all.dropActionOverride, otherwise.dropActionOverride),
  };
}
