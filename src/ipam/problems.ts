import type { Attributes } from './allocator.js';

/** Something in the records of addresses that is not as it must be. Plain data, so that a report can be a file. */
export type IpamProblem =
  /** held, but the endpoint that it was for is gone, or the host is */
  | {
      readonly kind: 'leaked';
      readonly address: string;
      readonly block: string;
      readonly node: string | undefined;
      readonly handle: string | undefined;
      readonly sequence: number | undefined;
      readonly attributes: Attributes;
    }
  /** an endpoint uses an address of a pool that nobody holds: it will be given to another */
  | {
      readonly kind: 'not-allocated';
      readonly address: string;
      /** `<node>/<orchestrator>/<workload>/<name>` */
      readonly endpoint: string;
      readonly node: string;
      /** what the repair assigns it to, and a DEL releases */
      readonly handle: string;
    }
  | {
      readonly kind: 'several-owners';
      readonly address: string;
      readonly endpoints: readonly string[];
    }
  | {
      readonly kind: 'outside-pools';
      readonly address: string;
      readonly block: string;
      readonly handle: string | undefined;
    }
  /** the handle counts more addresses in the block than it holds there */
  | HandleMismatch<'handle-without-addresses'>
  /** the handle counts fewer */
  | HandleMismatch<'addresses-without-handle'>
  /** a node claims a block that does not exist or that another owns */
  | {
      readonly kind: 'claim-without-block';
      readonly node: string;
      readonly block: string;
      readonly owner: string | undefined;
    }
  /** the owner of a block has no claim, or one that was not completed: the block is not routed */
  | { readonly kind: 'block-without-claim'; readonly node: string; readonly block: string }
  | { readonly kind: 'block-of-removed-host'; readonly node: string; readonly block: string }
  | { readonly kind: 'overlapping-blocks'; readonly blocks: readonly [string, string] }
  | { readonly kind: 'unreadable'; readonly key: string };

interface HandleMismatch<Kind extends string> {
  readonly kind: Kind;
  readonly handle: string;
  readonly block: string;
  readonly counted: number;
  readonly held: number;
}

/** One line for an operator. */
export function describeProblem(problem: IpamProblem): string {
  switch (problem.kind) {
    case 'leaked':
      return (
        `${problem.address} is held by ${problem.handle ?? 'nobody in particular'}` +
        `${problem.node === undefined ? '' : ` on ${problem.node}`}, but no endpoint has it`
      );
    case 'not-allocated':
      return `${problem.address} is used by ${problem.endpoint}, but it is not allocated`;
    case 'several-owners':
      return `${problem.address} is used by ${problem.endpoints.join(' and by ')}`;
    case 'outside-pools':
      return `${problem.address} is held by ${problem.handle ?? 'somebody'}, but in no pool`;
    case 'handle-without-addresses':
    case 'addresses-without-handle':
      return (
        `handle ${problem.handle} counts ${String(problem.counted)} in block ${problem.block}, ` +
        `but holds ${String(problem.held)}`
      );
    case 'claim-without-block':
      return problem.owner === undefined
        ? `${problem.node} claims block ${problem.block}, which does not exist or has no owner`
        : `${problem.node} claims block ${problem.block}, which ${problem.owner} owns`;
    case 'block-without-claim':
      return `${problem.node} owns block ${problem.block} without a completed claim: it is not routed`;
    case 'block-of-removed-host':
      return `block ${problem.block} belongs to ${problem.node}, which does not exist any more`;
    case 'overlapping-blocks':
      return `blocks ${problem.blocks.join(' and ')} overlap`;
    case 'unreadable':
      return `the record ${problem.key} cannot be read`;
  }
}
