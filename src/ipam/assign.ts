import { CalicoError } from '../base/index.js';
import type { Clock, Logger } from '../base/index.js';
import { contains, formatCidr, networkOf, parseIp } from '../net/index.js';
import type { Ip } from '../net/index.js';
import type { Store } from '../datastore/index.js';
import type { AssignRequest, Assigned } from './allocator.js';
import { newBlock, ordinalOf, ownerOf, takeOrdinal } from './block.js';
import type { Block } from './block.js';
import { parseHandle } from './codec.js';
import type { HandleCounts } from './codec.js';
import { handleKey } from './keys.js';
import { commitOf, planAssignment, viewAfter } from './plan.js';
import type { Plan, PlanResult } from './plan.js';
import { untilCommitted } from './retry.js';
import { ownPart, readOwnView, readWholeView, staleClaims } from './view.js';
import type { Seen, SeenPool, View } from './view.js';

export interface AssignParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

type AddressRequest = Omit<AssignRequest, 'count' | 'pools' | 'avoid'> & { readonly address: string };

/**
 * Assigns addresses. It remembers the blocks of a node as it last saw them, so that an assignment from them
 * is a single commit without reading; what others changed meanwhile shows as a conflict and is read again.
 */
export class Assigner {
  readonly #parts: AssignParts;
  readonly #views = new Map<string, View>();

  constructor(parts: AssignParts) {
    this.#parts = parts;
  }

  /** Takes note of a block that was changed elsewhere in this process. */
  learn(block: Block, modRevision: number): void {
    const name = formatCidr(block.cidr);
    for (const [node, view] of this.#views) {
      if (!view.blocks.has(name)) continue;
      const blocks = new Map(view.blocks).set(name, { value: block, modRevision });
      this.#views.set(node, ownPart({ ...view, blocks }));
    }
  }

  async assign(request: AssignRequest): Promise<Assigned> {
    const { clock } = this.#parts;
    if (request.count[4] + request.count[6] === 0) return { addresses: [] };
    let counts: Seen<HandleCounts> = { value: {}, modRevision: 0 };
    return await untilCommitted(clock, `assign to ${request.handle}`, async tries => {
      // A handle is new in nearly every case: only a conflict makes it worth reading.
      if (tries > 0) counts = await this.#readHandle(request.handle);
      const { view, plan } = await this.#decide(request);
      const done = await this.#commit(view, plan, request.handle, counts);
      return done ? { addresses: plan.addresses } : undefined;
    });
  }

  /** Fails as `assign` would, and assigns nothing. */
  async expectFree(request: Pick<AssignRequest, 'node' | 'count' | 'pools'>): Promise<void> {
    await this.#decide({ ...request, handle: '' });
  }

  async assignAddress(request: AddressRequest): Promise<void> {
    const ip = parseIp(request.address);
    if (ip === undefined) throw new CalicoError('invalid', `${request.address} is not an IP address`);
    const { clock, store } = this.#parts;
    await untilCommitted(clock, `assign ${request.address}`, async () => {
      const view = await readWholeView(store, request.node);
      const counts = await this.#readHandle(request.handle);
      const plan = planAddress({ view, request, ip, now: clock.now() });
      return (await this.#commit(view, plan, request.handle, counts)) ? true : undefined;
    });
  }

  /** The narrowest view that can serve the request, and what to take from it. */
  async #decide(request: AssignRequest): Promise<{ readonly view: View; readonly plan: Plan }> {
    const { clock, store } = this.#parts;
    const remembered = this.#views.get(request.node);
    const own = remembered ?? (await this.#readOwn(request.node));
    const first = planAssignment(own, request, clock.now());
    if (first.kind === 'planned') return { view: own, plan: first.plan };
    const whole = await readWholeView(store, request.node);
    const second = planAssignment(whole, request, clock.now());
    if (second.kind === 'planned') return { view: whole, plan: second.plan };
    throw shortage(second, request);
  }

  async #readOwn(node: string): Promise<View> {
    const view = await readOwnView(this.#parts.store, node);
    for (const { key, modRevision } of staleClaims(view)) {
      // Somebody else owns the block: a lost race. Losing this commit too only means that it was repaired.
      this.#parts.log.warn('removing a claim on a block that another node owns', { key });
      await this.#parts.store.commit({
        conditions: [{ key, modRevision }],
        writes: [{ kind: 'delete', key }],
      });
    }
    return view;
  }

  async #readHandle(handle: string): Promise<Seen<HandleCounts>> {
    const entry = await this.#parts.store.get(handleKey(handle));
    return entry === undefined
      ? { value: {}, modRevision: 0 }
      : { value: parseHandle(entry.value), modRevision: entry.modRevision };
  }

  async #commit(view: View, plan: Plan, handle: string, counts: Seen<HandleCounts>): Promise<boolean> {
    const result = await this.#parts.store.commit(commitOf({ view, plan, handle, counts }));
    if (result.committed) this.#views.set(view.node, ownPart(viewAfter(view, plan, result.revision)));
    else this.#views.delete(view.node);
    return result.committed;
  }
}

/** Decides how to take one certain address. Fails with `invalid`, `already-exists` or `conflict`. */
function planAddress(options: {
  readonly view: View;
  readonly request: AddressRequest;
  readonly ip: Ip;
  readonly now: number;
}): Plan {
  const { view, request, ip, now } = options;
  const pool = view.pools.find(candidate => candidate.enabled && contains(candidate.cidr, ip));
  if (pool === undefined) throw outsidePools(view.pools, ip, request.address);
  const { strictAffinity, autoAllocateBlocks } = view.config.value;
  const known = [...view.blocks.values()].find(({ value }) => contains(value.cidr, ip))?.value;
  const cidr = known?.cidr ?? networkOf(ip, pool.blockLength);
  const name = formatCidr(cidr);
  if (known === undefined && view.recorded.has(name)) {
    throw new CalicoError('corrupt', `the record of block ${name} cannot be read`);
  }
  const owned = known === undefined ? autoAllocateBlocks : ownerOf(known) === view.node;
  if (!owned && (strictAffinity || known === undefined)) {
    throw new CalicoError(
      'conflict',
      `${request.address}: Block host affinity does not match (block ${name})`,
    );
  }
  const block = known ?? newBlock(cidr, view.node, now);
  const holder = { handle: request.handle, attributes: request.attributes ?? {} };
  const taken = takeOrdinal(block, ordinalOf(block, ip) ?? -1, holder);
  if (taken === undefined) {
    throw new CalicoError('already-exists', `${request.address}: Address already assigned in block ${name}`);
  }
  return { addresses: [request.address], changes: [{ block: taken, taken: 1, pool }] };
}

function outsidePools(pools: readonly SeenPool[], ip: Ip, address: string): CalicoError {
  const disabled = pools.find(pool => contains(pool.cidr, ip));
  return new CalicoError(
    'invalid',
    disabled === undefined
      ? `The provided IP address is not in a configured pool: ${address}`
      : `The provided IP address is in a disabled pool: ${address} in ${formatCidr(disabled.cidr)}`,
  );
}

function shortage(result: Exclude<PlanResult, { kind: 'planned' }>, request: AssignRequest): CalicoError {
  if (result.kind === 'no-pool') return new CalicoError('not-found', result.message);
  const { version, got, pools, reason } = result;
  return new CalicoError(
    'exhausted',
    `Assigned ${String(got)} out of ${String(request.count[version])} requested IPv${String(version)} addresses; ` +
      `${reason ?? `No IPs available in pools: [${pools.join(', ')}]`}; 'calicoctl ipam check' finds leaked ones`,
  );
}
