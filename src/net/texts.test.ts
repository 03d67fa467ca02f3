import { describe, expect, test } from 'vitest';
import {
  canonicalMac,
  formatPortRange,
  isProtocolName,
  parseAsNumber,
  protocolNumbers,
  protocolText,
} from './index.js';

describe('an AS number', () => {
  test.each([
    ['0', 0],
    ['64512', 64512],
    ['4294967295', 4294967295],
    ['0065', 65],
    ['1.10', 65546],
    ['00.01', 1],
    ['65535.65535', 4294967295],
  ])('%s is %d', (text, value) => {
    expect(parseAsNumber(text)).toBe(value);
  });

  test.each(['', '4294967296', '65536.1', '1.65536', '1.1.1', '-1', '+1', '1.', '.1', '1e3', ' 1', '0x1'])(
    'is not %j',
    text => {
      expect(parseAsNumber(text)).toBeUndefined();
    },
  );
});

describe('a hardware address', () => {
  test.each([
    ['AA:bb:0c:DD:ee:ff', 'aa:bb:0c:dd:ee:ff'],
    ['aa-bb-0c-dd-ee-ff', 'aa:bb:0c:dd:ee:ff'],
    ['aabb.0cdd.eeff', 'aa:bb:0c:dd:ee:ff'],
    ['aa:bb:0c:dd:ee:ff:00:11', 'aa:bb:0c:dd:ee:ff:00:11'],
    [Array(20).fill('0a').join('-'), Array(20).fill('0a').join(':')],
  ])('%s is written %s', (text, canonical) => {
    expect(canonicalMac(text)).toBe(canonical);
  });

  test.each([
    '',
    'aa:bb',
    'aa:bb:0c:dd:ee',
    'aa:bb-0c:dd-ee:ff',
    'aabbccddeeff',
    'aa:bb:0c:dd:ee:fg',
    'a:b:c:d:e:f',
    'aabb.0cdd',
    'aa:bb:0c:dd:ee:ff\n',
  ])('is not %j', text => {
    expect(canonicalMac(text)).toBeUndefined();
  });
});

describe('a protocol', () => {
  test('has the name that rules use, or its number', () => {
    expect(Object.values(protocolNumbers).map(protocolText)).toEqual(Object.keys(protocolNumbers));
    expect(protocolText(47)).toBe('47');
    expect(['tcp', 'TCP', 'constructor', ''].map(isProtocolName)).toEqual([true, false, false, false]);
  });
});

describe('a range of ports', () => {
  test('of one port is written as that port', () => {
    expect(formatPortRange({ min: 80, max: 80 })).toBe('80');
    expect(formatPortRange({ min: 1, max: 65_535 })).toBe('1:65535');
  });
});
