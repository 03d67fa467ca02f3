import { parseCidr, sizeOf } from '../net/index.js';
import { cidr } from './address-fields.js';
import { defineResource } from './definition.js';
import { identifier } from './field.js';
import type { PresentField } from './field.js';
import { flag } from './number-fields.js';
import { inside, reportField } from './problem.js';
import { record } from './record.js';
import { choice } from './text-fields.js';

/** One block of addresses: the least that a pool must hold. */
const MIN_ADDRESSES = 64n;

/** A range the allocator may hand addresses from; its CIDR is its identity and cannot change. */
export const ipPool = defineResource({
  kind: 'ipPool',
  goName: 'IPPool',
  description: 'a range of addresses for workloads; its CIDR is its identity and cannot change',
  words: ['ippool', 'ippools', 'ipp', 'ipps', 'pool', 'pools'],
  metadata: { cidr: poolCidr() },
  spec: {
    ipip: encapsulation('IPIPConfiguration'),
    'nat-outgoing': flag(),
    disabled: flag(),
    // Of later versions, where it is `vxlanMode`.
    vxlan: encapsulation('VXLANConfiguration'),
  },
  check: ({ ipip, vxlan }, place) => {
    if (ipip?.enabled !== true || vxlan?.enabled !== true) return;
    const expected = 'not together with ipip: a packet is wrapped once';
    reportField(inside(inside(place, 'vxlan'), 'enabled'), {
      value: true,
      expected,
      name: 'VXLAN',
      reason: 'a pool has either ipip or vxlan',
    });
  },
  identity: metadata => `IPPool(cidr=${metadata.cidr})`,
  identifiers: () => ['cidr'],
  columns: {
    CIDR: { cell: pool => pool.metadata.cidr },
    NAT: { show: 'wide', cell: pool => String(pool.spec['nat-outgoing'] ?? false) },
    IPIP: { show: 'wide', cell: pool => String(pool.spec.ipip?.enabled ?? false) },
    DISABLED: { show: 'extra', cell: pool => String(pool.spec.disabled ?? false) },
  },
});

/**
 * Disabled and absent are one thing: `enabled: false` reads back as no encapsulation at all. Without a mode every
 * packet between hosts is wrapped; `cross-subnet` spares those between neighbours.
 */
function encapsulation(struct: string) {
  const mode = choice(['always', 'cross-subnet']);
  return record({ enabled: flag(), mode }, { struct, dropEmpty: true });
}

function poolCidr(): PresentField<string> {
  const expected = 'a network of at least 64 addresses (IPv4 /26, IPv6 /122 or larger)';
  const any = cidr();
  return identifier({
    ...any,
    expected,
    takesNull: true,
    read: (value, place) => {
      const text = any.read(value, place);
      const network = text === undefined ? undefined : parseCidr(text);
      if (text === undefined || network === undefined || sizeOf(network) >= MIN_ADDRESSES) return text;
      return reportField(place, { value: text, expected, name: 'CIDR', reason: 'IP pool is too small' });
    },
  });
}
