import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCalicoError } from '../base/index.js';
import { ReplyReader } from './bird-reply.js';
import type { BirdReply } from './bird-reply.js';
import { formatPeers } from './peer-table.js';
import { parseProtocols, parseRouteCounts } from './status.js';

const PROTOCOLS = [
  '2002-Name       Proto      Table      State  Since         Info',
  '1002-device1    Device     ---        up     06:26:38      ',
  ' own_addr   Direct     ---        up     06:26:38      ',
  ' kernel4    Kernel     master4    up     06:26:38      ',
  ' Mesh_172_31_9_2 BGP        ---        up     06:26:38      Established   ',
  ' Mesh_fd31_9__2 BGP        ---        start  06:26:39      Active        Socket: Connection refused',
  ' Global_10_0_0_1 BGP       ---        start  2016-11-21    Idle          BGP Error: Bad BGP identifier',
  ' Node_10_0_0_9 BGP        ---        down   2016-11-21 06:26:38.123  Failed',
  ' Node_10_0_0_8 BGP        ---        down   06:26:38      ',
  ' Meshd_172_31_9_3 BGP      ---        up     06:26:38      Established',
  ' Mesh_nonsense BGP         ---        up     06:26:38      Established',
  '0000 ',
  '',
].join('\n');

function reply(text: string): BirdReply {
  const [first] = new ReplyReader().push(text);
  if (first === undefined) throw new Error('a whole reply');
  return first;
}

describe('a reply of BIRD', () => {
  test('is the same however its bytes are cut', () => {
    const text = `0001 BIRD 2.0.12 ready.\n${PROTOCOLS}0016 Access restricted\n`;
    const whole = new ReplyReader().push(text);
    expect(whole.map(({ code }) => code)).toEqual([1, 0, 16]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 8 }), cuts => {
        const reader = new ReplyReader();
        const ends = [...cuts, text.length].sort((x, y) => x - y);
        const replies = ends.flatMap((end, i) => reader.push(text.slice(ends[i - 1] ?? 0, end)));
        expect(replies).toEqual(whole);
      }),
    );
  });

  test('that is garbage is called so, and nothing worse happens', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '2002-Name',
        '1002-Mesh_1',
        ' x',
        '0000 ',
        '1007-1 of 1 routes',
        '+note',
        ...PROTOCOLS.split('\n'),
      ),
    );
    const outcome = (text: string): unknown => {
      try {
        for (const one of new ReplyReader().push(text)) {
          parseRouteCounts(one);
          formatPeers(parseProtocols(one), 4);
        }
        return 'read';
      } catch (error) {
        return isCalicoError(error, 'corrupt') ? 'refused' : error;
      }
    };
    fc.assert(
      fc.property(fc.array(line), pieces => {
        expect(['read', 'refused']).toContain(outcome(`${pieces.join('\n')}\n`));
      }),
      { numRuns: 500 },
    );
  });

  test('without end is given up after 16 MB', () => {
    const reader = new ReplyReader();
    const chunk = 'x'.repeat(1024 * 1024);
    expect(() => {
      for (let i = 0; i < 20; i++) reader.push(chunk);
    }).toThrow('a reply without end');
  });
});

describe('the sessions that BIRD shows', () => {
  test('are those of ours, with the state, the time and the whole info', () => {
    const rows = parseProtocols(reply(PROTOCOLS)).map(({ version, address, type, state, since, info }) =>
      [version, address, type, state, since, info].join('|'),
    );
    expect(rows).toEqual([
      '4|172.31.9.2|node-to-node mesh|up|06:26:38|Established',
      '6|fd31:9::2|node-to-node mesh|start|06:26:39|Active Socket: Connection refused',
      '4|10.0.0.1|global|start|2016-11-21|Idle BGP Error: Bad BGP identifier',
      '4|10.0.0.9|node specific|down|2016-11-21 06:26:38.123|Failed',
      '4|10.0.0.8|node specific|down|06:26:38|',
    ]);
  });

  test('are read from BIRD 1, too', () => {
    const text =
      '2002-name     proto    table    state  since       info\n1002-Mesh_1_2_3_4 BGP master up 06:26:38 Established\n0000 \n';
    expect(parseProtocols(reply(text))).toHaveLength(1);
  });

  test.each([
    ['2002-name proto table state since info extra\n0000 \n', 'unknown BIRD table output format'],
    ['2002-Name Proto Table State Since Info\n1003-x\n0000 \n', 'unexpected output line from BIRD'],
    ['9001 syntax error\n', 'unexpected output line from BIRD'],
  ])('are refused in another form: %j', (text, message) => {
    expect(() => parseProtocols(reply(text))).toThrow(message);
  });

  test('stand in the table of node status, one section for each IP version', () => {
    const peers = parseProtocols(reply(PROTOCOLS));
    const mesh = peers.filter(({ type, version }) => type === 'node-to-node mesh' && version === 4);
    expect(formatPeers(mesh, 4)).toBe(
      [
        'IPv4 BGP status',
        '+--------------+-------------------+-------+----------+-------------+',
        '| PEER ADDRESS |     PEER TYPE     | STATE |  SINCE   |    INFO     |',
        '+--------------+-------------------+-------+----------+-------------+',
        '| 172.31.9.2   | node-to-node mesh | up    | 06:26:38 | Established |',
        '+--------------+-------------------+-------+----------+-------------+',
      ].join('\n'),
    );
    expect(formatPeers(mesh, 6)).toBe('IPv6 BGP status\nNo IPv6 peers found.');
    expect(formatPeers(peers, 6)).toMatch(/\| Active Socket: Connection \|\n\|( +\|){4} refused +\|\n/);
  });

  test('come with the number of routes of each version', () => {
    const text = [
      '1007-5 of 5 routes for 5 networks in table master4',
      ' 1 of 1 routes for 1 networks in table master6',
      '0014 Total: 6 of 6 routes for 6 networks in 2 tables',
      '',
    ].join('\n');
    expect(parseRouteCounts(reply(text))).toEqual({ 4: 5, 6: 1 });
  });
});
