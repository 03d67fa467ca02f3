export { governed } from './desired.js';
export type {
  ActiveMatch,
  ActiveRule,
  ActiveRules,
  DataplaneUpdate,
  EndpointTier,
  LocalEndpoint,
} from './desired.js';
export { createPolicyGraph } from './graph.js';
export type { PolicyGraph } from './graph.js';
export type {
  Action,
  Direction,
  Endpoint,
  EndpointId,
  IcmpMatch,
  Labels,
  ModelChange,
  Policy,
  PolicyId,
  Pool,
  Profile,
  ProfileId,
  Rule,
  RuleMatch,
  Rules,
  SetId,
} from './model.js';
