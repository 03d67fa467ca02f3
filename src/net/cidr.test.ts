import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cidrText, ip } from '../../test/support/resources-arbitrary.js';
import {
  addressAt,
  canonicalCidr,
  contains,
  formatCidr,
  hostCidr,
  maskOf,
  networkOf,
  overlaps,
  parseCidr,
  sizeOf,
} from './index.js';
import type { Cidr } from './index.js';
import { formatIp, parseIp } from './ip.js';
import type { Ip } from './ip.js';

function network(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new Error(text);
  return cidr;
}

function address(text: string): Ip {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

describe('a network', () => {
  test.each([
    ['1.2.3.4/10', '1.0.0.0/10'],
    ['1.2.3.4/0', '0.0.0.0/0'],
    ['1.2.3.4/32', '1.2.3.4/32'],
    ['AA:bb::1/64', 'aa:bb::/64'],
    ['ffff::/0', '::/0'],
    ['::1/128', '::1/128'],
    ['::ffff:1.2.3.4/120', '1.2.3.0/24'],
    ['::ffff:1.2.3.4/96', '0.0.0.0/0'],
  ])('%s is written %s', (text, canonical) => {
    expect(canonicalCidr(text)).toBe(canonical);
  });

  test.each([
    '',
    '1.2.3.4',
    '1.2.3.4/',
    '/8',
    '1.2.3.4/33',
    '1.2.3.4/-1',
    '1.2.3.4/08',
    '1.2.3.4/8/8',
    '1.2.3.4/8 ',
    '1.2.3.4/1e1',
    '::/129',
    '::ffff:1.2.3.4/95',
    '1.2.3/8',
  ])('is not %j', text => {
    expect(parseCidr(text)).toBeUndefined();
  });

  test('is, or is not, any text whatever, and its canonical text is its own', () => {
    const piece = fc.constantFrom(
      '0',
      '1',
      '255',
      '256',
      'ff',
      '::',
      ':',
      '.',
      '/',
      '10.0.0.0',
      '/24',
      '/128',
      ' ',
      '-1',
      '1e1',
      '%eth0',
    );
    const near = fc.array(piece, { maxLength: 12 }).map(pieces => pieces.join(''));
    fc.assert(
      fc.property(fc.oneof(near, fc.string({ unit: 'binary' })), text => {
        const canonical = canonicalCidr(text);
        expect(canonical === undefined || canonicalCidr(canonical) === canonical).toBe(true);
      }),
      { numRuns: 2_000 },
    );
    expect(canonicalCidr(`${'1'.repeat(1_000_000)}/8`)).toBeUndefined();
    expect(canonicalCidr(`${':'.repeat(1_000_000)}/8`)).toBeUndefined();
  });

  test('survives being written and read', () => {
    fc.assert(
      fc.property(cidrText(), text => {
        expect(canonicalCidr(text)).toBe(text);
      }),
    );
  });

  test('holds its first and its last address and not the ones beside them', () => {
    fc.assert(
      fc.property(cidrText(), text => {
        const cidr = network(text);
        const size = sizeOf(cidr);
        expect([0n, size - 1n].map(index => contains(cidr, addressAt(cidr, index)))).toEqual([true, true]);
        const outside = [addressAt(cidr, -1n), addressAt(cidr, size)].filter(
          ({ bits }) => bits >= 0n && bits >> BigInt(cidr.version === 4 ? 32 : 128) === 0n,
        );
        expect(outside.some(each => contains(cidr, each))).toBe(false);
      }),
    );
  });

  test('holds another when it is no longer and the other starts with it', () => {
    expect(contains(network('10.0.0.0/8'), network('10.1.0.0/16'))).toBe(true);
    expect(contains(network('10.1.0.0/16'), network('10.0.0.0/8'))).toBe(false);
    expect(contains(network('10.0.0.0/8'), network('10.0.0.0/8'))).toBe(true);
    expect(contains(network('0.0.0.0/0'), address('::1'))).toBe(false);
    expect(overlaps(network('10.1.0.0/16'), network('10.0.0.0/8'))).toBe(true);
    expect(overlaps(network('10.1.0.0/16'), network('10.2.0.0/16'))).toBe(false);
  });

  test('around an address holds it, and of full length holds just it', () => {
    fc.assert(
      fc.property(ip(), fc.integer({ min: 0, max: 32 }), (each, length) => {
        expect(contains(networkOf(each, length), each)).toBe(true);
        expect(formatCidr(hostCidr(each))).toBe(`${formatIp(each)}/${each.version === 4 ? '32' : '128'}`);
        expect(sizeOf(hostCidr(each))).toBe(1n);
      }),
    );
    expect(maskOf(4, 20)).toBe(0xffff_f000n);
    expect(maskOf(6, 0)).toBe(0n);
  });
});
