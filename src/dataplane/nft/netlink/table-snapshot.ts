import { formatCidr, formatIp, maskOf, widthOf } from '../../../net/index.js';
import type { NftChain, NftElement, Nftables, ReadSet } from '../../../netlink/index.js';
import type {
  BaseChain,
  ChainSnapshot,
  ElementKey,
  Elements,
  ElementValue,
  KeyField,
  NftSet,
  RulesetSnapshot,
} from '../model.js';
import { tableName } from '../names.js';
import { fingerprintIn } from '../rule-text.js';
import { intervalsOf } from './intervals.js';
import type { Interval } from './intervals.js';
import { addressOf, keyFieldsOf, keyOfBytes } from './key-bytes.js';

/** With more chains than this the kernel's walk over all rules takes longer than one walk for each chain. */
const mostChainsAtOnce = 5000;

/** Reads while others change something are done again: the parts would not fit together. */
const readAttempts = 5;

function setOf({ name, key, verdicts, intervals, size }: ReadSet): NftSet {
  return {
    name,
    // A type that we do not know compares as different, which is all that is asked of it.
    key: keyFieldsOf(key.id) ?? [`type ${String(key.id)}` as KeyField],
    verdicts,
    ...(intervals ? { intervals: true } : {}),
    ...(size === undefined ? {} : { size }),
  };
}

/** As a network where it is one; otherwise a key that is in no desired set. */
function networkText({ first, last }: Interval): ElementKey {
  const [from, to] = [addressOf(first), addressOf(last)];
  const { version } = from;
  const width = widthOf(version);
  const differing = (from.bits ^ to.bits).toString(2);
  const length = from.bits === to.bits ? width : width - differing.length;
  const mask = maskOf(version, length);
  const isNetwork =
    (from.bits & mask) === from.bits && (to.bits & mask) === from.bits && !differing.slice(1).includes('0');
  return isNetwork ? formatCidr({ version, bits: from.bits, length }) : `${formatIp(from)}-${formatIp(to)}`;
}

function elementsOf(set: NftSet, elements: readonly NftElement[]): Elements {
  if (set.intervals === true) {
    return new Map(intervalsOf(elements).map(interval => [networkText(interval), null] as const));
  }
  return new Map(
    elements.map(({ key, verdict }): readonly [ElementKey, ElementValue] => [
      keyOfBytes(set.key, key),
      verdict ?? null,
    ]),
  );
}

function chainSnapshot({ hook }: NftChain, fingerprints: readonly string[]): ChainSnapshot {
  // As with a set's type: unknown ones only have to differ.
  return hook === undefined ? { fingerprints } : { base: hook as BaseChain, fingerprints };
}

function fingerprintsByChain(nftables: Nftables, chains: readonly NftChain[]): ReadonlyMap<string, string[]> {
  const byChain = new Map<string, string[]>(chains.map(({ name }) => [name, []]));
  const walks = chains.length > mostChainsAtOnce ? chains.map(({ name }) => name) : [undefined];
  for (const walk of walks) {
    for (const { chain, comment } of nftables.rules(tableName, walk)) {
      byChain.get(chain)?.push(fingerprintIn(comment));
    }
  }
  return byChain;
}

function readOnce(nftables: Nftables): RulesetSnapshot | undefined {
  if (!nftables.hasTable(tableName)) return undefined;
  const chains = nftables.chains(tableName);
  const fingerprints = fingerprintsByChain(nftables, chains);
  const sets = nftables.sets(tableName).map(info => ({ info, set: setOf(info) }));
  return {
    counters: new Set(nftables.counters(tableName).map(({ name }) => name)),
    chains: new Map(
      chains.map(chain => [chain.name, chainSnapshot(chain, fingerprints.get(chain.name) ?? [])] as const),
    ),
    sets: new Map(sets.map(({ set }) => [set.name, set] as const)),
    elements: new Map(
      sets.map(({ info, set }) => [set.name, readElements(nftables, set, info.count)] as const),
    ),
  };
}

/** None of a set whose keys we cannot spell: it is to be replaced anyway. */
function readElements(nftables: Nftables, set: NftSet, count: number | undefined): Elements {
  if (set.key.some(field => field.startsWith('type '))) return new Map();
  for (let attempt = 1; ; attempt++) {
    const elements = elementsOf(set, nftables.elements(tableName, set.name));
    // A hash that is just being made larger is not listed whole. What is missed nevertheless is only added again.
    const isWhole = set.intervals === true || count === undefined || elements.size >= count;
    if (isWhole || attempt === readAttempts) return elements;
  }
}

/** Our table as it is, all of it at one moment; undefined when there is none. */
export function tableSnapshot(nftables: Nftables): RulesetSnapshot | undefined {
  for (let attempt = 1; ; attempt++) {
    const generation = nftables.generation();
    try {
      const snapshot = readOnce(nftables);
      if (nftables.generation() === generation || attempt === readAttempts) return snapshot;
    } catch (error) {
      // A set or chain may go between two questions.
      if (nftables.generation() === generation || attempt === readAttempts) throw error;
    }
  }
}
