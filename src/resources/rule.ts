import { cidr } from './address-fields.js';
import { optional, required } from './field.js';
import type { ValueOf } from './field.js';
import { list } from './list.js';
import { integer, port, protocol } from './number-fields.js';
import { inside, reportField } from './problem.js';
import type { Place } from './problem.js';
import { presentRecord, record } from './record.js';
import { choice, name, selector } from './text-fields.js';

/** One side of a packet; everything given must hold, one of several ports. */
const entity = presentRecord(
  {
    tag: optional(name()),
    net: cidr(),
    nets: list(cidr()),
    selector: optional(selector()),
    ports: list(port()),
    notTag: optional(name()),
    notNet: cidr(),
    notNets: list(cidr()),
    notSelector: optional(selector()),
    notPorts: list(port()),
  },
  {
    struct: 'EntityRule',
    check: ({ net, nets, notNet, notNets }, place) => {
      const complain = (several: string, one: string, value: unknown): void => {
        const goField = `${several.charAt(0).toUpperCase()}${several.slice(1)}`;
        reportField(inside(place, several), {
          value,
          expected: `no ${several} beside ${one}`,
          name: goField,
          reason: `only one of ${one} and ${several}`,
        });
      };
      if (net !== undefined && nets !== undefined) complain('nets', 'net', nets);
      if (notNet !== undefined && notNets !== undefined) complain('notNets', 'notNet', notNets);
    },
  },
);

export type EntitySpec = ValueOf<typeof entity>;

const icmp = record(
  {
    type: integer('an ICMP type from 0 to 254', type => type >= 0 && type <= 254),
    code: integer('an ICMP code from 0 to 255, together with a type'),
  },
  {
    struct: 'ICMPFields',
    dropEmpty: true,
    check: ({ type, code }, place, failed) => {
      if (code === undefined) return;
      const expected = 'an ICMP code from 0 to 255, together with a type';
      const at = inside(place, 'code');
      if (type === undefined && !failed.has('type')) {
        const reason = 'ICMP code specified without an ICMP type';
        reportField(at, { value: code, expected, name: 'Code', reason });
      } else if (code < 0 || code > 255) reportField(at, { value: code, expected });
    },
  },
);

/** One rule of a policy or a profile: everything given must hold, then the action is taken. */
export const rule = record(
  {
    action: required(choice(['allow', 'deny', 'log', 'pass'])),
    ipVersion: integer('4 or 6', version => version === 4 || version === 6),
    protocol: protocol(),
    icmp,
    notProtocol: protocol(),
    notICMP: icmp,
    source: entity,
    destination: entity,
  },
  {
    struct: 'Rule',
    check: (value, place, failed) => {
      if (failed.has('protocol') || hasPorts(value.protocol)) return;
      checkPorts('Source', value.source, inside(place, 'source'));
      checkPorts('Destination', value.destination, inside(place, 'destination'));
    },
  },
);

export type RuleSpec = ValueOf<typeof rule>;

/** v1 knows ports for TCP and UDP only, by name or number; a rule without protocol has none. */
function hasPorts(value: number | string | undefined): boolean {
  return value === 'tcp' || value === 'udp' || value === 6 || value === 17;
}

function checkPorts(side: 'Source' | 'Destination', spec: EntitySpec | undefined, place: Place): void {
  const complain = (ports: readonly (number | string)[] | undefined, key: string, goName: string): void => {
    if (ports === undefined) return;
    reportField(inside(place, key), {
      value: ports,
      expected: 'no ports, or protocol: tcp or udp in the same rule',
      name: `${side}.${goName}`,
      shown: `[${ports.join(' ')}]`,
      reason: 'protocol does not support ports',
    });
  };
  complain(spec?.ports, 'ports', 'Ports');
  complain(spec?.notPorts, 'notPorts', 'NotPorts');
}
