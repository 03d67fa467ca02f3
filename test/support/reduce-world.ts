import type { Endpoint, Model, Policy, Profile, Rule, Rules } from '../../src/policy/index.js';

/** The map without one of its entries, for each of them. */
function* withoutOne<Id, Value>(map: ReadonlyMap<Id, Value>): Generator<ReadonlyMap<Id, Value>> {
  for (const id of map.keys()) yield new Map([...map].filter(([each]) => each !== id));
}

/** The map with one of its values replaced, for each way to make a value smaller. */
function* withSmaller<Id, Value>(
  map: ReadonlyMap<Id, Value>,
  smaller: (value: Value) => Iterable<Value>,
): Generator<ReadonlyMap<Id, Value>> {
  for (const [id, value] of map) for (const less of smaller(value)) yield new Map(map).set(id, less);
}

function* smallerRule({ action, match }: Rule): Generator<Rule> {
  const entries = Object.entries(match);
  for (const [field] of entries) {
    // Each field may be absent, so what is left is a match too.
    const left = Object.fromEntries(entries.filter(([each]) => each !== field)) as Rule['match'];
    yield { action, match: left };
  }
}

function* smallerRules<Owner extends Rules>(owner: Owner): Generator<Owner> {
  for (const direction of ['ingress', 'egress'] as const) {
    const rules = owner[direction];
    for (const [at, each] of rules.entries()) {
      yield { ...owner, [direction]: rules.toSpliced(at, 1) };
      for (const less of smallerRule(each)) yield { ...owner, [direction]: rules.with(at, less) };
    }
  }
}

function* smallerPolicy(policy: Policy): Generator<Policy> {
  if (policy.selector.kind !== 'all') yield { ...policy, selector: { kind: 'all' } };
  yield* smallerRules(policy);
}

function* smallerProfile(profile: Profile): Generator<Profile> {
  if (profile.tags.length > 0) yield { ...profile, tags: [] };
  if (Object.keys(profile.labels).length > 0) yield { ...profile, labels: {} };
  yield* smallerRules(profile);
}

function* smallerEndpoint(endpoint: Endpoint): Generator<Endpoint> {
  const { ports, ...rest } = endpoint;
  if (ports !== undefined) yield rest;
  for (const at of endpoint.profiles.keys())
    yield { ...endpoint, profiles: endpoint.profiles.toSpliced(at, 1) };
  for (const label of Object.keys(endpoint.labels)) {
    const labels = Object.entries(endpoint.labels).filter(([each]) => each !== label);
    yield { ...endpoint, labels: Object.fromEntries(labels) };
  }
}

/** Models that lack one thing of this one, the big things first. */
function* smallerModels(model: Model): Generator<Model> {
  for (const policies of withoutOne(model.policies)) yield { ...model, policies };
  for (const profiles of withoutOne(model.profiles)) yield { ...model, profiles };
  for (const endpoints of withoutOne(model.endpoints)) yield { ...model, endpoints };
  for (const policies of withSmaller(model.policies, smallerPolicy)) yield { ...model, policies };
  for (const profiles of withSmaller(model.profiles, smallerProfile)) yield { ...model, profiles };
  for (const endpoints of withSmaller(model.endpoints, smallerEndpoint)) yield { ...model, endpoints };
}

/**
 * The smallest model to be reached by leaving things out of one that has a property, each step keeping it:
 * nothing more can be left out. `keeps` must hold for the model itself.
 */
export async function smallestModel(model: Model, keeps: (model: Model) => Promise<boolean>): Promise<Model> {
  for (const less of smallerModels(model)) if (await keeps(less)) return await smallestModel(less, keeps);
  return model;
}
