export { governed } from './desired.js';
export type { ActiveMatch, ActiveRule, ActiveRules, DataplaneUpdate, LocalEndpoint } from './desired.js';
export { evaluate } from './evaluate.js';
export { endpointName, explain, explainBriefly } from './explain.js';
export { modelChangeFromV1, workloadId } from './from-v1.js';
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
export type { Packet } from './packet.js';
export { emptyModel, modelOf } from './snapshot.js';
export type { Model } from './snapshot.js';
export type { Verdict } from './verdict.js';
