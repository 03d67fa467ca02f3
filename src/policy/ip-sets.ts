import { LabelIndex } from './label-index.js';
import { MemberSet } from './member-set.js';
import type { DataplaneUpdate } from './desired.js';
import type { Changes, LabelledEndpoint } from './effective-labels.js';
import type { Endpoint, EndpointId, SetId } from './model.js';
import type { SetSource } from './rule-selectors.js';
import type { Selector } from '../selector/index.js';

export type SetUpdate = Extract<DataplaneUpdate, { kind: 'set-created' | 'set-changed' | 'set-removed' }>;

export interface IpSets {
  /** Takes the changes of a batch; answers with at most one update a set. */
  update(changes: {
    readonly sets: Changes<SetId, SetSource>;
    readonly endpoints: Changes<EndpointId, LabelledEndpoint>;
  }): readonly SetUpdate[];
}

function queryOf(source: SetSource): Selector {
  if (source.kind === 'selector') return source.selector;
  return { kind: 'has', label: source.kind === 'tag' ? source.tag : source.name };
}

/** What an endpoint that its source matches puts into a set. */
function contribution(source: SetSource, { addresses, ports = [] }: Endpoint): readonly string[] {
  if (source.kind !== 'port') return addresses;
  return ports
    .filter(({ name }) => name === source.name)
    .flatMap(({ protocol, port }) =>
      addresses.map(address => `${address} . ${String(protocol)} . ${String(port)}`),
    );
}

/** What is in each set in use: the addresses, or ports, of all endpoints of the cluster that its source matches. */
export function createIpSets(): IpSets {
  // Tags, names of ports and labels are different name spaces: the first two are matched like labels of their own.
  const indexes = {
    selector: new LabelIndex<EndpointId, SetId>(),
    tag: new LabelIndex<EndpointId, SetId>(),
    port: new LabelIndex<EndpointId, SetId>(),
  };
  const endpointById = new Map<EndpointId, Endpoint>();
  const members = new Map<SetId, { readonly source: SetSource; readonly set: MemberSet }>();

  const setsOf = (id: EndpointId): readonly SetId[] =>
    Object.values(indexes).flatMap(index => [...index.queriesOf(id)]);
  const marks = (names: readonly string[]) => Object.fromEntries(names.map(name => [name, '']));

  const setEndpoint = (id: EndpointId, labelled: LabelledEndpoint | undefined): readonly SetId[] => {
    const [oldSets, before, after] = [setsOf(id), endpointById.get(id), labelled?.endpoint];
    indexes.selector.setItem(id, labelled?.labels);
    indexes.tag.setItem(id, labelled && marks(labelled.tags));
    indexes.port.setItem(id, after && marks((after.ports ?? []).map(({ name }) => name)));
    if (after === undefined) endpointById.delete(id);
    else endpointById.set(id, after);
    const newSets = setsOf(id);
    for (const each of oldSets.flatMap(set => members.get(set) ?? [])) {
      if (before !== undefined) each.set.removeAll(contribution(each.source, before));
    }
    for (const each of newSets.flatMap(set => members.get(set) ?? [])) {
      if (after !== undefined) each.set.addAll(contribution(each.source, after));
    }
    return [...oldSets, ...newSets];
  };

  const startSet = (id: SetId, source: SetSource): SetUpdate => {
    const index = indexes[source.kind];
    index.setQuery(id, queryOf(source));
    const set = new MemberSet();
    for (const endpoint of index.itemsOf(id)) {
      const found = endpointById.get(endpoint);
      if (found !== undefined) set.addAll(contribution(source, found));
    }
    set.takeChanges();
    members.set(id, { source, set });
    const content = source.kind === 'port' ? ({ content: 'ports' } as const) : {};
    return { kind: 'set-created', id, ...content, members: set.addresses() };
  };

  const stopSet = (id: SetId): SetUpdate => {
    for (const index of Object.values(indexes)) index.setQuery(id, undefined);
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
        const { added, removed } = members.get(id)?.set.takeChanges() ?? { added: [], removed: [] };
        if (added.length + removed.length > 0) updates.push({ kind: 'set-changed', id, added, removed });
      }
      for (const [id, source] of sets) if (source !== undefined) updates.push(startSet(id, source));
      return updates;
    },
  };
}
