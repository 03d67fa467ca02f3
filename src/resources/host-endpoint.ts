import { ip, version4First } from './address-fields.js';
import { joined } from './cells.js';
import { defineResource } from './definition.js';
import { identifier, optional } from './field.js';
import { list } from './list.js';
import { namedPorts } from './named-port.js';
import { inside, reportField } from './problem.js';
import { interfaceName, labels, name } from './text-fields.js';

/** An interface of a host that policy protects. */
export const hostEndpoint = defineResource({
  kind: 'hostEndpoint',
  goName: 'HostEndpoint',
  description: 'an interface of a host that policy protects, found by its name or by its addresses',
  words: ['hostendpoint', 'hostendpoints', 'hep', 'heps'],
  metadata: { name: identifier(name()), node: identifier(name()), labels: labels() },
  metadataOptions: { aliases: { hostname: 'node' } },
  spec: {
    interfaceName: optional(interfaceName()),
    expectedIPs: list(expectedIp(), { arrange: version4First }),
    profiles: list(name()),
    ports: namedPorts,
  },
  check: (spec, place, failed) => {
    if (spec.interfaceName !== undefined || spec.expectedIPs !== undefined) return;
    if (failed.has('interfaceName') || failed.has('expectedIPs')) return;
    reportField(inside(place, 'interfaceName'), {
      value: '',
      expected: 'an interface name, or addresses in expectedIPs',
      name: 'InterfaceName',
      reason: 'no interface or expected IPs have been specified',
    });
  },
  identity: ({ node, name: endpoint }) => `HostEndpoint(node=${node}, name=${endpoint})`,
  identifiers: () => ['node', 'name'],
  columns: {
    HOSTNAME: { cell: endpoint => endpoint.metadata.node },
    NAME: { cell: endpoint => endpoint.metadata.name },
    INTERFACE: { show: 'wide', cell: endpoint => endpoint.spec.interfaceName ?? '' },
    IPS: { show: 'wide', cell: endpoint => joined(endpoint.spec.expectedIPs) },
    PROFILES: { show: 'wide', cell: endpoint => joined(endpoint.spec.profiles) },
    NODE: { show: 'extra', cell: endpoint => endpoint.metadata.node },
  },
});

/** The original took null for an address here and forgot it. */
function expectedIp(): ReturnType<typeof ip> {
  const field = ip();
  return { ...field, read: (value, place) => (value === null ? undefined : field.read(value, place)) };
}
