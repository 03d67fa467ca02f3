import { parseCidr } from '../../net/index.js';
import { accept, family, ports, protocol } from './base-rules.js';
import type { NftConfig } from './config.js';
import { dropFor } from './drops.js';
import type { Chain, Rule, Test } from './model.js';
import { baseNames } from './names.js';
import { makeRule } from './rule-text.js';

const TCP = 6;
const wellKnown = { address: '169.254.169.254', port: 80 };

function toNet(text: string): Test {
  const net = parseCidr(text);
  if (net?.version !== 4) throw new Error(`not an IPv4 network: ${text}`);
  return { kind: 'nets', side: 'destination', version: 4, nets: [net], negated: false };
}

function toService({ address, port }: { readonly address: string; readonly port: number }): readonly Test[] {
  return [family(4), toNet(`${address}/32`), protocol(TCP), ports('destination', port)];
}

/** True for an address that is reached only when the kernel is told to route 127.0.0.0/8. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.');
}

/**
 * Before connection tracking: the kernel routes 127.0.0.0/8 for a metadata service on loopback, and nothing else of
 * the host there may be reached with it.
 */
export function loopbackRules({ metadata, interfacePrefixes }: NftConfig): readonly Rule[] {
  if (metadata === undefined || !isLoopback(metadata.address)) return [];
  return interfacePrefixes.map(prefix =>
    makeRule(
      [{ kind: 'interface-prefix', side: 'in', prefix }, family(4), toNet('127.0.0.0/8')],
      dropFor('loopback-destination'),
    ),
  );
}

/** What workloads ask of the well-known address goes to the service. */
export function metadataChains({ metadata, interfacePrefixes }: NftConfig): readonly Chain[] {
  if (metadata === undefined) return [];
  const rules = interfacePrefixes.map(prefix =>
    makeRule(
      [{ kind: 'interface-prefix', side: 'in', prefix }, ...toService(wellKnown)],
      { kind: 'dnat', version: 4, ...metadata },
      'metadata',
    ),
  );
  const base = { type: 'nat', hook: 'prerouting', priority: -100 } as const;
  return [{ name: baseNames.natPrerouting, base, rules }];
}

/** Of a workload's packets to its host: no policy keeps it from the service. */
export function metadataAllowance({ metadata }: NftConfig): readonly Rule[] {
  return metadata === undefined ? [] : [makeRule(toService(metadata), accept, 'metadata')];
}
