import { LabelIndex } from './label-index.js';
import { MemberSet } from './member-set.js';
import type { DataplaneUpdate } from './desired.js';
import type { Changes, LabelledEndpoint } from './effective-labels.js';
import type { EndpointId, SetId } from './model.js';
import type { SetSource } from './rule-selectors.js';

export type SetUpdate = Extract<DataplaneUpdate, { kind: 'set-created' | 'set-changed' | 'set-removed' }>;

export interface IpSets {
  /** Takes the changes of a batch; answers with at most one update a set. */
  update(changes: {
    readonly sets: Changes<SetId, SetSource>;
    readonly endpoints: Changes<EndpointId, LabelledEndpoint>;
  }): readonly SetUpdate[];
}

/** Which addresses are in each set in use: those of all endpoints of the cluster that its source matches. */
export function createIpSets(): IpSets {
  // Tags and labels are different name spaces: a tag is matched like a label of its own index.
  const byLabel = new LabelIndex<EndpointId, SetId>();
  const byTag = new LabelIndex<EndpointId, SetId>();
  const addressesOf = new Map<EndpointId, readonly string[]>();
  const members = new Map<SetId, MemberSet>();

  const setsOf = (id: EndpointId): readonly SetId[] => [...byLabel.queriesOf(id), ...byTag.queriesOf(id)];

  const setEndpoint = (id: EndpointId, labelled: LabelledEndpoint | undefined): readonly SetId[] => {
    const [oldSets, oldAddresses] = [setsOf(id), addressesOf.get(id) ?? []];
    const addresses = labelled?.endpoint.addresses ?? [];
    byLabel.setItem(id, labelled?.labels);
    byTag.setItem(id, labelled && Object.fromEntries(labelled.tags.map(tag => [tag, ''])));
    if (labelled === undefined) addressesOf.delete(id);
    else addressesOf.set(id, addresses);
    const newSets = setsOf(id);
    for (const set of oldSets) members.get(set)?.removeAll(oldAddresses);
    for (const set of newSets) members.get(set)?.addAll(addresses);
    return [...oldSets, ...newSets];
  };

  const startSet = (id: SetId, source: SetSource): SetUpdate => {
    const index = source.kind === 'selector' ? byLabel : byTag;
    index.setQuery(id, source.kind === 'selector' ? source.selector : { kind: 'has', label: source.tag });
    const set = new MemberSet();
    for (const endpoint of index.itemsOf(id)) set.addAll(addressesOf.get(endpoint) ?? []);
    set.takeChanges();
    members.set(id, set);
    return { kind: 'set-created', id, members: set.addresses() };
  };

  const stopSet = (id: SetId): SetUpdate => {
    byLabel.setQuery(id, undefined);
    byTag.setQuery(id, undefined);
    members.delete(id);
    return { kind: 'set-removed', id };
  };

  return {
    update({ sets, endpoints }) {
      // Stopped sets first and new ones last: neither pays for the changes of the endpoints.
      const updates: SetUpdate[] = [];
      for (const [id, source] of sets) if (source === undefined) updates.push(stopSet(id));
      const touched = new Set<SetId>();
      for (const [id, labelled] of endpoints) for (const set of setEndpoint(id, labelled)) touched.add(set);
      for (const id of touched) {
        const { added, removed } = members.get(id)?.takeChanges() ?? { added: [], removed: [] };
        if (added.length + removed.length > 0) updates.push({ kind: 'set-changed', id, added, removed });
      }
      for (const [id, source] of sets) if (source !== undefined) updates.push(startSet(id, source));
      return updates;
    },
  };
}
