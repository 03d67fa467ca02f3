import type { Action, Direction, EndpointId, PolicyId, ProfileId, RuleMatch, Stage } from './model.js';
import type { Located, Packet } from './packet.js';

/** Whose rule: a policy's or a profile's. */
export type RuleOwner =
  | { readonly kind: 'policy'; readonly id: PolicyId }
  | { readonly kind: 'profile'; readonly id: ProfileId };

/** One thing that was looked at on the way to a decision. */
export type Step = {
  readonly endpoint: EndpointId;
  readonly direction: Direction;
  readonly stage: Stage;
} & (
  | {
      readonly kind: 'rule';
      readonly owner: RuleOwner;
      /** from 0 */
      readonly index: number;
      readonly action: Action;
      /** the criteria that do not hold; none when the rule matches */
      readonly mismatches: readonly (keyof RuleMatch)[];
    }
  /** all rules were looked at, none has decided */
  | { readonly kind: 'undecided'; readonly owner: RuleOwner }
);

/** Why a packet passes a point, or does not. */
export type Decision =
  | {
      readonly kind: 'rule';
      readonly owner: RuleOwner;
      readonly index: number;
      readonly action: 'allow' | 'deny';
    }
  /** policies of the tier apply and none has decided: denied, profiles are not asked */
  | { readonly kind: 'end-of-tier'; readonly tier: string; readonly policies: readonly PolicyId[] }
  /** no policy applies, or it was passed, and no profile has decided: denied */
  | { readonly kind: 'end-of-profiles'; readonly profiles: readonly ProfileId[] }
  /** policies of a host endpoint apply at the stage and none has decided: a later stage may */
  | { readonly kind: 'no-verdict'; readonly policies: readonly PolicyId[] }
  /** the endpoint names a profile that does not exist: denied */
  | { readonly kind: 'missing-profile'; readonly id: ProfileId }
  /** denied before any policy is asked */
  | {
      readonly kind: 'built-in-deny';
      readonly reason:
        | 'unknown-endpoint'
        | 'endpoint-down'
        | 'spoofed-source'
        | 'router-message'
        | 'tunnel-packet'
        | 'ipv6-off';
    }
  /** allowed before any policy is asked */
  | { readonly kind: 'built-in-allow'; readonly reason: 'neighbour-discovery' | 'dhcp' | 'dns' | 'failsafe' }
  | { readonly kind: 'endpoint-to-host'; readonly action: 'drop' | 'return' | 'accept' }
  | {
      readonly kind: 'not-policed';
      readonly reason:
        | 'from-own-host'
        | 'same-endpoint'
        | 'host-traffic'
        | 'no-endpoint'
        | 'foreign-prefix'
        | 'drops-accepted';
    };

/** A point on the packet's way at which it is let through or stopped. */
export interface Crossing {
  readonly point: Direction | 'to-host' | 'unpoliced';
  /** present at `egress`, `ingress` and `to-host` */
  readonly endpoint?: EndpointId;
  /** at a host endpoint: at which of its stages; absent: `normal` */
  readonly stage?: Exclude<Stage, 'normal'>;
  readonly allowed: boolean;
  readonly decision: Decision;
}

export interface Verdict {
  readonly allowed: boolean;
  readonly packet: Packet;
  readonly source: Located;
  readonly destination: Located;
  /** the points in order; when the packet is denied, the last one is where */
  readonly path: readonly Crossing[];
  /** every policy, profile and rule that was looked at, in order */
  readonly steps: readonly Step[];
}
