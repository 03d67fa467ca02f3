import { CalicoError } from '../../base/index.js';
import type {
  BaseChain,
  ChainSnapshot,
  Count,
  ElementKey,
  ElementValue,
  KeyField,
  NftSet,
  RulesetSnapshot,
} from './model.js';
import { fingerprintIn } from './rule-text.js';

/** One object of nft's JSON listing, as it comes: nothing about it is sure. */
type Raw = Readonly<Record<string, unknown>>;

function isRaw(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function part(raw: Raw, name: string): Raw | undefined {
  const value = raw[name];
  return isRaw(value) ? value : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** Spells a key as the model does; what the model does not know becomes a key that is in no desired set. */
function keyOf(raw: unknown): ElementKey {
  if (!isRaw(raw)) return text(raw);
  const element = part(raw, 'elem');
  if (element !== undefined) return keyOf(element['val']);
  if (Array.isArray(raw['concat'])) return raw['concat'].map(keyOf).join(' . ');
  const prefix = part(raw, 'prefix');
  if (prefix !== undefined) return `${text(prefix['addr'])}/${text(prefix['len'])}`;
  return JSON.stringify(raw);
}

function verdictOf(raw: unknown): ElementValue {
  if (!isRaw(raw)) return null;
  for (const kind of ['goto', 'jump'] as const) {
    const target = part(raw, kind);
    if (target !== undefined) return { kind, chain: text(target['target']) };
  }
  for (const kind of ['accept', 'drop', 'return'] as const) if (kind in raw) return { kind };
  return null;
}

function setOf(raw: Raw): NftSet {
  const size = raw['size'];
  return {
    name: text(raw['name']),
    // A type that we do not know compares as different, which is all that is asked of it.
    key: list(raw['type']).map(field => text(field) as KeyField),
    verdicts: raw['map'] !== undefined,
    ...(list(raw['flags']).includes('interval') ? { intervals: true } : {}),
    ...(typeof size === 'number' ? { size } : {}),
  };
}

function elementsOf(raw: Raw, set: NftSet): ReadonlyMap<ElementKey, ElementValue> {
  const host = set.key.includes('ipv6_addr') ? '/128' : '/32';
  return new Map(
    list(raw['elem']).map((element): readonly [ElementKey, ElementValue] => {
      if (set.verdicts && Array.isArray(element)) return [keyOf(element[0]), verdictOf(element[1])];
      const key = keyOf(element);
      return [set.intervals === true && !key.includes('/') ? `${key}${host}` : key, null];
    }),
  );
}

function baseOf(raw: Raw): BaseChain | undefined {
  if (raw['hook'] === undefined) return undefined;
  // As with a set's type: an unknown one only has to differ.
  return {
    type: text(raw['type']) as BaseChain['type'],
    hook: text(raw['hook']) as BaseChain['hook'],
    priority: Number(raw['prio']),
  };
}

function parsedListing(json: string): readonly unknown[] {
  const parsed: unknown = JSON.parse(json);
  if (!isRaw(parsed) || !Array.isArray(parsed['nftables'])) {
    throw new CalicoError('corrupt', 'nft list: the answer is not a listing');
  }
  return parsed['nftables'];
}

/** Reads what `nft -j -n list table` prints; nft lists a chain before its rules. */
export function parseListing(json: string): RulesetSnapshot {
  const sets = new Map<string, NftSet>();
  const elements = new Map<string, ReadonlyMap<ElementKey, ElementValue>>();
  const chains = new Map<string, ChainSnapshot & { readonly fingerprints: string[] }>();
  const counters = new Set<string>();
  for (const item of parsedListing(json)) {
    if (!isRaw(item)) continue;
    const counter = part(item, 'counter');
    if (counter !== undefined) counters.add(text(counter['name']));
    const rawSet = part(item, 'set') ?? part(item, 'map');
    const [rawChain, rule] = [part(item, 'chain'), part(item, 'rule')];
    if (rawSet !== undefined) {
      const set = setOf(rawSet);
      sets.set(set.name, set);
      elements.set(set.name, elementsOf(rawSet, set));
    } else if (rawChain !== undefined) {
      const base = baseOf(rawChain);
      chains.set(text(rawChain['name']), { fingerprints: [], ...(base === undefined ? {} : { base }) });
    } else if (rule !== undefined) {
      chains.get(text(rule['chain']))?.fingerprints.push(fingerprintIn(text(rule['comment'])));
    }
  }
  return { sets, chains, elements, counters };
}

/** Reads what `nft -j list counters table` prints: by name. */
export function parseCounters(json: string): ReadonlyMap<string, Count> {
  return new Map(
    parsedListing(json).flatMap(item => {
      const counter = isRaw(item) ? part(item, 'counter') : undefined;
      if (counter === undefined) return [];
      const { name, packets, bytes } = counter;
      return [[text(name), { packets: Number(packets), bytes: Number(bytes) }] as const];
    }),
  );
}
