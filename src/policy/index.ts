export { governed } from './desired.js';
export type {
  ActiveMatch,
  ActiveRule,
  ActiveRules,
  DataplaneUpdate,
  EndpointTier,
  LocalEndpoint,
} from './desired.js';
export { evaluate } from './evaluate.js';
export { endpointName, explain, explainBriefly } from './explain.js';
export {
  endpointFromV1,
  hostId,
  modelChangeFromV1,
  policyFromV1,
  poolFromV1,
  profileFromV1,
  workloadId,
} from './from-v1.js';
export type { Converted, V1Change } from './from-v1.js';
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
export type { Located, Packet, Place } from './packet.js';
export { emptyModel, modelOf } from './snapshot.js';
export type { Model, PolicySettings } from './snapshot.js';
export type { Crossing, Decision, RuleOwner, Step, Verdict } from './verdict.js';
