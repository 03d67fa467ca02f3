import { digest } from '../../src/base/index.js';
import { formatCidr } from '../../src/net/index.js';
import { matches, selectorId } from '../../src/selector/index.js';
import type {
  ActiveMatch,
  ActiveRules,
  Direction,
  Endpoint,
  Labels,
  LocalEndpoint,
  Model,
  Policy,
  Pool,
  Profile,
  Rule,
  Rules,
  Stage,
} from '../../src/policy/index.js';
import type { Selector } from '../../src/selector/index.js';
import type { DataplaneImage } from './dataplane-image.js';

/**
 * What a node's dataplane must hold, worked out from the whole model by looking at every pair: slow, short, and
 * written without the graph's own parts, so that both can be compared.
 */
export function naiveImage(model: Model, pools: readonly Pool[], node: string): DataplaneImage {
  const endpoints = [...model.endpoints.values()];
  const locals = endpoints.filter(endpoint => endpoint.node === node);
  const sets = new Map<string, Set<string>>();
  const needSet = (id: string, isMember: (endpoint: Endpoint) => boolean): string => {
    sets.set(id, new Set(endpoints.filter(isMember).flatMap(({ addresses }) => addresses)));
    return id;
  };
  const bySelector = (selector: Selector) =>
    needSet(selectorId(selector), endpoint => matches(selector, labelsOf(model, endpoint)));
  const byTag = (tag: string) =>
    needSet(`t:${digest('sha224', `t:${tag}`)}`, endpoint =>
      profilesOf(model, endpoint).some(profile => profile.tags.includes(tag)),
    );
  const byPortName = (name: string): string => {
    const id = `n:${digest('sha224', `n:${name}`)}`;
    const members = endpoints.flatMap(({ addresses, ports = [] }) =>
      ports
        .filter(port => port.name === name)
        .flatMap(({ protocol, port }) =>
          addresses.map(address => [address, protocol, port].map(String).join(' . ')),
        ),
    );
    sets.set(id, new Set(members));
    return id;
  };
  const convert = ({ action, match }: Rule) => ({
    action,
    match: withSets(match, { bySelector, byTag, byPortName }),
  });
  const convertAll = (rules: Rules): ActiveRules => ({
    ingress: rules.ingress.map(convert),
    egress: rules.egress.map(convert),
  });

  const policies = new Map<string, ActiveRules>();
  for (const policy of model.policies.values()) {
    if (policy.types.length === 0 || !locals.some(endpoint => isFor(model, policy, endpoint))) continue;
    const [ingress, egress] = (['ingress', 'egress'] as const).map(direction =>
      policy.types.includes(direction) ? policy[direction] : [],
    );
    policies.set(policy.id, convertAll({ ingress: ingress ?? [], egress: egress ?? [] }));
  }
  const deny: readonly Rule[] = [{ action: 'deny', match: {} }];
  const profiles = new Map<string, ActiveRules>();
  for (const id of new Set(locals.flatMap(endpoint => endpoint.profiles))) {
    profiles.set(id, convertAll(model.profiles.get(id) ?? { ingress: deny, egress: deny }));
  }
  return {
    sets,
    policies,
    profiles,
    endpoints: new Map(locals.map(endpoint => [endpoint.id, localEndpoint(model, endpoint)])),
    pools: [...pools].sort((a, b) => (formatCidr(a.cidr) < formatCidr(b.cidr) ? -1 : 1)),
  };
}

function profilesOf(model: Model, endpoint: Endpoint): readonly Profile[] {
  return endpoint.profiles.flatMap(id => model.profiles.get(id) ?? []);
}

function labelsOf(model: Model, endpoint: Endpoint): Labels {
  const profiles = profilesOf(model, endpoint);
  // From the weakest to the strongest: later ones overwrite.
  const tags = profiles.flatMap(profile => profile.tags.map(tag => ({ [tag]: '' })));
  const inherited = profiles.map(profile => profile.labels).toReversed();
  return Object.assign({}, ...tags, ...inherited, endpoint.labels) as Labels; // all parts are labels
}

function isFor(model: Model, policy: Policy, endpoint: Endpoint): boolean {
  if (endpoint.kind === 'workload' && policy.stages?.includes('normal') === false) return false;
  return matches(policy.selector, labelsOf(model, endpoint));
}

function localEndpoint(model: Model, endpoint: Endpoint): LocalEndpoint {
  const tiers = tiersAt(model, endpoint, 'normal');
  if (endpoint.kind === 'workload') return { endpoint, tiers };
  const stages = Object.fromEntries(
    (['untracked', 'pre-dnat', 'forward'] as const)
      .map(stage => [stage, tiersAt(model, endpoint, stage)] as const)
      .filter(([, some]) => some.length > 0),
  );
  return { endpoint, tiers, ...(Object.keys(stages).length > 0 && { stages }) };
}

function tiersAt(model: Model, endpoint: Endpoint, stage: Stage): LocalEndpoint['tiers'] {
  const ordered = [...model.policies.values()]
    .filter(({ stages = ['normal'] }) => stages.includes(stage))
    .filter(policy => policy.types.length > 0 && isFor(model, policy, endpoint))
    .sort((a, b) => {
      const [left, right] = [a.order ?? Infinity, b.order ?? Infinity];
      return left === right ? (a.id < b.id ? -1 : 1) : left < right ? -1 : 1;
    });
  if (ordered.length === 0) return [];
  const ids = (direction: Direction) =>
    ordered.filter(policy => policy.types.includes(direction)).map(policy => policy.id);
  return [{ name: 'default', ingress: ids('ingress'), egress: ids('egress') }];
}

function withSets(
  match: Rule['match'],
  ids: {
    readonly bySelector: (selector: Selector) => string;
    readonly byTag: (tag: string) => string;
    readonly byPortName: (name: string) => string;
  },
): ActiveMatch {
  const lists: Record<string, string[]> = {};
  const rest: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(match)) {
    const [, side = '', what] =
      /^(source|notSource|destination|notDestination)(Selector|Tag)$/.exec(field) ?? [];
    if (what !== undefined) {
      const id = typeof value === 'string' ? ids.byTag(value) : ids.bySelector(value as Selector); // a selector's field
      lists[`${side}Sets`] = [...(lists[`${side}Sets`] ?? []), id].sort();
    } else if (field.endsWith('PortNames')) {
      const names = value as readonly string[]; // the fields that are called so
      lists[field.replace(/Names$/, 'Sets')] = names.map(ids.byPortName).sort();
    } else rest[field] = value;
  }
  return { ...rest, ...lists };
}
