import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ip } from '../../test/support/resources-arbitrary.js';
import { canonicalIp, formatIp, parseIp } from './ip.js';

describe('an address', () => {
  test.each([
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['::FFFF:102:304', '1.2.3.4'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['00bb::AA', 'bb::aa'],
    ['::00bb:0:0:0:0:0:aa', '0:bb::aa'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:0:2:0:0:3:4', '1::2:0:0:3:4'],
    ['1:2:3:0:5:6:7:8', '1:2:3:0:5:6:7:8'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
    ['::1.2.3.4', '::102:304'],
  ])('%s is written %s', (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical);
  });

  test.each([
    '',
    ' 1.2.3.4',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '256.1.1.1',
    '1.2.3.4/32',
    '1.2.3.4\n',
    'fe80::1%eth0',
    ':::',
    '1:2:3:4:5:6:7:8:9',
    'g::',
    '::12345',
    '0x1.2.3.4',
  ])('is not %j', text => {
    expect(parseIp(text)).toBeUndefined();
  });

  test('survives being written and read', () => {
    fc.assert(
      fc.property(ip(), address => {
        expect(parseIp(formatIp(address))).toEqual(address);
      }),
      { numRuns: 2000 },
    );
  });

  test('has the text that the URL standard gives it, which is that of RFC 5952', () => {
    fc.assert(
      fc.property(ip({ version: 6 }), address => {
        expect(`[${formatIp(address)}]`).toBe(new URL(`http://[${formatIp(address)}]`).hostname);
      }),
    );
  });
});
