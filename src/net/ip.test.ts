import { isIP } from 'node:net';
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

describe('what is an address', () => {
  const piece = fc.constantFrom(
    '0',
    '1',
    'ff',
    'FFFF',
    '00bb',
    '12345',
    'g',
    ':',
    '::',
    '.',
    '1.2.3.4',
    '255',
    '256',
    '01',
    '%eth0',
    ' ',
    '\n',
    '',
  );
  const shaped = fc.array(piece, { maxLength: 18 }).map(pieces => pieces.join(''));
  const grouped = fc
    .array(fc.constantFrom('0', 'a', 'ffff', '', '1.2.3.4', '0123'), { minLength: 1, maxLength: 10 })
    .map(groups => groups.join(':'));
  const dotted = fc
    .array(fc.constantFrom('0', '9', '10', '99', '100', '199', '249', '255', '256', '00', '', '1000'), {
      minLength: 1,
      maxLength: 6,
    })
    .map(parts => parts.join('.'));

  test('is what the operating system takes, without a zone', () => {
    fc.assert(
      fc.property(fc.oneof(shaped, grouped, dotted, fc.string()), text => {
        expect(parseIp(text) !== undefined).toBe(isIP(text) !== 0 && !text.includes('%'));
      }),
      { numRuns: 20_000 },
    );
  });

  test.each([
    '::',
    '::1',
    '1::',
    '1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:1.2.3.4',
    '::1.2.3.4',
    '1::1.2.3.4',
    '::ffff:1.2.3.4',
    '1:2:3:4:5:6:7::',
    '0.0.0.0',
    '255.255.255.255',
  ])('takes %s', text => {
    expect(isIP(text)).not.toBe(0);
    expect(parseIp(text)).toBeDefined();
  });

  test.each([
    '1.2.3.4::',
    '1:2:3:4:5:6:7:8::',
    '1::2::3',
    ':::',
    ':1',
    '1:',
    '1:2:3:4:5:6:7:1.2.3.4',
    '1.2.3',
    '1.2.3.4.',
    '01.2.3.4',
    '::1%eth0',
    '1.2.3.4\n',
  ])('refuses %j', text => {
    expect(parseIp(text)).toBeUndefined();
  });
});
