import type { Clock } from '../base/index.js';
import type { EndpointPlumbing, HostEndpointStates, NftDataplane } from '../dataplane/index.js';
import type { ClusterEvent, ResourceClient, Store } from '../datastore/index.js';
import type { HostNetwork } from '../netlink/index.js';
import type { ClusterWatch } from './cluster-watch.js';
import type { AgentConfig } from './config.js';
import type { FelixSettings, LocalSettings } from './felix-config/index.js';
import type { Parts } from './lifecycle.js';
import type { HistoryTrim } from './history-trim.js';
import type { AdjustableLogger } from './log.js';
import type { Measurements } from './measurements.js';

export interface AgentContext {
  readonly config: AgentConfig;
  /** the parameters in environment and file */
  readonly local: LocalSettings;
  readonly log: AdjustableLogger;
  readonly clock: Clock;
  /** whose name the history has beside what the agent changes */
  readonly user: string;
  /** ends a start that waits for the datastore */
  readonly signal: AbortSignal;
}

/** What the parts that need the datastore are built on. */
export interface Ground extends AgentContext {
  readonly parts: Parts;
  readonly settings: FelixSettings;
  readonly measurements: Measurements;
  readonly network: HostNetwork;
  readonly nft: NftDataplane;
  readonly store: Store;
  readonly client: ResourceClient;
  /** for clients with another author */
  readonly trim: HistoryTrim;
  readonly fail: (error: unknown) => void;
}

/** What the parts are built on that act on the cluster's events. */
export interface Wiring extends Ground {
  readonly plumbing: EndpointPlumbing;
  readonly hostStates: HostEndpointStates;
  readonly cluster: FollowedCluster;
}

/** The cluster's events from the first listing on, to be taken once. */
export interface FollowedCluster {
  readonly watch: ClusterWatch;
  readonly events: AsyncIterable<ClusterEvent>;
  end(): void;
}
