import { defaultPolicySettings } from './settings/policy-settings.js';
import type { PolicySettings } from './settings/policy-settings.js';
import type { HostInterfaces } from './host-interfaces.js';
import type { Endpoint, EndpointId, ModelChange, Policy, PolicyId, Profile, ProfileId } from './model.js';

/** The whole model at one moment: what the evaluator judges a packet by. */
export interface Model {
  readonly endpoints: ReadonlyMap<EndpointId, Endpoint>;
  readonly policies: ReadonlyMap<PolicyId, Policy>;
  readonly profiles: ReadonlyMap<ProfileId, Profile>;
  /** canonical addresses of the hosts themselves, by name of the node */
  readonly hosts: ReadonlyMap<string, readonly string[]>;
  /** the interfaces of hosts, by name of the node, as far as they are known */
  readonly interfaces?: ReadonlyMap<string, HostInterfaces>;
  /** those of all hosts that have none of their own */
  readonly settings: PolicySettings;
  /** by name of the node */
  readonly hostSettings?: ReadonlyMap<string, PolicySettings>;
}

/** The settings in force on a host. */
export function settingsOn(
  { settings, hostSettings }: Pick<Model, 'settings' | 'hostSettings'>,
  node: string,
): PolicySettings {
  return hostSettings?.get(node) ?? settings;
}

/** Nothing in it, and every setting at its default. */
export const emptyModel: Model = {
  endpoints: new Map(),
  policies: new Map(),
  profiles: new Map(),
  hosts: new Map(),
  settings: defaultPolicySettings,
};

function changed<Id, Value>(map: Map<Id, Value>, id: Id, value: Value | undefined): void {
  if (value === undefined) map.delete(id);
  else map.set(id, value);
}

/** The model that a sequence of changes leads to, from `start` on. */
export function modelOf(changes: Iterable<ModelChange>, start: Model = emptyModel): Model {
  const [endpoints, policies, profiles] = [
    new Map(start.endpoints),
    new Map(start.policies),
    new Map(start.profiles),
  ];
  for (const change of changes) {
    switch (change.kind) {
      case 'endpoint':
        changed(endpoints, change.id, change.endpoint);
        break;
      case 'policy':
        changed(policies, change.id, change.policy);
        break;
      case 'profile':
        changed(profiles, change.id, change.profile);
        break;
      case 'pool':
        break; // pools decide over NAT, not over packets
    }
  }
  return { ...start, endpoints, policies, profiles };
}
