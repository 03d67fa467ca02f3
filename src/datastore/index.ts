export { createResourceClient } from './client.js';
export type { ResourceClientOptions } from './client.js';
export {
  agentStatusKeys,
  endpointStatusPrefixes,
  hostEndpointStatusKey,
  workloadStatusKey,
} from './codec/status.js';
export { deferred } from './deferred.js';
export { etcdConfig, etcdVariables, namesEtcd } from './etcd/config.js';
export type { EtcdSettings } from './etcd/config.js';
export { checkIdentifiers } from './plan-writes.js';
export { createHistory } from './history/history.js';
export type { Difference, History, Revision, RevisionQuery } from './history/history.js';
export type { Author } from './history/record.js';
export type { Rollback, RollbackRequest } from './history/roll-back.js';
export { subjectId } from './history/subject.js';
export { trimHistory } from './history/trim-history.js';
export type { ChangeKind, Subject, SubjectChange, SubjectState } from './history/subject.js';
export { openStore, storeExists } from './open.js';
export type { StoreConfig } from './open.js';
export type {
  ClusterChange,
  ClusterEvent,
  ResourceChange,
  ResourceClient,
  ResourceWrite,
  SettingName,
  SettingWrite,
  Verb,
  WriteOutcome,
} from './resource-client.js';
export type {
  Commit,
  CommitResult,
  Condition,
  Entry,
  ListOptions,
  Listing,
  Store,
  WatchChange,
  WatchEvent,
  WatchOptions,
  Write,
} from './store.js';
