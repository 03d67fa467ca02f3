import { contains, parseCidr, parseIp } from '../net/index.js';
import { cidr, ip, isVersion4, mac, version4First } from './address-fields.js';
import { joined, orNil } from './cells.js';
import { defineResource } from './definition.js';
import { identifier, required } from './field.js';
import type { Field, ValueOf } from './field.js';
import { list } from './list.js';
import { namedPorts } from './named-port.js';
import { inside, report, reportField } from './problem.js';
import type { Place } from './problem.js';
import { record } from './record.js';
import { interfaceName, keyPart, labels, name } from './text-fields.js';

const nat = record(
  { internalIP: requiredIp(), externalIP: requiredIp() },
  {
    struct: 'IPNAT',
    check: ({ internalIP, externalIP }, place) => {
      if (internalIP === undefined || externalIP === undefined) return;
      if (isVersion4(internalIP) === isVersion4(externalIP)) return;
      reportField(inside(place, 'externalIP'), {
        value: externalIP,
        expected: `an address of the same version as ${internalIP}`,
        name: 'ExternalIP',
        reason: 'mismatched IP versions',
      });
    },
  },
);

type Nat = ValueOf<typeof nat>;

/** The interface of a container or a virtual machine. */
export const workloadEndpoint = defineResource({
  kind: 'workloadEndpoint',
  goName: 'WorkloadEndpoint',
  description: 'the interface of a container or virtual machine, with its addresses, labels and profiles',
  words: ['workloadendpoint', 'workloadendpoints', 'wep', 'weps'],
  metadata: {
    name: identifier(name()),
    workload: identifier(keyPart()),
    orchestrator: identifier(keyPart()),
    node: identifier(keyPart()),
    labels: labels(),
  },
  spec: {
    ipNetworks: list(cidr(), { arrange: version4First }),
    ipNATs: list(nat, { arrange: natsVersion4First }),
    ipv4Gateway: ip(4),
    ipv6Gateway: ip(6),
    profiles: list(name()),
    interfaceName: required(interfaceName()),
    mac: mac(),
    ports: namedPorts,
  },
  check: ({ ipNetworks = [], ipNATs = [] }, place, failed) => {
    if (failed.has('ipNetworks')) return;
    checkNetworks(ipNetworks, inside(place, 'ipNetworks'));
    checkNats(ipNATs, ipNetworks, inside(place, 'ipNATs'));
  },
  identity: metadata =>
    `WorkloadEndpoint(node=${metadata.node}, orchestrator=${metadata.orchestrator}, ` +
    `workload=${metadata.workload}, name=${metadata.name})`,
  identifiers: () => ['node', 'orchestrator', 'workload', 'name'],
  columns: {
    NODE: { cell: endpoint => endpoint.metadata.node },
    ORCHESTRATOR: { cell: endpoint => endpoint.metadata.orchestrator },
    WORKLOAD: { cell: endpoint => endpoint.metadata.workload },
    NAME: { cell: endpoint => endpoint.metadata.name },
    NETWORKS: { show: 'wide', cell: endpoint => joined(endpoint.spec.ipNetworks) },
    NATS: { show: 'wide', cell: endpoint => joined(endpoint.spec.ipNATs?.map(natText)) },
    INTERFACE: { show: 'wide', cell: endpoint => endpoint.spec.interfaceName },
    PROFILES: { show: 'wide', cell: endpoint => joined(endpoint.spec.profiles) },
    IPV4GATEWAY: { show: 'extra', cell: endpoint => orNil(endpoint.spec.ipv4Gateway) },
    IPV6GATEWAY: { show: 'extra', cell: endpoint => orNil(endpoint.spec.ipv6Gateway) },
    MAC: { show: 'extra', cell: endpoint => orNil(endpoint.spec.mac) },
  },
});

function requiredIp(): ReturnType<typeof required<string>> {
  const field: Field<string> = ip();
  return required(field);
}

function natText({ internalIP, externalIP }: Nat): string {
  return `${internalIP}<>${externalIP}`;
}

function natsVersion4First(nats: readonly Nat[]): readonly Nat[] {
  const isFirst = ({ internalIP }: Nat): boolean => isVersion4(internalIP);
  return [...nats.filter(isFirst), ...nats.filter(each => !isFirst(each))];
}

/** Every network must be one address; the original says so once for all. */
function checkNetworks(networks: readonly string[], place: Place): void {
  let complained = false;
  for (const network of networks) {
    if (network.endsWith(isVersion4(network) ? '/32' : '/128')) continue;
    const complaint = { value: network, expected: 'a single address: length /32 or /128' };
    if (complained) report(place, complaint);
    else {
      const reason = 'IP network contains multiple addresses';
      reportField(place, { ...complaint, name: 'IPNetworks', shown: `[${networks.join(' ')}]`, reason });
    }
    complained = true;
  }
}

/** Every internal address must be one that the endpoint has. */
function checkNats(nats: readonly Nat[], networks: readonly string[], place: Place): void {
  const own = networks.map(parseCidr).filter(network => network !== undefined);
  let complained = false;
  for (const each of nats) {
    const address = parseIp(each.internalIP);
    if (address === undefined || own.some(network => contains(network, address))) continue;
    const complaint = { value: natText(each), expected: 'an internalIP that is in ipNetworks' };
    if (complained) report(place, complaint);
    else {
      const shown = `[${nats.map(natText).join(' ')}]`;
      const reason = 'NAT is not in the endpoint networks';
      reportField(place, { ...complaint, name: 'IPNATs', shown, reason });
    }
    complained = true;
  }
}
