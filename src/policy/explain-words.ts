import type { EndpointId, RuleMatch } from './model.js';
import type { RuleOwner } from './verdict.js';

/** The name that people use for an endpoint: its workload's, unless an orchestrator gives all the same. */
export function endpointName(id: EndpointId): string {
  const [kind, path = ''] = id.split(':', 2);
  const parts = path.split('/');
  if (kind === 'host') return `interface ${parts[1] ?? ''} of host ${parts[0] ?? ''}`;
  const [, , workload = id, name] = parts;
  return workload === parts[1] && name !== undefined ? name : workload;
}

const fieldWords: { readonly [Field in keyof RuleMatch]-?: string } = {
  ipVersion: 'the IP version',
  protocol: 'the protocol',
  notProtocol: 'the excluded protocol',
  icmp: 'the ICMP type or code',
  notIcmp: 'the excluded ICMP type or code',
  sourceNets: 'the source network',
  notSourceNets: 'the excluded source network',
  sourceSelector: 'the source selector',
  notSourceSelector: 'the excluded source selector',
  sourceTag: 'the source tag',
  notSourceTag: 'the excluded source tag',
  sourcePorts: 'the source port',
  notSourcePorts: 'the excluded source port',
  sourcePortNames: 'the name of the source port',
  notSourcePortNames: 'the excluded name of the source port',
  destinationNets: 'the destination network',
  notDestinationNets: 'the excluded destination network',
  destinationSelector: 'the destination selector',
  notDestinationSelector: 'the excluded destination selector',
  destinationTag: 'the destination tag',
  notDestinationTag: 'the excluded destination tag',
  destinationPorts: 'the destination port',
  notDestinationPorts: 'the excluded destination port',
  destinationPortNames: 'the name of the destination port',
  notDestinationPortNames: 'the excluded name of the destination port',
};

/** `the protocol does not match`, `the protocol and the source network do not match`. */
export function fieldsText(fields: readonly (keyof RuleMatch)[]): string {
  const words = fields.map(field => fieldWords[field]);
  const last = words.pop() ?? '';
  return words.length === 0 ? `${last} does not match` : `${words.join(', ')} and ${last} do not match`;
}

/** Whose rule it is. */
export function ownerText(owner: RuleOwner): string {
  return `${owner.kind} '${owner.id}'`;
}
