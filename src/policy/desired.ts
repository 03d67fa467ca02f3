import type {
  Action,
  Endpoint,
  EndpointId,
  Pool,
  PolicyId,
  ProfileId,
  RuleMatch,
  SetId,
  Stage,
} from './model.js';

/**
 * What the calculation graph tells the dataplane of this host. Selectors and tags have become IP sets; only
 * what a local endpoint uses is there.
 */
type SelectorField = `${string}${'Selector' | 'Tag' | 'PortNames'}`;

/**
 * A rule's match with sets in place of selectors, tags and names of ports. Several sets of addresses in one field
 * are ANDed; of several sets of ports, and of ports by number, one has to match.
 */
export type ActiveMatch = Omit<RuleMatch, SelectorField & keyof RuleMatch> & {
  readonly sourceSets?: readonly SetId[];
  /** matches when the address is in none of them */
  readonly notSourceSets?: readonly SetId[];
  readonly destinationSets?: readonly SetId[];
  readonly notDestinationSets?: readonly SetId[];
  readonly sourcePortSets?: readonly SetId[];
  /** matches when address, protocol and port are in none of them */
  readonly notSourcePortSets?: readonly SetId[];
  readonly destinationPortSets?: readonly SetId[];
  readonly notDestinationPortSets?: readonly SetId[];
};

export interface ActiveRule {
  readonly action: Action;
  readonly match: ActiveMatch;
}

export interface ActiveRules {
  readonly ingress: readonly ActiveRule[];
  readonly egress: readonly ActiveRule[];
}

/** The policies of one tier that match an endpoint and decide that direction, in order of evaluation. */
export interface EndpointTier {
  readonly name: string;
  readonly ingress: readonly PolicyId[];
  readonly egress: readonly PolicyId[];
}

/** An endpoint of this host with all that decides over its traffic. */
export interface LocalEndpoint {
  readonly endpoint: Endpoint;
  /** in order; tiers without a matching policy are left out */
  readonly tiers: readonly EndpointTier[];
  /** only for a host endpoint: what decides at the other stages, those without a policy left out */
  readonly stages?: StageTiers;
}

export type StageTiers = Readonly<Partial<Record<Exclude<Stage, 'normal'>, readonly EndpointTier[]>>>;

/**
 * Ordered so that each update may use what came before it and nothing is removed while it is used:
 * sets, policies, profiles, endpoints; then removals the other way round; pools last. Each object at most
 * once a batch.
 */
export type DataplaneUpdate =
  /** first message of a set: its full content; members are canonical addresses or CIDRs */
  | {
      readonly kind: 'set-created';
      readonly id: SetId;
      /** absent: addresses; `ports`: its members are `ADDRESS . PROTOCOL . PORT`, with the protocol's number */
      readonly content?: 'ports';
      readonly members: ReadonlySet<string>;
    }
  | {
      readonly kind: 'set-changed';
      readonly id: SetId;
      readonly added: readonly string[];
      readonly removed: readonly string[];
    }
  /** new, or with other rules */
  | { readonly kind: 'policy-updated'; readonly id: PolicyId; readonly rules: ActiveRules }
  | { readonly kind: 'profile-updated'; readonly id: ProfileId; readonly rules: ActiveRules }
  | { readonly kind: 'endpoint-updated'; readonly id: EndpointId; readonly local: LocalEndpoint }
  | { readonly kind: 'endpoint-removed'; readonly id: EndpointId }
  | { readonly kind: 'profile-removed'; readonly id: ProfileId }
  | { readonly kind: 'policy-removed'; readonly id: PolicyId }
  | { readonly kind: 'set-removed'; readonly id: SetId }
  /** all pools, whenever one changed */
  | { readonly kind: 'pools-updated'; readonly pools: readonly Pool[] };
