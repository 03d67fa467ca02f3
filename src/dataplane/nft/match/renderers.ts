import type { ActiveMatch } from '../../../policy/index.js';
import { always, both } from './condition.js';
import type { Condition, MatchContext } from './condition.js';
import { icmp, notIcmp } from './icmp.js';
import { ipVersion } from './ip-version.js';
import { destinationNets, notDestinationNets, notSourceNets, sourceNets } from './nets.js';
import {
  destinationPorts,
  destinationPortSets,
  notDestinationPorts,
  notDestinationPortSets,
  notSourcePorts,
  notSourcePortSets,
  sourcePorts,
  sourcePortSets,
} from './ports.js';
import { notProtocol, protocol } from './protocol.js';
import { destinationSets, notDestinationSets, notSourceSets, sourceSets } from './sets.js';

type Renderers = {
  readonly [Field in keyof Required<ActiveMatch>]: (
    value: Required<ActiveMatch>[Field],
    context: MatchContext,
  ) => Condition;
};

/**
 * One renderer per field that a rule can match on; a new field does not compile until it is here. The order
 * is that of the tests in a rule: cheap ones first (protocol, ports, networks, then sets).
 */
const renderers: Renderers = {
  ipVersion,
  protocol,
  notProtocol,
  icmp,
  notIcmp,
  destinationPorts,
  notDestinationPorts,
  sourcePorts,
  notSourcePorts,
  sourcePortSets,
  notSourcePortSets,
  destinationPortSets,
  notDestinationPortSets,
  sourceNets,
  notSourceNets,
  destinationNets,
  notDestinationNets,
  sourceSets,
  notSourceSets,
  destinationSets,
  notDestinationSets,
};

// Made once: with thousands of rules the fields that a rule does not have are what takes the time.
const fields = Object.keys(renderers) as readonly (keyof Renderers)[];

function conditionOf(field: keyof Renderers, context: MatchContext): Condition {
  // The table's type ties each renderer to its field's value; the compiler cannot follow that for a variable field.
  const renderer = renderers[field] as (value: unknown, context: MatchContext) => Condition;
  return renderer(context.match[field], context);
}

/** The alternatives by which a packet of the context's family satisfies the whole match. */
export function conditionsOf(context: MatchContext): Condition {
  return fields
    .filter(field => context.match[field] !== undefined)
    .map(field => conditionOf(field, context))
    .reduce(both, always);
}
