import type {
  ActiveMatch,
  ActiveRules,
  DataplaneUpdate,
  LocalEndpoint,
  Pool,
  SetId,
} from '../../src/policy/index.js';

/** What a dataplane holds after the updates that it was sent. */
export interface DataplaneImage {
  readonly sets: ReadonlyMap<string, ReadonlySet<string>>;
  readonly policies: ReadonlyMap<string, ActiveRules>;
  readonly profiles: ReadonlyMap<string, ActiveRules>;
  readonly endpoints: ReadonlyMap<string, LocalEndpoint>;
  readonly pools: readonly Pool[];
}

function demand(holds: boolean, sentence: string): void {
  if (!holds) throw new Error(`broken promise of the graph: ${sentence}`);
}

function setsOf(match: ActiveMatch): readonly string[] {
  // Every field with sets, and no other, is called so.
  return Object.entries(match).flatMap(([field, sets]) =>
    field.endsWith('Sets') ? (sets as readonly SetId[]) : [],
  );
}

function setsOfRules({ ingress, egress }: ActiveRules): readonly string[] {
  return [...ingress, ...egress].flatMap(({ match }) => setsOf(match));
}

function policiesOf({ tiers, stages = {} }: LocalEndpoint): readonly string[] {
  return [tiers, ...Object.values(stages)].flat().flatMap(({ ingress, egress }) => [...ingress, ...egress]);
}

/**
 * Follows updates as a strict dataplane would, and throws as soon as one breaks what desired.ts promises:
 * nothing names what was not sent, nothing goes while it is used, nothing comes twice in a batch or for nothing.
 */
export class StrictDataplane implements DataplaneImage {
  readonly sets = new Map<string, Set<string>>();
  readonly policies = new Map<string, ActiveRules>();
  readonly profiles = new Map<string, ActiveRules>();
  readonly endpoints = new Map<string, LocalEndpoint>();
  pools: readonly Pool[] = [];

  apply(updates: readonly DataplaneUpdate[]): void {
    const seen = new Set<string>();
    for (const update of updates) {
      const object =
        update.kind === 'pools-updated' ? 'pools' : `${update.kind.split('-')[0] ?? ''} ${update.id}`;
      demand(!seen.has(object), `${object} comes twice in one batch`);
      seen.add(object);
      this.#take(update);
    }
    this.#checkNothingIdle();
  }

  #take(update: DataplaneUpdate): void {
    switch (update.kind) {
      case 'set-created':
        demand(!this.sets.has(update.id), `set ${update.id} is created twice`);
        this.sets.set(update.id, new Set(update.members));
        return;
      case 'set-changed':
        this.#changeSet(update);
        return;
      case 'set-removed':
        demand(this.#usersOfSet(update.id) === 0, `set ${update.id} is removed while a rule uses it`);
        demand(this.sets.delete(update.id), `set ${update.id} is removed, but was never there`);
        return;
      case 'policy-updated':
        this.#checkSets(update.rules);
        this.policies.set(update.id, update.rules);
        return;
      case 'profile-updated':
        this.#checkSets(update.rules);
        this.profiles.set(update.id, update.rules);
        return;
      case 'policy-removed': {
        const isUsed = [...this.endpoints.values()].some(local => policiesOf(local).includes(update.id));
        demand(!isUsed, `policy ${update.id} is removed while an endpoint uses it`);
        demand(this.policies.delete(update.id), `policy ${update.id} is removed, but was never there`);
        return;
      }
      case 'profile-removed': {
        const isUsed = [...this.endpoints.values()].some(({ endpoint }) =>
          endpoint.profiles.includes(update.id),
        );
        demand(!isUsed, `profile ${update.id} is removed while an endpoint uses it`);
        demand(this.profiles.delete(update.id), `profile ${update.id} is removed, but was never there`);
        return;
      }
      case 'endpoint-updated':
        this.#checkEndpoint(update.local);
        this.endpoints.set(update.id, update.local);
        return;
      case 'endpoint-removed':
        demand(this.endpoints.delete(update.id), `endpoint ${update.id} is removed, but was never there`);
        return;
      case 'pools-updated':
        this.pools = update.pools;
    }
  }

  #changeSet({ id, added, removed }: Extract<DataplaneUpdate, { kind: 'set-changed' }>): void {
    const members = this.sets.get(id) ?? new Set<string>();
    demand(this.sets.has(id), `set ${id} changes before it is created`);
    demand(added.length + removed.length > 0, `set ${id} changes by nothing`);
    for (const address of removed)
      demand(members.delete(address), `${address} leaves set ${id} without being in it`);
    for (const address of added) {
      demand(!members.has(address), `${address} joins set ${id} twice`);
      members.add(address);
    }
  }

  #checkSets(rules: ActiveRules): void {
    for (const id of setsOfRules(rules))
      demand(this.sets.has(id), `a rule names set ${id} before it is sent`);
  }

  #checkEndpoint(local: LocalEndpoint): void {
    const { id, profiles } = local.endpoint;
    for (const policy of policiesOf(local)) {
      demand(this.policies.has(policy), `endpoint ${id} names policy ${policy} before it is sent`);
    }
    for (const profile of profiles) {
      demand(this.profiles.has(profile), `endpoint ${id} names profile ${profile} before it is sent`);
    }
  }

  #usersOfSet(id: string): number {
    return [...this.policies.values(), ...this.profiles.values()].filter(rules =>
      setsOfRules(rules).includes(id),
    ).length;
  }

  #checkNothingIdle(): void {
    const locals = [...this.endpoints.values()];
    const policies = new Set(locals.flatMap(policiesOf));
    const profiles = new Set<string>(locals.flatMap(({ endpoint }) => endpoint.profiles));
    for (const id of this.policies.keys()) demand(policies.has(id), `policy ${id} is there for no endpoint`);
    for (const id of this.profiles.keys()) demand(profiles.has(id), `profile ${id} is there for no endpoint`);
    for (const id of this.sets.keys()) demand(this.#usersOfSet(id) > 0, `set ${id} is there for no rule`);
  }
}
