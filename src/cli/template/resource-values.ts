import { toJson } from '../../resources/index.js';
import type { Kind, Resource } from '../../resources/index.js';
import type { Struct, Value } from './values.js';

/** How a field of Go's structs is made from JSON; `optional` ones are pointers, nil where JSON has nothing. */
type Shape =
  | 'text'
  | 'integer'
  | 'flag'
  | 'optional-text'
  | 'optional-integer'
  | 'optional-float'
  | 'texts'
  | 'labels'
  | { readonly struct: string; readonly optional?: true }
  | { readonly list: string };

/** Go's name of a field, its JSON name, and its shape. */
type FieldShape = readonly [goName: string, jsonName: string, shape: Shape];

const rules: Shape = { list: 'Rule' };
const icmp: Shape = { struct: 'ICMPFields', optional: true };
const specRules: readonly FieldShape[] = [
  ['IngressRules', 'ingress', rules],
  ['EgressRules', 'egress', rules],
];
const name: FieldShape = ['Name', 'name', 'text'];
const node: FieldShape = ['Node', 'node', 'text'];
const labels: FieldShape = ['Labels', 'labels', 'labels'];
const interfaceName: FieldShape = ['InterfaceName', 'interfaceName', 'text'];
const profiles: FieldShape = ['Profiles', 'profiles', 'texts'];

/** The structs of the original's API (`calicoctl.md` 5.5), fields in their order. */
const structs: Readonly<Record<string, readonly FieldShape[]>> = {
  bgpPeerMetadata: [['Scope', 'scope', 'text'], node, ['PeerIP', 'peerIP', 'text']],
  bgpPeerSpec: [['ASNumber', 'asNumber', 'integer']],
  hostEndpointMetadata: [name, node, labels],
  hostEndpointSpec: [interfaceName, ['ExpectedIPs', 'expectedIPs', 'texts'], profiles],
  ipPoolMetadata: [['CIDR', 'cidr', 'text']],
  ipPoolSpec: [
    ['IPIP', 'ipip', { struct: 'IPIPConfiguration', optional: true }],
    ['NATOutgoing', 'nat-outgoing', 'flag'],
    ['Disabled', 'disabled', 'flag'],
    ['VXLAN', 'vxlan', { struct: 'VXLANConfiguration', optional: true }],
    ['BlockSize', 'blockSize', 'integer'],
  ],
  IPIPConfiguration: [
    ['Enabled', 'enabled', 'flag'],
    ['Mode', 'mode', 'text'],
  ],
  VXLANConfiguration: [
    ['Enabled', 'enabled', 'flag'],
    ['Mode', 'mode', 'text'],
  ],
  nodeMetadata: [name],
  nodeSpec: [['BGP', 'bgp', { struct: 'NodeBGPSpec', optional: true }]],
  NodeBGPSpec: [
    ['ASNumber', 'asNumber', 'optional-integer'],
    ['IPv4Address', 'ipv4Address', 'optional-text'],
    ['IPv6Address', 'ipv6Address', 'optional-text'],
  ],
  policyMetadata: [name],
  policySpec: [
    ['Order', 'order', 'optional-float'],
    ...specRules,
    ['Selector', 'selector', 'text'],
    // Of later versions, as their names are there.
    ['Types', 'types', 'texts'],
    ['DoNotTrack', 'doNotTrack', 'flag'],
    ['PreDNAT', 'preDNAT', 'flag'],
    ['ApplyOnForward', 'applyOnForward', 'flag'],
  ],
  profileMetadata: [name, ['Tags', 'tags', 'texts'], labels],
  profileSpec: specRules,
  Rule: [
    ['Action', 'action', 'text'],
    ['IPVersion', 'ipVersion', 'optional-integer'],
    ['Protocol', 'protocol', 'optional-text'],
    ['ICMP', 'icmp', icmp],
    ['NotProtocol', 'notProtocol', 'optional-text'],
    ['NotICMP', 'notICMP', icmp],
    ['Source', 'source', { struct: 'EntityRule' }],
    ['Destination', 'destination', { struct: 'EntityRule' }],
  ],
  ICMPFields: [
    ['Type', 'type', 'optional-integer'],
    ['Code', 'code', 'optional-integer'],
  ],
  EntityRule: [
    ['Tag', 'tag', 'text'],
    ['Net', 'net', 'optional-text'],
    ['Selector', 'selector', 'text'],
    ['Ports', 'ports', 'texts'],
    ['NotTag', 'notTag', 'text'],
    ['NotNet', 'notNet', 'optional-text'],
    ['NotSelector', 'notSelector', 'text'],
    ['NotPorts', 'notPorts', 'texts'],
    ['Nets', 'nets', 'texts'],
    ['NotNets', 'notNets', 'texts'],
  ],
  workloadEndpointMetadata: [
    name,
    ['Workload', 'workload', 'text'],
    ['Orchestrator', 'orchestrator', 'text'],
    node,
    labels,
  ],
  workloadEndpointSpec: [
    ['IPNetworks', 'ipNetworks', 'texts'],
    ['IPNATs', 'ipNATs', { list: 'IPNAT' }],
    ['IPv4Gateway', 'ipv4Gateway', 'optional-text'],
    ['IPv6Gateway', 'ipv6Gateway', 'optional-text'],
    profiles,
    interfaceName,
    ['MAC', 'mac', 'optional-text'],
  ],
  IPNAT: [
    ['InternalIP', 'internalIP', 'text'],
    ['ExternalIP', 'externalIP', 'text'],
  ],
};

function membersOf(json: unknown): Readonly<Record<string, unknown>> {
  // Only ever read by name, and what is missing is undefined.
  return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};
}

function textFrom(json: unknown): string {
  return typeof json === 'string' || typeof json === 'number' ? String(json) : '';
}

function integerFrom(json: unknown): bigint {
  return typeof json === 'number' && Number.isInteger(json) ? BigInt(json) : 0n;
}

function listFrom(json: unknown): readonly unknown[] {
  return Array.isArray(json) ? json : [];
}

function valueOf(json: unknown, shape: Shape): Value {
  if (typeof shape === 'object') {
    if ('list' in shape) return listFrom(json).map(member => structOf(member, shape.list));
    return shape.optional && json === undefined ? null : structOf(json, shape.struct);
  }
  switch (shape) {
    case 'text':
      return textFrom(json);
    case 'integer':
      return integerFrom(json);
    case 'flag':
      return json === true;
    case 'optional-text':
      return json === undefined ? null : textFrom(json);
    case 'optional-integer':
      return json === undefined ? null : integerFrom(json);
    case 'optional-float':
      return typeof json === 'number' ? json : null;
    case 'texts':
      return listFrom(json).map(textFrom);
    case 'labels':
      return new Map(Object.entries(membersOf(json)).map(([key, value]) => [key, textFrom(value)]));
  }
}

function structOf(json: unknown, struct: string): Struct {
  const members = membersOf(json);
  const fields = (structs[struct] ?? []).map(
    ([goName, jsonName, shape]) => [goName, valueOf(members[jsonName], shape)] as const,
  );
  const made: Struct = { struct, fields: new Map(fields) };
  if (struct !== 'IPNAT') return made;
  return { ...made, text: `${textFrom(members['internalIP'])}<>${textFrom(members['externalIP'])}` };
}

function itemOf(resource: Resource): Struct {
  const { kind } = resource;
  const { metadata, spec } = toJson(resource);
  const fields = new Map<string, Value>([
    ['Kind', kind],
    ['APIVersion', 'v1'],
    ['Metadata', structOf(metadata, `${kind}Metadata`)],
    ['Spec', structOf(spec, `${kind}Spec`)],
  ]);
  return { struct: kind, fields };
}

/** The results of one query as the list struct that templates see. */
export function listValue(kind: Kind, resources: readonly Resource[]): Value {
  const fields = new Map<string, Value>([
    ['Kind', `${kind}List`],
    ['APIVersion', 'v1'],
    ['Metadata', { struct: 'ListMetadata', fields: new Map() }],
    ['Items', resources.map(itemOf)],
  ]);
  return { struct: `${kind}List`, fields };
}
