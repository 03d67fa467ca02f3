import { ip } from './address-fields.js';
import { defineResource } from './definition.js';
import { identifier } from './field.js';
import { asNumber } from './number-fields.js';
import { inside, reportField } from './problem.js';
import { record } from './record.js';
import { name } from './text-fields.js';

/** A host of the cluster; without `bgp` it only enforces policy. */
export const node = defineResource({
  kind: 'node',
  goName: 'Node',
  description: 'a host of the cluster; without bgp it enforces policy but announces no routes',
  words: ['node', 'nodes', 'no', 'nos'],
  metadata: { name: identifier(name()) },
  spec: {
    bgp: record(
      {
        asNumber: asNumber(),
        ipv4Address: ip(4),
        ipv6Address: ip(6),
        // Of later releases: the node passes routes on between those that peer with it.
        routeReflectorClusterID: ip(4),
      },
      {
        struct: 'NodeBGPSpec',
        check: (bgp, place, failed) => {
          if (bgp.ipv4Address !== undefined || bgp.ipv6Address !== undefined) return;
          if (failed.has('ipv4Address') || failed.has('ipv6Address')) return;
          reportField(inside(place, 'ipv4Address'), {
            value: '',
            expected: 'ipv4Address, ipv6Address or both',
            name: 'BGP.IPv4Address',
            shown: '<nil>',
            reason: 'no BGP IP address specified',
          });
        },
      },
    ),
  },
  identity: metadata => `Node(name=${metadata.name})`,
  identifiers: () => ['name'],
  columns: {
    NAME: { cell: host => host.metadata.name },
    ASN: {
      show: 'wide',
      cell: ({ spec: { bgp } }, { globalAsNumber }) => {
        if (bgp === undefined) return '';
        if (bgp.asNumber !== undefined) return String(bgp.asNumber);
        return `(${globalAsNumber === undefined ? 'unknown' : String(globalAsNumber)})`;
      },
    },
    IPV4: { show: 'wide', cell: host => host.spec.bgp?.ipv4Address ?? '' },
    IPV6: { show: 'wide', cell: host => host.spec.bgp?.ipv6Address ?? '' },
  },
});
