export type {
  ActiveMatch,
  ActiveRule,
  ActiveRules,
  DataplaneUpdate,
  EndpointTier,
  LocalEndpoint,
  StageTiers,
} from './desired.js';
export { effectiveLabels } from './effective-labels.js';
export { evaluate } from './evaluate.js';
export { changeFor } from './change-for.js';
export { explain, explainBriefly } from './explain.js';
export { endpointName } from './explain-words.js';
export { defaultFailsafePorts } from './failsafe-ports.js';
export type { FailsafePort } from './failsafe-ports.js';
export { modelChangeFromV1, workloadId } from './from-v1.js';
export { createPolicyGraph } from './graph.js';
export type { PolicyGraph } from './graph.js';
export { claimsOnInterfaces } from './host-interfaces.js';
export type { HostInterfaces } from './host-interfaces.js';
export type {
  Action,
  Direction,
  Endpoint,
  EndpointId,
  FloatingAddress,
  IcmpMatch,
  Labels,
  ModelChange,
  NamedPort,
  Policy,
  PolicyId,
  Pool,
  Profile,
  ProfileId,
  Rule,
  RuleMatch,
  Rules,
  SetId,
  Stage,
} from './model.js';
export type { Hop, Packet, Place } from './packet.js';
export { policyParameterNames, policyParameters, policySettingsFrom } from './settings/policy-settings.js';
export { bool, ipv4OrNone, oneOf } from './settings/value-types.js';
export type { ValueType } from './settings/value-types.js';
export { emptyModel, modelOf } from './snapshot.js';
export type { Model } from './snapshot.js';
export type { Verdict } from './verdict.js';
