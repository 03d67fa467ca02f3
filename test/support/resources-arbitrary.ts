import * as fc from 'fast-check';
import { formatCidr, formatIp, networkOf } from '../../src/net/index.js';
import type { Ip, IpVersion } from '../../src/net/index.js';
import type { EntitySpec, Kind, Resource, ResourceOf, RuleSpec } from '../../src/resources/index.js';
import { selectorText } from './selector-arbitrary.js';

// Values as a resource holds them: canonical, absent fields absent, so that they survive a round trip unchanged.

export interface IpOptions {
  readonly version?: IpVersion;
}

const MAPPED = 0xffffn;

const ip4: fc.Arbitrary<Ip> = fc.bigInt({ min: 0n, max: 0xffff_ffffn }).map(bits => ({ version: 4, bits }));
/** Never IPv4 in IPv6 form, which would be version 4; often with many zero groups, for the compression. */
const ip6: fc.Arbitrary<Ip> = fc
  .oneof(
    fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
    fc
      .array(fc.constantFrom(0n, 0n, 1n, 0xffn, 0xffffn), { minLength: 8, maxLength: 8 })
      .map(groups => groups.reduce<bigint>((bits, group) => (bits << 16n) | group, 0n)),
  )
  .filter(bits => bits >> 32n !== MAPPED)
  .map(bits => ({ version: 6, bits }));

/** An address, of either version where none is given. */
export function ip({ version }: IpOptions = {}): fc.Arbitrary<Ip> {
  if (version === undefined) return fc.oneof(ip4, ip6);
  return version === 4 ? ip4 : ip6;
}

export function ipText(options: IpOptions = {}): fc.Arbitrary<string> {
  return ip(options).map(formatIp);
}

/** A network in canonical text, of at most `maxLength4`/`maxLength6` bits. */
export function cidrText({ maxLength4 = 32, maxLength6 = 128 } = {}): fc.Arbitrary<string> {
  return ip()
    .chain(address =>
      fc
        .integer({ min: 0, max: address.version === 4 ? maxLength4 : maxLength6 })
        .map(length => networkOf(address, length)),
    )
    .filter(network => network.version === 4 || network.bits >> 32n !== MAPPED)
    .map(formatCidr);
}

export const nameText: fc.Arbitrary<string> = fc.stringMatching(/^[a-zA-Z0-9_.-]{1,12}$/);
export const interfaceText: fc.Arbitrary<string> = fc.stringMatching(/^[a-zA-Z0-9_-]{1,15}$/);
export const labelKeyText: fc.Arbitrary<string> = fc.stringMatching(
  /^([a-zA-Z0-9.-]{0,5}\/)?[a-zA-Z0-9]([a-zA-Z0-9_.-]{0,5}[a-zA-Z0-9])?$/,
);
export const labelValueText: fc.Arbitrary<string> = fc.stringMatching(
  /^[a-zA-Z0-9]?([a-zA-Z0-9_.-]{0,5}[a-zA-Z0-9])?$/,
);
export const labels: fc.Arbitrary<Readonly<Record<string, string>>> = fc.dictionary(
  labelKeyText,
  labelValueText,
  {
    minKeys: 1,
    maxKeys: 4,
    noNullPrototype: true,
  },
);

const protocolName = fc.constantFrom('tcp', 'udp', 'icmp', 'icmpv6', 'sctp', 'udplite');
const protocol = fc.oneof(protocolName, fc.integer({ min: 1, max: 255 }));

export const portName: fc.Arbitrary<string> = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);

export const port: fc.Arbitrary<number | string> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 65_535 }), fc.integer({ min: 1, max: 65_535 }))
      .map(([a, b]) => (a === b ? a : a < b ? `${String(a)}:${String(b)}` : a)),
  },
  { weight: 1, arbitrary: portName },
);

const namedPorts = fc.array(
  fc.record(
    { name: portName, protocol, port: fc.integer({ min: 1, max: 65_535 }) },
    { noNullPrototype: true },
  ),
  { minLength: 1, maxLength: 3 },
);

const ports = fc.array(port, { minLength: 1, maxLength: 3 });
const nets = fc.array(cidrText(), { minLength: 1, maxLength: 3 });
const ruleSelector = selectorText.filter(text => text !== '');

function entity(withPorts: boolean): fc.Arbitrary<EntitySpec> {
  return fc
    .record(
      {
        tag: nameText,
        net: cidrText(),
        selector: ruleSelector,
        notTag: nameText,
        notNet: cidrText(),
        notSelector: ruleSelector,
        nets,
        notNets: nets,
        ...(withPorts ? { ports, notPorts: ports } : {}),
      },
      { requiredKeys: [], noNullPrototype: true },
    )
    .map(({ net, nets: several, notNet, notNets, ...rest }) => ({
      ...rest,
      // One network or several, not both.
      ...(net === undefined ? several !== undefined && { nets: several } : { net }),
      ...(notNet === undefined ? notNets !== undefined && { notNets } : { notNet }),
    }));
}

const icmp = fc.oneof(
  fc.record({ type: fc.integer({ min: 0, max: 254 }) }, { noNullPrototype: true }),
  fc.record(
    { type: fc.integer({ min: 0, max: 254 }), code: fc.integer({ min: 0, max: 255 }) },
    { noNullPrototype: true },
  ),
);

const ruleParts = {
  action: fc.constantFrom('allow' as const, 'deny' as const, 'log' as const, 'pass' as const),
  ipVersion: fc.constantFrom(4, 6),
  icmp,
  notProtocol: protocol,
  notICMP: icmp,
};

/** A rule with any of its criteria; ports only where the protocol has them. */
export const rule: fc.Arbitrary<RuleSpec> = fc.oneof(
  fc.record(
    { ...ruleParts, protocol, source: entity(false), destination: entity(false) },
    { requiredKeys: ['action', 'source', 'destination'], noNullPrototype: true },
  ),
  fc.record(
    {
      ...ruleParts,
      protocol: fc.constantFrom('tcp' as const, 'udp' as const, 6, 17),
      source: entity(true),
      destination: entity(true),
    },
    { requiredKeys: ['action', 'protocol', 'source', 'destination'], noNullPrototype: true },
  ),
) as fc.Arbitrary<RuleSpec>;

const rules = fc.array(rule, { minLength: 1, maxLength: 3 });
const names = fc.array(nameText, { minLength: 1, maxLength: 3 });
const asNumber = fc.integer({ min: 0, max: 0xffff_ffff });
/** Finite, and not -0, which JSON does not know. */
const order = fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => value + 0);

function whole<K extends Kind>(
  kind: K,
  metadata: fc.Arbitrary<object>,
  spec: fc.Arbitrary<object>,
): fc.Arbitrary<ResourceOf<K>> {
  // The records of this file have the fields of the definitions; the round trip in the tests proves it.
  return fc
    .tuple(metadata, spec)
    .map(
      parts => ({ apiVersion: 'v1', kind, metadata: parts[0], spec: parts[1] }) as unknown as ResourceOf<K>,
    );
}

const plain = { noNullPrototype: true } as const;

export const bgpPeer: fc.Arbitrary<ResourceOf<'bgpPeer'>> = whole(
  'bgpPeer',
  fc.oneof(
    fc.record({ scope: fc.constant('global'), peerIP: ipText() }, plain),
    fc.record({ scope: fc.constant('node'), node: nameText, peerIP: ipText() }, plain),
  ),
  fc.record({ asNumber }, plain),
);

const expectedIPs = fc
  .tuple(
    fc.array(ipText({ version: 4 }), { maxLength: 2 }),
    fc.array(ipText({ version: 6 }), { maxLength: 2 }),
  )
  .map(([four, six]) => [...four, ...six])
  .filter(all => all.length > 0);

export const hostEndpoint: fc.Arbitrary<ResourceOf<'hostEndpoint'>> = whole(
  'hostEndpoint',
  fc.record({ name: nameText, node: nameText, labels }, { requiredKeys: ['name', 'node'], ...plain }),
  fc.oneof(
    fc.record(
      { interfaceName: interfaceText, expectedIPs, profiles: names, ports: namedPorts },
      { requiredKeys: ['interfaceName'], ...plain },
    ),
    fc.record({ expectedIPs, profiles: names }, { requiredKeys: ['expectedIPs'], ...plain }),
  ),
);

const encapsulation = fc.record(
  { enabled: fc.constant(true), mode: fc.constantFrom('always', 'cross-subnet') },
  { requiredKeys: ['enabled'], ...plain },
);
const poolFlags = { 'nat-outgoing': fc.constant(true), disabled: fc.constant(true) };

/** Pools of both versions, as the sizes of their blocks differ; of the last size there is always room for a block. */
export const ipPool: fc.Arbitrary<ResourceOf<'ipPool'>> = fc.oneof(
  poolsOf(cidrText({ maxLength4: 26, maxLength6: 122 }), {}),
  poolsOf(fc.constantFrom('10.0.0.0/16', '10.1.0.0/24', '172.16.0.0/26'), {
    blockSize: fc.integer({ min: 26, max: 32 }),
  }),
);

function poolsOf(
  cidr: fc.Arbitrary<string>,
  more: { readonly blockSize?: fc.Arbitrary<number> },
): fc.Arbitrary<ResourceOf<'ipPool'>> {
  return whole(
    'ipPool',
    fc.record({ cidr }, plain),
    fc.oneof(
      fc.record({ ...poolFlags, ...more, ipip: encapsulation }, { requiredKeys: [], ...plain }),
      fc.record({ ...poolFlags, ...more, vxlan: encapsulation }, { requiredKeys: [], ...plain }),
    ),
  );
}

export const node: fc.Arbitrary<ResourceOf<'node'>> = whole(
  'node',
  fc.record({ name: nameText }, plain),
  fc.oneof(
    fc.constant({}),
    fc
      .record(
        {
          asNumber,
          ipv4Address: ipText({ version: 4 }),
          ipv6Address: ipText({ version: 6 }),
          routeReflectorClusterID: ipText({ version: 4 }),
        },
        { requiredKeys: [], ...plain },
      )
      .filter(bgp => 'ipv4Address' in bgp || 'ipv6Address' in bgp)
      .map(bgp => ({ bgp })),
  ),
);

export const policy: fc.Arbitrary<ResourceOf<'policy'>> = whole(
  'policy',
  fc.record({ name: nameText }, plain),
  fc
    .record(
      {
        order,
        ingress: rules,
        egress: rules,
        selector: selectorText,
        types: fc.subarray(['ingress', 'egress'], { minLength: 1 }),
        doNotTrack: fc.constant(true),
        applyOnForward: fc.constant(true),
      },
      { requiredKeys: ['selector'], ...plain },
    )
    .map(spec => (spec.doNotTrack === undefined ? spec : { ...spec, applyOnForward: true })),
);

export const profile: fc.Arbitrary<ResourceOf<'profile'>> = whole(
  'profile',
  fc.record({ name: nameText, tags: names, labels }, { requiredKeys: ['name'], ...plain }),
  fc.record({ ingress: rules, egress: rules }, { requiredKeys: [], ...plain }),
);

const addressing = expectedIPs.chain(own =>
  fc.record(
    {
      ipNetworks: fc.constant(own.map(each => (each.includes(':') ? `${each}/128` : `${each}/32`))),
      ipNATs: fc.tuple(...own.map(internalIP => nat(internalIP))),
    },
    { requiredKeys: ['ipNetworks'], ...plain },
  ),
);

function nat(internalIP: string): fc.Arbitrary<object> {
  return ipText({ version: internalIP.includes(':') ? 6 : 4 }).map(externalIP => ({
    internalIP,
    externalIP,
  }));
}

const keyPart = fc.stringMatching(/^[\w. :@-]{1,10}$/);
const macText = fc
  .array(fc.integer({ min: 0, max: 255 }), { minLength: 6, maxLength: 6 })
  .map(bytes => bytes.map(byte => byte.toString(16).padStart(2, '0')).join(':'));

export const workloadEndpoint: fc.Arbitrary<ResourceOf<'workloadEndpoint'>> = whole(
  'workloadEndpoint',
  fc.record(
    { name: nameText, workload: keyPart, orchestrator: keyPart, node: keyPart, labels },
    { requiredKeys: ['name', 'workload', 'orchestrator', 'node'], ...plain },
  ),
  fc
    .tuple(
      fc.record(
        {
          interfaceName: interfaceText,
          ipv4Gateway: ipText({ version: 4 }),
          ipv6Gateway: ipText({ version: 6 }),
          profiles: names,
          mac: macText,
          ports: namedPorts,
        },
        { requiredKeys: ['interfaceName'], ...plain },
      ),
      fc.oneof(fc.constant({}), addressing),
    )
    .map(([rest, addresses]) => ({ ...rest, ...addresses })),
);

/** A valid, canonical resource of each kind. */
export const resourceOfKind: { readonly [K in Kind]: fc.Arbitrary<ResourceOf<K>> } = {
  bgpPeer,
  hostEndpoint,
  ipPool,
  node,
  policy,
  profile,
  workloadEndpoint,
};

/** A valid, canonical resource of any kind. */
export const resource: fc.Arbitrary<Resource> = fc.oneof(
  ...Object.values<fc.Arbitrary<Resource>>(resourceOfKind),
);
