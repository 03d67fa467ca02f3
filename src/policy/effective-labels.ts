import { MultiMap } from '../base/index.js';
import { sameValue } from './same-value.js';
import type { Endpoint, EndpointId, Labels, Profile, ProfileId } from './model.js';

export type ProfileLookup = (id: ProfileId) => Profile | undefined;

function profilesOf(endpoint: Endpoint, lookup: ProfileLookup): readonly Profile[] {
  return endpoint.profiles.map(lookup).filter(profile => profile !== undefined);
}

/**
 * The labels that selectors see: the endpoint's own, then those of its profiles, then the profiles' tags with
 * an empty value. What comes first wins; among profiles the first listed.
 */
export function effectiveLabels(endpoint: Endpoint, lookup: ProfileLookup): Labels {
  const profiles = profilesOf(endpoint, lookup);
  const inherited = [
    ...profiles.flatMap(profile => Object.entries(profile.labels)),
    ...profiles.flatMap(profile => profile.tags.map((tag): [string, string] => [tag, ''])),
  ];
  if (inherited.length === 0) return endpoint.labels;
  const labels = new Map(Object.entries(endpoint.labels));
  for (const [label, value] of inherited) if (!labels.has(label)) labels.set(label, value);
  return Object.fromEntries(labels);
}

/** The tags of all its profiles, each once. */
export function effectiveTags(endpoint: Endpoint, lookup: ProfileLookup): readonly string[] {
  return [...new Set(profilesOf(endpoint, lookup).flatMap(profile => profile.tags))];
}

/** An endpoint with what selectors and tags see of it. */
export interface LabelledEndpoint {
  readonly endpoint: Endpoint;
  readonly labels: Labels;
  readonly tags: readonly string[];
}

export type Changes<Id, Value> = ReadonlyMap<Id, Value | undefined>;

export interface EffectiveLabels {
  /** Takes the changes of a batch; answers with the endpoints that are seen differently (undefined: gone). */
  update(
    endpoints: Changes<EndpointId, Endpoint>,
    profiles: Changes<ProfileId, Profile>,
  ): Changes<EndpointId, LabelledEndpoint>;
}

/** Keeps the effective labels of all endpoints; a profile's change touches just the endpoints that name it. */
export function createEffectiveLabels(): EffectiveLabels {
  const known = new Map<EndpointId, LabelledEndpoint>();
  const profileById = new Map<ProfileId, Profile>();
  const users = new MultiMap<ProfileId, EndpointId>();
  const lookup: ProfileLookup = id => profileById.get(id);

  const setProfile = (id: ProfileId, profile: Profile | undefined): boolean => {
    const before = profileById.get(id);
    if (profile === undefined) profileById.delete(id);
    else profileById.set(id, profile);
    return !sameValue([before?.labels, before?.tags], [profile?.labels, profile?.tags]);
  };

  const relabel = (id: EndpointId, endpoint: Endpoint | undefined): LabelledEndpoint | undefined => {
    for (const profile of known.get(id)?.endpoint.profiles ?? []) users.delete(profile, id);
    if (endpoint === undefined) {
      known.delete(id);
      return undefined;
    }
    for (const profile of endpoint.profiles) users.add(profile, id);
    const labelled = {
      endpoint,
      labels: effectiveLabels(endpoint, lookup),
      tags: effectiveTags(endpoint, lookup),
    };
    known.set(id, labelled);
    return labelled;
  };

  return {
    update(endpoints, profiles) {
      const dirty = new Map<EndpointId, Endpoint | undefined>();
      for (const [id, profile] of profiles) {
        if (!setProfile(id, profile)) continue;
        for (const user of users.get(id)) dirty.set(user, known.get(user)?.endpoint);
      }
      for (const [id, endpoint] of endpoints) dirty.set(id, endpoint);

      const changed = new Map<EndpointId, LabelledEndpoint | undefined>();
      for (const [id, endpoint] of dirty) {
        const before = known.get(id);
        const after = relabel(id, endpoint);
        if (!sameValue(before, after)) changed.set(id, after);
      }
      return changed;
    },
  };
}
