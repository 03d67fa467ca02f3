import { messageOf } from '../base/index.js';
import type { Clock, Logger } from '../base/index.js';
import type { ResourceClient, Store } from '../datastore/index.js';
import type { Allocator } from './allocator.js';
import { checkIpam } from './check.js';
import { describeProblem } from './problems.js';
import type { IpamProblem } from './problems.js';
import { repairIpam } from './repair.js';
import { usage } from './usage.js';

export interface AutoRepairParts {
  /** name of this node: it frees its own addresses only, and what removed nodes left */
  readonly node: string;
  readonly store: Store;
  readonly client: Pick<ResourceClient, 'list'>;
  readonly allocator: Allocator;
  readonly clock: Clock;
  readonly log: Logger;
  /** Addresses that an interface of this host has right now, whatever the datastore says: never freed. */
  readonly liveAddresses: () => Promise<ReadonlySet<string>>;
  /** What else is wrong on this host; it is mended after the same time. */
  readonly others?: () => Promise<readonly RepairCandidate[]>;
  /** how long something must have been wrong, at every look, before it is mended; default 15 minutes */
  readonly graceMs?: number;
  /** between two looks, on average; default 5 minutes */
  readonly everyMs?: number;
}

const defaultGraceMs = 15 * 60_000;
const defaultEveryMs = 5 * 60_000;

/** One look of the automatic repair; remembers what it saw before. */
export interface AutoRepair {
  /** Mends what was wrong at each look for the grace time; returns one line for each thing done. */
  look(): Promise<readonly string[]>;
}

/**
 * Releases addresses of this node whose endpoint is gone, blocks and addresses of nodes that were removed,
 * and empty blocks of this node beyond one of each IP version.
 */
export function createAutoRepair(parts: AutoRepairParts): AutoRepair {
  const { clock, graceMs = defaultGraceMs } = parts;
  let firstSeen = new Map<string, number>();
  return {
    look: async () => {
      const candidates = [
        ...((await parts.others?.()) ?? []),
        ...(await problemsToMend(parts)),
        ...(await sparesToReturn(parts)),
      ];
      const now = clock.now();
      // What is not wrong any more starts afresh when it is wrong again.
      firstSeen = new Map(candidates.map(({ id }) => [id, firstSeen.get(id) ?? now]));
      const due = candidates.filter(({ id }) => now - (firstSeen.get(id) ?? now) >= graceMs);
      const live = due.some(({ address }) => address !== undefined) ? await parts.liveAddresses() : new Set();
      const done: string[] = [];
      for (const { address, mend } of due) {
        if (address !== undefined && live.has(address)) continue;
        done.push(...(await mend()));
      }
      return done;
    },
  };
}

/** Something that is wrong, and how it is mended. */
export interface RepairCandidate {
  /** the same at the next look, unless something happened to it in between */
  readonly id: string;
  readonly address?: string;
  /** Returns a line for each thing done. */
  readonly mend: () => Promise<readonly string[]>;
}

async function problemsToMend(parts: AutoRepairParts): Promise<readonly RepairCandidate[]> {
  const { problems } = await checkIpam(parts);
  const removed = new Set(
    problems.flatMap(problem => (problem.kind === 'block-of-removed-host' ? [problem.node] : [])),
  );
  return problems
    .filter(problem => isOurs(problem, parts.node, removed))
    .map(problem => ({
      id: JSON.stringify(problem),
      ...(problem.kind === 'leaked' ? { address: problem.address } : {}),
      mend: async () => {
        const { repaired, left } = await repairIpam(parts, { problems: [problem] });
        for (const { reason } of left)
          parts.log.warn('not repaired', { problem: describeProblem(problem), reason });
        return repaired.map(describeProblem);
      },
    }));
}

/** Of a node that exists only itself may free addresses: it alone knows what is alive on it. */
function isOurs(problem: IpamProblem, node: string, removed: ReadonlySet<string>): boolean {
  if (problem.kind === 'block-of-removed-host') return true;
  if (problem.kind !== 'leaked') return false;
  if (problem.node !== undefined && removed.has(problem.node)) return true;
  // What does not say whose it is may have been assigned by hand.
  const { attributes } = problem;
  const saysWhose = attributes['containerid'] !== undefined || attributes['pod'] !== undefined;
  return problem.node === node && attributes['node'] === node && saysWhose;
}

async function sparesToReturn({
  store,
  node,
  allocator,
}: AutoRepairParts): Promise<readonly RepairCandidate[]> {
  const own = (await usage(store)).blocks.filter(block => block.node === node);
  return ([4, 6] as const).flatMap(version => {
    const ofVersion = own.filter(block => block.version === version);
    const empty = ofVersion.filter(({ used }) => used === 0);
    // One stays, so that the next address costs one commit.
    const spare = empty.length === ofVersion.length ? empty.slice(1) : empty;
    return spare.map(({ cidr }) => ({
      id: `spare ${cidr}`,
      mend: async () =>
        (await allocator.releaseBlock(node, cidr)) ? [`block ${cidr} is empty and not needed`] : [],
    }));
  });
}

/** Looks again and again until it is aborted; a look that fails is logged and does not end it. */
export async function runAutoRepair(parts: AutoRepairParts, signal: AbortSignal): Promise<void> {
  const { clock, log, everyMs = defaultEveryMs } = parts;
  const repair = createAutoRepair(parts);
  while (!signal.aborted) {
    try {
      // Not all hosts at once: they would be in each other's way.
      await clock.sleep(everyMs * (0.5 + clock.random()), signal);
    } catch {
      return;
    }
    try {
      for (const line of await repair.look()) log.info('address records repaired', { problem: line });
    } catch (error) {
      log.warn('address records could not be looked through; the next look comes', {
        error: messageOf(error),
      });
    }
  }
}
