import { parseCidr, sizeOf } from '../net/index.js';
import { cidr } from './address-fields.js';
import { defineResource } from './definition.js';
import { identifier } from './field.js';
import type { PresentField } from './field.js';
import { flag, integer } from './number-fields.js';
import { inside, reportField } from './problem.js';
import { record } from './record.js';
import { choice } from './text-fields.js';

/** One block of addresses: the least that a pool must hold. */
const MIN_ADDRESSES = 64n;

/** A block record lists every address, so that 4,096 of them are the most. */
const BLOCK_SIZES = 'the length of the networks it is cut into: 20 to 32 (IPv4), 116 to 128 (IPv6)';

function isBlockSize(length: number): boolean {
  return (length >= 20 && length <= 32) || (length >= 116 && length <= 128);
}

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
    // Of later versions.
    blockSize: integer(BLOCK_SIZES, isBlockSize),
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
  checkWhole: ({ metadata, spec: { blockSize } }, place) => {
    const range = parseCidr(metadata.cidr);
    if (blockSize === undefined || range === undefined) return;
    const least = range.version === 4 ? 20 : 116;
    const most = least + 12;
    if (blockSize >= Math.max(least, range.length) && blockSize <= most) return;
    const expected = `a length from ${String(Math.max(least, range.length))} to ${String(most)} in ${metadata.cidr}`;
    reportField(inside(inside(place, 'spec'), 'blockSize'), { value: blockSize, expected });
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
