import type { IpVersion } from '../../net/index.js';
import type { ResourceOf } from '../../resources/index.js';
import { listOf, objectOf, parseObject, unlessEmpty } from './json.js';
import type { Members } from './json.js';
import type { KindCodec } from './kind-codec.js';
import { layout } from './layout.js';
import { ofVersion, versionOf } from './version.js';

type Spec = ResourceOf<'workloadEndpoint'>['spec'];

const key = layout('/calico/v1/host/:node/workload/:orchestrator/:workload/endpoint/:name');

export const workloadEndpointCodec: KindCodec<'workloadEndpoint'> = {
  layouts: [key],
  metadata: ({ node = '', orchestrator = '', workload = '', name = '' }) => ({
    name,
    workload,
    orchestrator,
    node,
  }),
  keys: ({ node, orchestrator, workload, name }) => [key.key({ node, orchestrator, workload, name })],
  prefixes: ({ node = '', orchestrator = '', workload = '', name = '' }) => [
    key.prefix({ node, orchestrator, workload, name }),
  ],
  encode: ({ metadata, spec }) => [
    JSON.stringify({
      state: 'active',
      name: spec.interfaceName,
      mac: spec.mac ?? null,
      profile_ids: spec.profiles ?? null,
      ipv4_nets: ofVersion(4, spec.ipNetworks),
      ipv6_nets: ofVersion(6, spec.ipNetworks),
      ipv4_nat: encodeNats(4, spec.ipNATs),
      ipv6_nat: encodeNats(6, spec.ipNATs),
      labels: unlessEmpty(metadata.labels),
      ipv4_gateway: spec.ipv4Gateway,
      ipv6_gateway: spec.ipv6Gateway,
      ports: unlessEmpty(spec.ports),
    }),
  ],
  decode: (metadata, [text]) => {
    const stored = parseObject(text);
    return {
      metadata: { ...metadata, labels: stored['labels'] },
      spec: {
        ipNetworks: [
          ...listOf(stored['ipv4_nets'], 'ipv4_nets'),
          ...listOf(stored['ipv6_nets'], 'ipv6_nets'),
        ],
        ipNATs: [...decodeNats(stored, 'ipv4_nat'), ...decodeNats(stored, 'ipv6_nat')],
        ipv4Gateway: stored['ipv4_gateway'] ?? undefined,
        ipv6Gateway: stored['ipv6_gateway'] ?? undefined,
        profiles: stored['profile_ids'],
        interfaceName: stored['name'],
        mac: stored['mac'] ?? undefined,
        ports: stored['ports'] ?? undefined,
      },
    };
  },
};

/** True for an endpoint whose orchestrator has switched it off: it must get no traffic. */
export function isInactive(text: string): boolean {
  return text.includes('"inactive"') && parseObject(text)['state'] === 'inactive';
}

function encodeNats(version: IpVersion, nats: Spec['ipNATs'] = []): readonly Members[] | undefined {
  return unlessEmpty(
    nats
      .filter(nat => versionOf(nat.internalIP) === version)
      .map(nat => ({ int_ip: nat.internalIP, ext_ip: nat.externalIP })),
  );
}

function decodeNats(stored: Members, member: 'ipv4_nat' | 'ipv6_nat'): readonly Members[] {
  return listOf(stored[member], member).map(nat => {
    const { int_ip: internalIP, ext_ip: externalIP } = objectOf(nat, member);
    return { internalIP, externalIP };
  });
}
