import type { Cidr } from '../net/index.js';

/** Who holds an address: shown by `ipam show`, used by clean-up. Keys as Calico writes them. */
export type Attributes = Readonly<Record<string, string>>;

export interface AssignRequest {
  /** the node whose blocks are used */
  readonly node: string;
  /** all addresses of one owner are released by it: `<network>.<container id>` for CNI */
  readonly handle: string;
  readonly attributes?: Attributes;
  /** how many addresses of each version */
  readonly count: { readonly 4: number; readonly 6: number };
  /** restrict to these pools (each must exist and be enabled); absent: all enabled pools of the version */
  readonly pools?: readonly Cidr[];
  /** free addresses (canonical) that are passed over all the same: something on this host uses them */
  readonly avoid?: (address: string) => boolean;
}

export interface Assigned {
  /** canonical text, version 4 first */
  readonly addresses: readonly string[];
}

/** An address that is given out, and to whom. */
export interface Assignment {
  readonly address: string;
  readonly block: string;
  readonly handle: string | undefined;
  readonly attributes: Attributes;
  /** tells this holder of the address from the next; undefined in records of old */
  readonly sequence: number | undefined;
}

/** Whom an address is to be taken from: by another holder it is not released. */
export interface ExpectedHolder {
  readonly handle?: string | undefined;
  readonly sequence?: number | undefined;
}

/**
 * Gives out addresses from blocks that belong to nodes. Correct under contention of any number of hosts:
 * every change is one compare-and-swap commit, retried with back-off.
 */
export interface Allocator {
  /**
   * All or nothing: either every address asked for, or nothing assigned and a CalicoError: `exhausted` (no
   * address left; says in which pools), `not-found` (no pool, or not the one asked for).
   */
  assign(request: AssignRequest): Promise<Assigned>;
  /** Fails as `assign` would with this request, and assigns nothing. */
  expectFree(request: Pick<AssignRequest, 'node' | 'count' | 'pools'>): Promise<void>;
  /** Everything that is held on a node, wherever its block is. */
  assignmentsOn(node: string): Promise<readonly Assignment[]>;
  /**
   * This very address. `already-exists` when somebody holds it, `invalid` when no enabled pool covers it,
   * `conflict` when its block is of another node and affinity is strict.
   */
  assignAddress(
    request: Omit<AssignRequest, 'count' | 'pools' | 'avoid'> & { readonly address: string },
  ): Promise<void>;
  /** Everything the handle holds; the addresses released. An unknown handle holds nothing. */
  releaseByHandle(handle: string): Promise<readonly string[]>;
  /** False when nobody holds it; `conflict`, and nothing released, when it is not `expected` who does. */
  releaseAddress(address: string, expected?: ExpectedHolder): Promise<boolean>;
  lookup(address: string): Promise<Assignment | undefined>;
  addressesOf(handle: string): Promise<readonly string[]>;
  /** Gives up one empty block of the node; false when it is not its own, or in use. */
  releaseBlock(node: string, cidr: string): Promise<boolean>;
  /** Gives up the node's empty blocks, and the ownership of the others. */
  releaseAffinities(node: string): Promise<void>;
}
