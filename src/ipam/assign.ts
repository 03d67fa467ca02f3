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
import { commitOf, planAssignment, viewAfter, viewDuring } from './plan.js';
import type { Plan, PlanResult, PlannedRequest } from './plan.js';
import { untilCommitted } from './retry.js';
import type { Outcome } from './turns.js';
import { ownPart, readFreeView, readWholeView, staleClaims } from './view.js';
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

  /** Serves requests of one node with one commit; what one of them cannot get is no concern of the others. */
  async assign(requests: readonly AssignRequest[]): Promise<readonly Outcome<Assigned>[]> {
    const { clock } = this.#parts;
    const what = `assign to ${requests.map(({ handle }) => handle).join(', ')}`;
    try {
      return await untilCommitted(clock, what, async tries => {
        // A handle is new in nearly every case: only a conflict makes it worth reading.
        const handles = tries === 0 ? [] : requests.map(({ handle }) => handle);
        const counts = await this.#readHandles(handles);
        const { view, answers } = await this.#decide(requests);
        const planned = answers.filter(answer => 'plan' in answer);
        if (planned.length > 0 && !(await this.#commit(view, planned, counts))) return undefined;
        return answers.map((answer): Outcome<Assigned> =>
          'plan' in answer
            ? { kind: 'done', value: { addresses: answer.plan.addresses } }
            : { kind: 'failed', error: answer.error },
        );
      });
    } catch (error) {
      return requests.map(() => ({ kind: 'failed', error }));
    }
  }

  /** Fails as `assign` would, and assigns nothing. */
  async expectFree(request: Pick<AssignRequest, 'node' | 'count' | 'pools'>): Promise<void> {
    const { answers } = await this.#decide([{ ...request, handle: '' }]);
    for (const answer of answers) if ('error' in answer) throw answer.error;
  }

  async assignAddress(request: AddressRequest): Promise<void> {
    const ip = parseIp(request.address);
    if (ip === undefined) throw new CalicoError('invalid', `${request.address} is not an IP address`);
    const { clock, store } = this.#parts;
    await untilCommitted(clock, `assign ${request.address}`, async () => {
      const view = await readWholeView(store, request.node);
      const counts = await this.#readHandles([request.handle]);
      const plan = planAddress({ view, request, ip, now: clock.now() });
      const planned = [{ handle: request.handle, plan }];
      return (await this.#commit(view, planned, counts)) ? true : undefined;
    });
  }

  /** The narrowest view that can serve the requests, and what to take from it for each. */
  async #decide(
    requests: readonly AssignRequest[],
  ): Promise<{ readonly view: View; readonly answers: readonly Decided[] }> {
    const { clock, store } = this.#parts;
    const [{ node } = { node: '' }] = requests;
    const decided = (view: View) => ({ view, answers: decideAll(view, requests, clock.now()) });
    const isServed = ({ answers }: { readonly answers: readonly Decided[] }): boolean =>
      answers.every(answer => 'plan' in answer);
    const remembered = this.#views.get(node);
    if (remembered !== undefined) {
      const fromOwn = decided(remembered);
      if (isServed(fromOwn)) return fromOwn;
    }
    const withFree = decided(await this.#readFree(node));
    return isServed(withFree) ? withFree : decided(await readWholeView(store, node));
  }

  async #readFree(node: string): Promise<View> {
    const view = await readFreeView(this.#parts.store, node);
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

  /** Those that exist, by handle. */
  async #readHandles(handles: readonly string[]): Promise<ReadonlyMap<string, Seen<HandleCounts>>> {
    const { store } = this.#parts;
    const entries = await Promise.all(handles.map(async handle => store.get(handleKey(handle))));
    return new Map(
      handles.flatMap((handle, i) => {
        const entry = entries[i];
        if (entry === undefined) return [];
        return [[handle, { value: parseHandle(entry.value), modRevision: entry.modRevision }] as const];
      }),
    );
  }

  async #commit(
    view: View,
    planned: readonly PlannedRequest[],
    counts: ReadonlyMap<string, Seen<HandleCounts>>,
  ): Promise<boolean> {
    const result = await this.#parts.store.commit(commitOf({ view, planned, counts }));
    if (!result.committed) {
      this.#views.delete(view.node);
      return false;
    }
    const after = viewAfter(view, planned, result.revision);
    this.#views.set(view.node, view.scope === 'own' ? after : ownPart(after));
    return true;
  }
}

/** What a request gets, or why it gets nothing. */
type Decided = PlannedRequest | { readonly error: CalicoError };

/** Decides one request after the other, each on what those before it leave. */
function decideAll(view: View, requests: readonly AssignRequest[], now: number): readonly Decided[] {
  let left = view;
  let last: Plan | undefined;
  return requests.map(request => {
    // Not before there is a next one: most requests come alone.
    if (last !== undefined) left = viewDuring(left, last);
    const result = planAssignment(left, request, now);
    last = result.kind === 'planned' ? result.plan : undefined;
    return result.kind === 'planned'
      ? { handle: request.handle, plan: result.plan }
      : { error: shortage(result, request) };
  });
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
