import { describe, expect, test } from 'vitest';
import type { ActiveMatch, SetId } from '../../policy/index.js';
import { labelled } from './policy-rules.js';
import { createPortIndexer } from './port-index.js';

const portIndex = createPortIndexer();

const port = (protocol: number, number: number): ActiveMatch => ({
  protocol,
  destinationPorts: [{ min: number, max: number }],
});

/** The matches that are left in the bucket of `key`, after three rules that make an index worth while. */
function bucket(match: ActiveMatch, key: string): readonly ActiveMatch[] | undefined {
  const rules = [port(6, 80), port(6, 443), port(17, 53), match];
  const index = portIndex(
    labelled(
      'policy',
      'p',
      rules.map(each => ({ action: 'log', match: each })),
    ),
  );
  return index
    ?.bucketOf(key)
    .slice(1)
    .map(rule => rule.match);
}

describe('the bucket of a port', () => {
  test.each<[string, ActiveMatch, string, readonly ActiveMatch[]]>([
    ['leaves out a rule for another protocol', { protocol: 17 }, '6 . 80', []],
    ['leaves out a rule that excludes its protocol', { notProtocol: 6 }, '6 . 80', []],
    ['keeps a rule that excludes another protocol, without that test', { notProtocol: 6 }, '17 . 53', [{}]],
    ['leaves out ICMP', { icmp: { type: 8 } }, '6 . 80', []],
    [
      'leaves out what excludes its port',
      { protocol: 6, notDestinationPorts: [{ min: 1, max: 99 }] },
      '6 . 80',
      [],
    ],
    [
      'keeps what excludes other ports',
      { protocol: 6, notDestinationPorts: [{ min: 1, max: 79 }] },
      '6 . 80',
      [{}],
    ],
    ['leaves out ports without a protocol', { destinationPorts: [{ min: 80, max: 80 }] }, '6 . 80', []],
    [
      'keeps the protocol beside source ports',
      { protocol: 6, sourcePorts: [{ min: 1, max: 2 }] },
      '6 . 80',
      [{ protocol: 6, sourcePorts: [{ min: 1, max: 2 }] }],
    ],
    [
      'keeps a name beside a number, also of another port',
      { ...port(6, 81), destinationPortSets: ['n:a' as SetId] },
      '6 . 80',
      [{ ...port(6, 81), destinationPortSets: ['n:a' as SetId] }],
    ],
  ])('%s', (_, match, key, left) => {
    expect(bucket(match, key)).toStrictEqual(left);
  });

  test('ends with a rule that decides over everything that is left', () => {
    const rules = [port(6, 80), port(6, 81), port(6, 82), { protocol: 6 }, {}];
    const index = portIndex(
      labelled(
        'policy',
        'p',
        rules.map(match => ({ action: 'deny', match })),
      ),
    );
    expect(index?.bucketOf('6 . 80').map(rule => rule.label)).toStrictEqual(['p#0']);
    expect(index?.wild.map(rule => rule.label)).toStrictEqual(['p#3', 'p#4']);
  });
});
