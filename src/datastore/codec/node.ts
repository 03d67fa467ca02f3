import type { KindCodec } from './kind-codec.js';
import { layout } from './layout.js';

const metadataKey = layout('/calico/v1/host/:name/metadata');
const birdIp = layout('/calico/v1/host/:name/bird_ip');
const ipv4 = layout('/calico/bgp/v1/host/:name/ip_addr_v4');
const ipv6 = layout('/calico/bgp/v1/host/:name/ip_addr_v6');
const asNumber = layout('/calico/bgp/v1/host/:name/as_num');
const clusterId = layout('/calico/bgp/v1/host/:name/rr_cluster_id');
const layouts = [metadataKey, birdIp, ipv4, ipv6, asNumber, clusterId] as const;

/** A node has six keys in two trees; the metadata decide whether it exists. */
export const nodeCodec: KindCodec<'node'> = {
  layouts,
  metadata: ({ name = '' }) => ({ name }),
  keys: ({ name }) => [metadataKey.key({ name }), ...layouts.slice(1).map(each => each.key({ name }))],
  // The whole of both trees: whatever lies there names a node, even without a resource (calicoctl.md 5.2).
  prefixes: ({ name = '' }) =>
    name === ''
      ? [metadataKey.prefix({}), ipv4.prefix({})]
      : [hostSubtree(name), ipv4.key({ name }).slice(0, -'ip_addr_v4'.length)],
  encode: ({ spec: { bgp } }) => [
    '{}',
    bgp?.ipv4Address,
    bgp?.ipv4Address ?? '',
    bgp?.ipv6Address ?? '',
    bgp?.asNumber === undefined ? undefined : String(bgp.asNumber),
    bgp?.routeReflectorClusterID,
  ],
  decode: (metadata, [, , ipv4Address = '', ipv6Address = '', number = '', cluster = '']) => ({
    metadata,
    spec: {
      bgp:
        ipv4Address === '' && ipv6Address === ''
          ? undefined
          : {
              asNumber: number === '' ? undefined : number,
              ipv4Address: ipv4Address === '' ? undefined : ipv4Address,
              ipv6Address: ipv6Address === '' ? undefined : ipv6Address,
              routeReflectorClusterID: cluster === '' ? undefined : cluster,
            },
    },
  }),
};

/** What all felix keys of a host begin with: its endpoints, settings and the node itself. */
export function hostSubtree(node: string): string {
  return metadataKey.key({ name: node }).slice(0, -'metadata'.length);
}
