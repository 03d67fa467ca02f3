import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger, systemClock } from '../../src/base/index.js';
import { createNftDataplane } from '../../src/dataplane/index.js';
import { createPolicyGraph, evaluate, modelChangeFromV1, modelOf } from '../../src/policy/index.js';
import type { Model, ModelChange, Packet, PolicyId } from '../../src/policy/index.js';
import { identify, parseResource } from '../../src/resources/index.js';
import { createRange } from '../support/shots.js';
import type { Probe, Range } from '../support/shots.js';
import { createRouter } from '../support/wires.js';
import type { Router } from '../support/wires.js';

/** Rules at the edge of what may be written, from the resource to real packets, with the evaluator's opinion. */
const web = { interfaceName: 'calia1', addresses: ['10.65.0.1', 'fd80:65::1'] };
const db = { interfaceName: 'calib2', addresses: ['10.65.0.2', 'fd80:65::2'] };
const outside = { interfaceName: 'eth0', addresses: ['192.0.2.1', '2001:db8::1', '192.0.2.77'] };

let router: Router;
let range: Range;
let port = 1000;

function changeOf(value: unknown): ModelChange {
  const parsed = parseResource(value);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const { resource } = parsed;
  const change = modelChangeFromV1(resource.kind, identify(resource), resource);
  if (change === undefined) throw new Error(`${resource.kind} is not of policy`);
  return change;
}

function endpoint(
  { interfaceName, addresses }: typeof web,
  name: string,
  profiles: readonly string[],
): ModelChange {
  return changeOf({
    apiVersion: 'v1',
    kind: 'workloadEndpoint',
    metadata: { node: 'here', orchestrator: 'test', workload: name, name: 'eth0', labels: { role: name } },
    spec: {
      interfaceName,
      ipNetworks: addresses.map(ip => `${ip}/${ip.includes(':') ? '128' : '32'}`),
      profiles,
    },
  });
}

const openProfile = changeOf({
  apiVersion: 'v1',
  kind: 'profile',
  metadata: { name: 'open' },
  spec: { ingress: [{ action: 'allow' }], egress: [{ action: 'allow' }] },
});

interface Edge {
  readonly ingress: readonly unknown[];
  readonly name?: string;
  readonly selector?: string;
}

/** A policy with a name that the API refuses: in the datastore others may have put it. */
function named(name: string | undefined, change: ModelChange): ModelChange {
  if (name === undefined || change.kind !== 'policy' || change.policy === undefined) return change;
  const id = name as PolicyId;
  return { kind: 'policy', id, policy: { ...change.policy, id } };
}

/** The web is open, and on the way into the database the rules decide. */
function changesOf({ ingress, name, selector = "role == 'db'" }: Edge): readonly ModelChange[] {
  const policy = { selector, ingress, egress: [{ action: 'allow' }] };
  return [
    openProfile,
    endpoint(web, 'web', ['open']),
    endpoint(db, 'db', []),
    named(name, changeOf({ apiVersion: 'v1', kind: 'policy', metadata: { name: 'edge' }, spec: policy })),
  ];
}

/** The ways to the database that are tried, by name; each time as a new connection. */
function packets(): Readonly<Record<string, Packet>> {
  port += 1;
  const [web4 = '', web6 = '', out4 = '', out6 = ''] = [...web.addresses, ...outside.addresses];
  const [db4 = '', db6 = ''] = db.addresses;
  const four = { ipVersion: 4, destination: db4, sourcePort: port } as const;
  const six = { ipVersion: 6, destination: db6, sourcePort: port } as const;
  const icmp = { ipVersion: 4, destination: db4, protocol: 1, icmpCode: 0 } as const;
  return {
    'web tcp 80': { ...four, source: web4, protocol: 6, destinationPort: 80 },
    'web tcp 700': { ...four, source: web4, protocol: 6, destinationPort: 700 },
    'web udp 80': { ...four, source: web4, protocol: 17, destinationPort: 80 },
    'web v6 tcp 80': { ...six, source: web6, protocol: 6, destinationPort: 80 },
    'outside tcp 80': { ...four, source: out4, protocol: 6, destinationPort: 80 },
    'outside v6 tcp 80': { ...six, source: out6, protocol: 6, destinationPort: 80 },
    'echo reply': { ...icmp, source: web4, icmpType: 0 },
    'echo request': { ...icmp, source: web4, icmpType: 8 },
  };
}

const all = Object.keys(packets());
const from = (...names: readonly string[]): readonly string[] =>
  all.filter(each => names.some(name => each.startsWith(name)));
const allow = (match: object): readonly unknown[] => [{ action: 'allow', ...match }];
const many = Array.from({ length: 40 }, (_, index) => index * 30 + 80);
const long = 'n'.repeat(250);

/** What the edge is, and what of the above it lets in. */
const edges: Readonly<Record<string, readonly [edge: Edge, passing: readonly string[]]>> = {
  'networks that overlap': [
    { ingress: allow({ source: { nets: ['10.0.0.0/8', '10.65.0.0/16', '10.65.0.1/32'] } }) },
    [...from('web tcp', 'web udp', 'echo')],
  ],
  'a network that another one contains, denied before it': [
    {
      ingress: [
        { action: 'deny', source: { net: '10.65.0.0/24' } },
        ...allow({ source: { nets: ['0.0.0.0/0'] } }),
      ],
    },
    ['outside tcp 80'],
  ],
  '0.0.0.0/0': [
    { ingress: allow({ source: { net: '0.0.0.0/0' } }) },
    from('web tcp', 'web udp', 'outside tcp', 'echo'),
  ],
  'not 0.0.0.0/0': [{ ingress: allow({ source: { notNet: '0.0.0.0/0' } }) }, []],
  '::/0': [{ ingress: allow({ source: { net: '::/0' } }) }, ['web v6 tcp 80', 'outside v6 tcp 80']],
  'bits behind the prefix': [
    { ingress: allow({ source: { net: '10.65.0.77/24' } }) },
    from('web tcp', 'web udp', 'echo'),
  ],
  'an address with its length': [
    { ingress: allow({ protocol: 'tcp', source: { net: '192.0.2.1/32' } }) },
    ['outside tcp 80'],
  ],
  'IPv4 in the form of IPv6': [
    { ingress: allow({ source: { net: '::ffff:10.65.0.1/128' } }) },
    from('web tcp', 'web udp', 'echo'),
  ],
  'ICMP type 0': [{ ingress: allow({ protocol: 'icmp', icmp: { type: 0 } }) }, ['echo reply']],
  'not ICMP type 0': [{ ingress: allow({ protocol: 'icmp', notICMP: { type: 0 } }) }, ['echo request']],
  'a protocol by number, with ports': [
    { ingress: allow({ protocol: 6, destination: { ports: [80] } }) },
    ['web tcp 80', 'web v6 tcp 80', 'outside tcp 80', 'outside v6 tcp 80'],
  ],
  'more than 15 ports': [
    { ingress: allow({ protocol: 'tcp', destination: { ports: many } }) },
    all.filter(name => name.includes('tcp 80')),
  ],
  'more than 15 ports and ranges, negated': [
    { ingress: allow({ protocol: 'tcp', destination: { notPorts: [...many, '601:699'] } }) },
    ['web tcp 700'],
  ],
  'an empty selector': [{ selector: '', ingress: allow({ protocol: 'udp' }) }, ['web udp 80']],
  'a selector that matches nothing': [{ ingress: allow({ source: { selector: 'has(nothing)' } }) }, []],
  'not a selector that matches nothing': [
    { ingress: allow({ source: { notSelector: 'has(nothing)' } }) },
    all,
  ],
  'a selector of nobody in particular': [
    { ingress: allow({ source: { selector: "role not in {'db'}" } }) },
    from('web', 'echo'),
  ],
  'a name of 250 characters': [{ name: long, ingress: allow({ protocol: 'udp' }) }, ['web udp 80']],
  'a name that would inject': [
    { name: '"; flush ruleset; add table inet evil; # \\\n', ingress: allow({ protocol: 'udp' }) },
    ['web udp 80'],
  ],
};

async function passing(model: Model): Promise<{ kernel: readonly string[]; opinion: readonly string[] }> {
  const tried = Object.entries(packets());
  const wires = [web, db, outside];
  const wireOf = (address: string): string | undefined =>
    wires.find(wire => wire.addresses.includes(address))?.interfaceName;
  const probes = tried.map(([, packet]): Probe => ({
    packet,
    from: wireOf(packet.source),
    to: wireOf(packet.destination),
  }));
  // Nothing polices the way from the open web to the outside, nor from one outside address to another.
  const control = (source: string): Probe => ({
    packet: {
      ipVersion: 4,
      protocol: 17,
      source,
      destination: '192.0.2.77',
      sourcePort: 9,
      destinationPort: 9,
    },
    from: wireOf(source),
    to: 'eth0',
  });
  const shot = await range.shoot(probes, [control('10.65.0.1'), control('192.0.2.1')]);
  return {
    kernel: tried.flatMap(([name], index) => (shot[index] === true ? [name] : [])),
    opinion: tried.flatMap(([name, packet]) => (evaluate(model, packet).allowed ? [name] : [])),
  };
}

beforeAll(async () => {
  router = await createRouter([web, db, outside]);
  range = createRange(router);
});

afterAll(async () => {
  await router.remove();
});

describe('at the edge', () => {
  test.each(Object.entries(edges))(
    'kernel and evaluator let in what was meant: %s',
    async (_what, [edge, expected]) => {
      const driver = createNftDataplane({
        applier: router.applier,
        // An answer that nobody asked for is invalid, whatever policy says.
        config: { dropInvalid: false },
        log: silentLogger,
        clock: systemClock,
      });
      const changes = changesOf(edge);
      await driver.apply(createPolicyGraph('here').apply(changes));
      expect(driver.problems).toStrictEqual([]);
      await router.forgetConnections();
      const { kernel, opinion } = await passing(modelOf(changes));
      await driver.stop();
      const names = [...expected].sort();
      expect({ kernel: [...kernel].sort(), opinion: [...opinion].sort() }).toStrictEqual({
        kernel: names,
        opinion: names,
      });
    },
  );
});
