import { formatCidr } from '../../net/index.js';
import type { IpVersion } from '../../net/index.js';
import type { Pool } from '../../policy/index.js';
import { withoutOverlap } from './match/nets.js';
import type { Chain, Elements, NftSet, Rule } from './model.js';
import { baseNames, contentName } from './names.js';
import { makeRule } from './rule-text.js';

export interface NatObjects {
  readonly chains: readonly Chain[];
  readonly sets: readonly { readonly set: NftSet; readonly elements: Elements }[];
}

function netSet(version: IpVersion, pools: readonly Pool[]): NatObjects['sets'][number] {
  const nets = withoutOverlap(pools.map(pool => pool.cidr)).map(formatCidr);
  return {
    // Named by content: an interval set is replaced, never changed (its overlaps cannot be updated in place).
    set: {
      name: contentName(version === 4 ? 'pool4-' : 'pool6-', nets.join()),
      key: [version === 4 ? 'ipv4_addr' : 'ipv6_addr'],
      verdicts: false,
      intervals: true,
    },
    elements: new Map(nets.map(net => [net, null])),
  };
}

/** The host's own packets to workloads elsewhere get the tunnel's address, to which those know the way back. */
function throughTunnel(device: string): Rule {
  return makeRule(
    [
      { kind: 'out-interface', name: device },
      { kind: 'local-source', of: 'host', negated: false },
      { kind: 'local-source', of: 'outgoing', negated: true },
    ],
    { kind: 'masquerade' },
    'tunnel source',
  );
}

/**
 * What leaves a pool with NAT-outgoing for an address in no pool gets the host's address. Without such a pool
 * there is nothing: an empty NAT hook would cost every new flow.
 */
export function natOutgoing(pools: readonly Pool[], tunnels: readonly string[]): NatObjects {
  const sets: NatObjects['sets'][number][] = [];
  const rules: Rule[] = [];
  for (const version of [4, 6] as const) {
    const all = pools.filter(pool => pool.cidr.version === version);
    const masqueraded = all.filter(pool => pool.natOutgoing);
    if (masqueraded.length === 0) continue;
    const [from, to] = [netSet(version, masqueraded), netSet(version, all)];
    sets.push(from, to);
    const inSet = { kind: 'in-set', version, length: version === 4 ? 32 : 128 } as const;
    rules.push(
      makeRule(
        [
          { kind: 'family', version },
          { ...inSet, side: 'source', set: from.set.name, negated: false },
          { ...inSet, side: 'destination', set: to.set.name, negated: true },
        ],
        { kind: 'masquerade' },
        'nat-outgoing',
      ),
    );
  }
  rules.push(...tunnels.map(throughTunnel));
  if (rules.length === 0) return { chains: [], sets: [] };
  const base = { type: 'nat', hook: 'postrouting', priority: 100 } as const;
  return { chains: [{ name: baseNames.natPostrouting, base, rules }], sets };
}
