import { parseIp } from '../../net/index.js';
import type { IpVersion } from '../../net/index.js';
import { deviceFor } from '../tunnels/index.js';
import { accept, family, ports, protocol } from './base-rules.js';
import type { NftConfig } from './config.js';
import type { OwnedObjects } from './desired-ruleset.js';
import { dropFor } from './drops.js';
import type { ElementKey, ElementValue, NftSet, Rule, Test } from './model.js';
import { makeRule } from './rule-text.js';

/** How packets between hosts may arrive: inside others, which none but hosts of the cluster may send. */
export interface TunnelPeers {
  /** some pool wraps packets so */
  readonly ipip: boolean;
  readonly vxlan: boolean;
  /** addresses of the cluster's hosts, of both versions */
  readonly hosts: ReadonlySet<string>;
}

/** Nothing is wrapped, and nobody asked for it. */
export const noTunnels: TunnelPeers = { ipip: false, vxlan: false, hosts: new Set() };

const IP_IN_IP = 4;
const UDP = 17;

function setOf(version: IpVersion): NftSet {
  const key = version === 4 ? 'ipv4_addr' : 'ipv6_addr';
  return { name: `hosts${String(version)}`, key: [key], verdicts: false };
}

/** The sets with the hosts' addresses, while a rule looks into them. */
export function tunnelSets({ ipip, vxlan, hosts }: TunnelPeers): OwnedObjects {
  if (!ipip && !vxlan) return {};
  const elements = new Map<string, Map<ElementKey, ElementValue>>([
    [setOf(4).name, new Map()],
    [setOf(6).name, new Map()],
  ]);
  for (const host of hosts) {
    const ip = parseIp(host);
    if (ip !== undefined) elements.get(setOf(ip.version).name)?.set(host, null);
  }
  return { sets: [setOf(4), setOf(6)], elements };
}

/** The devices through which packets are wrapped. */
export function tunnelDevices({ ipip, vxlan }: TunnelPeers): readonly string[] {
  const kinds = [...(ipip ? (['ipip'] as const) : []), ...(vxlan ? (['vxlan'] as const) : [])];
  return kinds.flatMap(kind => ([4, 6] as const).flatMap(version => deviceFor(kind, version) ?? []));
}

interface Wrapped {
  readonly version: IpVersion;
  readonly tests: readonly Test[];
  readonly name: string;
}

function wrapped({ ipip, vxlan }: TunnelPeers, { vxlanPort }: NftConfig): readonly Wrapped[] {
  const udp = [protocol(UDP), ports('destination', vxlanPort)];
  return [
    ...(ipip ? [{ version: 4, tests: [protocol(IP_IN_IP)], name: 'IP in IP' } as const] : []),
    ...(vxlan ? ([4, 6] as const).map(version => ({ version, tests: udp, name: 'VXLAN' })) : []),
  ];
}

/**
 * In `input`, before anything else: what is inside such a packet passes as if it came from the network of the
 * cluster, so nobody outside may bring one in. Those of hosts no policy stops.
 */
export function tunnelInRules(peers: TunnelPeers, config: NftConfig): readonly Rule[] {
  return wrapped(peers, config).flatMap(({ version, tests, name }) => {
    const known = { kind: 'in-set', side: 'source', version, set: setOf(version).name } as const;
    const length = version === 4 ? 32 : 128;
    return [
      makeRule(
        [family(version), ...tests, { ...known, length, negated: true }],
        dropFor('foreign-tunnel'),
        name,
      ),
      makeRule([family(version), ...tests], accept, `${name} from a host`),
    ];
  });
}

/** In `output`: policy of the host's interfaces is not about packets between hosts, but about what they carry. */
export function tunnelOutRules(peers: TunnelPeers, config: NftConfig): readonly Rule[] {
  return wrapped(peers, config).map(({ version, tests, name }) => {
    const known = { kind: 'in-set', side: 'destination', version, set: setOf(version).name } as const;
    const length = version === 4 ? 32 : 128;
    return makeRule(
      [family(version), ...tests, { ...known, length, negated: false }],
      accept,
      `${name} to a host`,
    );
  });
}
