import { hostCidr, parseIp } from '../../net/index.js';
import type { IpVersion } from '../../net/index.js';
import type { Endpoint, EndpointId, FloatingAddress } from '../../policy/index.js';
import { family } from './base-rules.js';
import type { OwnedObjects } from './desired-ruleset.js';
import type { Chain, Rule, Side, Test } from './model.js';
import { baseNames } from './names.js';
import { makeRule } from './rule-text.js';

interface Translation extends FloatingAddress {
  readonly version: IpVersion;
}

function address(side: Side, text: string, version: IpVersion): Test {
  const ip = parseIp(text);
  if (ip?.version !== version) throw new Error(`not an IPv${String(version)} address: ${text}`);
  return { kind: 'nets', side, version, nets: [hostCidr(ip)], negated: false };
}

function inward({ external, internal, version }: Translation): Rule {
  return makeRule(
    [family(version), address('destination', external, version)],
    { kind: 'dnat', version, address: internal },
    'floating address',
  );
}

/** To itself by its floating address: it would take an answer to its own address for none. */
function hairpin({ external, internal, version }: Translation): Rule {
  return makeRule(
    [family(version), address('source', internal, version), address('destination', internal, version)],
    { kind: 'snat', version, address: external },
    'floating address, to itself',
  );
}

/** The first of those with the same key. */
function firstBy(translations: readonly Translation[], key: 'external' | 'internal'): readonly Translation[] {
  return [...new Map(translations.toReversed().map(each => [each[key], each])).values()].toReversed();
}

function chains(translations: readonly Translation[]): readonly Chain[] {
  if (translations.length === 0) return [];
  const rules = firstBy(translations, 'external').map(inward);
  const { floatingPrerouting, floatingOutput, floatingPostrouting } = baseNames;
  return [
    { name: floatingPrerouting, base: { type: 'nat', hook: 'prerouting', priority: -100 }, rules },
    // The host's own packets never come by there.
    { name: floatingOutput, base: { type: 'nat', hook: 'output', priority: -100 }, rules },
    {
      name: floatingPostrouting,
      base: { type: 'nat', hook: 'postrouting', priority: 99 },
      rules: firstBy(translations, 'internal').map(hairpin),
    },
  ];
}

/**
 * Other addresses of this host's workloads (policy-enforcement 7.3): what is sent to them goes to the workload's own.
 * Where two claim one, the first in the order of ids has it.
 */
export class FloatingAddresses {
  readonly #byEndpoint = new Map<EndpointId, readonly FloatingAddress[]>();
  #hasChanged = false;

  /** Takes the endpoint's, or with undefined forgets them. */
  set(id: EndpointId, endpoint: Endpoint | undefined): void {
    const before = this.#byEndpoint.get(id);
    const floating = endpoint?.adminUp === true ? (endpoint.floating ?? []) : [];
    if (floating === before || (floating.length === 0 && before === undefined)) return;
    this.#hasChanged = true;
    if (floating.length === 0) this.#byEndpoint.delete(id);
    else this.#byEndpoint.set(id, floating);
  }

  /** The chains as they shall be; undefined when nothing has changed since the last call. */
  takeChanged(): OwnedObjects | undefined {
    if (!this.#hasChanged) return undefined;
    this.#hasChanged = false;
    const ids = [...this.#byEndpoint.keys()].sort();
    const translations = ids.flatMap(id =>
      (this.#byEndpoint.get(id) ?? []).flatMap((each): readonly Translation[] => {
        const version = parseIp(each.internal)?.version;
        return version === undefined ? [] : [{ ...each, version }];
      }),
    );
    return { chains: chains(translations) };
  }
}
