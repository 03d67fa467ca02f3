import { maskOf, widthOf } from '../../../net/index.js';
import type { Cidr, IpVersion } from '../../../net/index.js';
import {
  cmp,
  connectionState,
  limit,
  lookup,
  masked,
  meta,
  outsideRange,
  sourceType,
  payload,
} from '../../../netlink/index.js';
import type { Expression } from '../../../netlink/index.js';
import { rateUnits } from '../model.js';
import type { ConntrackState, Side, Test } from '../model.js';
import { interfacePrefixText, interfaceText, nameText } from '../text.js';
import { anonymousSet } from './anonymous-set.js';
import type { AnonymousSet, AnonymousSetOptions, SetNumbers } from './anonymous-set.js';
import { intervalElements, joinedIntervals } from './intervals.js';
import { addressBytes, keyTypeOf, portBytes } from './key-bytes.js';

/** What a rule consists of while it is put together. */
export interface RuleProgram {
  readonly expressions: Expression[];
  /** sets that must be there before the rule */
  readonly sets: AnonymousSet[];
  readonly numbers: SetNumbers;
  /** the family that the rule has tested for: an address is read only of packets that have one */
  family: IpVersion | undefined;
}

/** Source and destination address in the header, by version. */
const addressOffsets: Readonly<Record<IpVersion, Readonly<Record<Side, number>>>> = {
  4: { source: 12, destination: 16 },
  6: { source: 8, destination: 24 },
};
const portOffsets: Readonly<Record<Side, number>> = { source: 0, destination: 2 };
/** `NFPROTO_IPV4` and `NFPROTO_IPV6` */
const families: Readonly<Record<IpVersion, number>> = { 4: 2, 6: 10 };
/** bits of `enum ip_conntrack_info`, as nft has them */
const stateBits: Readonly<Record<ConntrackState, number>> = {
  invalid: 1,
  established: 2,
  related: 4,
  untracked: 64,
};

/** `RTN_LOCAL`: the type of a route to an address of this host */
const RTN_LOCAL = 2;

const operator = (negated: boolean): '==' | '!=' => (negated ? '!=' : '==');

/** Four bytes in the order of this machine. */
export function hostU32(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function requireFamily(program: RuleProgram, version: IpVersion): void {
  if (program.family === version) return;
  program.family = version;
  program.expressions.push(meta('nfproto'), cmp('==', Uint8Array.of(families[version])));
}

function loadAddress(version: IpVersion, side: Side, length = widthOf(version) / 8): Expression {
  return payload({ header: 'network', offset: addressOffsets[version][side], length });
}

function maskBytes(version: IpVersion, length: number): Uint8Array {
  return addressBytes({ version, bits: maskOf(version, length) });
}

function lookUpAnonymous(program: RuleProgram, options: AnonymousSetOptions, negated: boolean): void {
  const made = anonymousSet(program.numbers, options);
  program.sets.push(made);
  program.expressions.push(lookup({ set: made.set.name, id: made.set.id }, negated));
}

function oneNet({ version, bits, length }: Cidr, side: Side, negated: boolean): readonly Expression[] {
  const address = addressBytes({ version, bits });
  if (length > 0 && length % 8 === 0) {
    // Whole bytes need no mask.
    const bytes = length / 8;
    return [loadAddress(version, side, bytes), cmp(operator(negated), address.subarray(0, bytes))];
  }
  return [loadAddress(version, side), masked(maskBytes(version, length)), cmp(operator(negated), address)];
}

function lastOf({ version, bits, length }: Cidr): Uint8Array {
  return addressBytes({ version, bits: bits | ((1n << BigInt(widthOf(version) - length)) - 1n) });
}

function addNets(program: RuleProgram, { version, side, nets, negated }: TestOf<'nets'>): void {
  requireFamily(program, version);
  const [first] = nets;
  if (first !== undefined && nets.length === 1) {
    program.expressions.push(...oneNet(first, side, negated));
    return;
  }
  program.expressions.push(loadAddress(version, side));
  const key = keyTypeOf([version === 4 ? 'ipv4_addr' : 'ipv6_addr']);
  const intervals = nets.map(net => ({ first: addressBytes(net), last: lastOf(net) }));
  const elements = intervalElements(joinedIntervals(intervals));
  lookUpAnonymous(program, { key, elements, intervals: true }, negated);
}

function addPorts(program: RuleProgram, { side, ranges, negated }: TestOf<'ports'>): void {
  program.expressions.push(payload({ header: 'transport', offset: portOffsets[side], length: 2 }));
  const intervals = ranges.map(({ min, max }) => ({ first: portBytes(min), last: portBytes(max) }));
  const [first] = intervals;
  const areSingle = ranges.every(({ min, max }) => min === max);
  if (first === undefined || intervals.length > 1) {
    const elements = areSingle ? intervals.map(each => ({ key: each.first })) : intervalElements(intervals);
    const key = keyTypeOf(['inet_service']);
    lookUpAnonymous(program, { key, elements, intervals: !areSingle }, negated);
  } else if (areSingle) program.expressions.push(cmp(operator(negated), first.first));
  else if (negated) program.expressions.push(outsideRange(first.first, first.last));
  else program.expressions.push(cmp('>=', first.first), cmp('<=', first.last));
}

function addInSet(program: RuleProgram, test: TestOf<'in-set'>): void {
  const { version, side, length, negated } = test;
  requireFamily(program, version);
  program.expressions.push(loadAddress(version, side));
  if (length < widthOf(version)) program.expressions.push(masked(maskBytes(version, length)));
  program.expressions.push(lookup({ set: nameText(test.set) }, negated));
}

function addIcmpTypes(program: RuleProgram, { types }: TestOf<'icmp-types'>): void {
  program.expressions.push(payload({ header: 'transport', offset: 0, length: 1 }));
  const [first] = types;
  if (first !== undefined && types.length === 1) {
    program.expressions.push(cmp('==', Uint8Array.of(first)));
    return;
  }
  const elements = types.map(type => ({ key: Uint8Array.of(type) }));
  const key = { id: integerType, length: 1, byteOrder: 'big-endian' } as const;
  lookUpAnonymous(program, { key, elements, intervals: false }, false);
}

/** nft's number for a value that is only a number. */
const integerType = 4;

function addIcmp(program: RuleProgram, { type, code, negated }: TestOf<'icmp'>): void {
  const bytes = code === undefined ? Uint8Array.of(type) : Uint8Array.of(type, code);
  program.expressions.push(
    payload({ header: 'transport', offset: 0, length: bytes.length }),
    cmp(operator(negated), bytes),
  );
}

function addInterfacePrefix(program: RuleProgram, { side, prefix }: TestOf<'interface-prefix'>): void {
  // Checked as for text; compared without the zero byte at the end it is a prefix.
  interfacePrefixText(prefix);
  program.expressions.push(
    meta(side === 'in' ? 'iifname' : 'oifname'),
    cmp('==', new TextEncoder().encode(prefix)),
  );
}

function addSourceOnInterface(program: RuleProgram, { version, set }: TestOf<'source-on-interface'>): void {
  requireFamily(program, version);
  program.expressions.push(
    loadAddress(version, 'source'),
    // Behind the address, in registers of four bytes.
    meta('iifname', widthOf(version) / 32),
    lookup({ set: nameText(set) }, false),
  );
}

function addPortInSet(program: RuleProgram, { version, side, set, negated }: TestOf<'port-in-set'>): void {
  requireFamily(program, version);
  // Address, protocol and port one behind the other, in registers of four bytes.
  const behind = widthOf(version) / 32;
  program.expressions.push(
    loadAddress(version, side),
    meta('l4proto', behind),
    payload({ header: 'transport', offset: portOffsets[side], length: 2, into: behind + 1 }),
    lookup({ set: nameText(set) }, negated),
  );
}

function addConntrack({ expressions }: RuleProgram, { states, negated }: TestOf<'conntrack'>): void {
  const bits = states.reduce((sum, state) => sum | stateBits[state], 0);
  expressions.push(connectionState(), masked(hostU32(bits)), cmp(negated ? '==' : '!=', hostU32(0)));
}

type TestOf<Kind extends Test['kind']> = Extract<Test, { kind: Kind }>;
type Adders = { readonly [Kind in Test['kind']]: (program: RuleProgram, test: TestOf<Kind>) => void };

const adders: Adders = {
  family: (program, { version }) => {
    requireFamily(program, version);
  },
  protocol: ({ expressions }, { protocol, negated }) => {
    expressions.push(meta('l4proto'), cmp(operator(negated), Uint8Array.of(protocol)));
  },
  ports: addPorts,
  nets: addNets,
  'in-set': addInSet,
  icmp: addIcmp,
  'icmp-types': addIcmpTypes,
  'interface-prefix': addInterfacePrefix,
  'interface-in-set': ({ expressions }, { set }) => {
    expressions.push(meta('iifname'), lookup({ set: nameText(set) }, false));
  },
  'out-interface': ({ expressions }, { name }) => {
    // Checked as for text; the zero byte at its end makes it the whole name.
    interfaceText(name);
    expressions.push(meta('oifname'), cmp('==', Buffer.from(name.padEnd(16, '\0'), 'latin1')));
  },
  'local-source': ({ expressions }, { of, negated }) => {
    expressions.push(sourceType(of === 'outgoing'), cmp(operator(negated), hostU32(RTN_LOCAL)));
  },
  'no-output-interface': ({ expressions }) => {
    expressions.push(meta('oif'), cmp('==', hostU32(0)));
  },
  'port-in-set': addPortInSet,
  'input-interface': ({ expressions }) => {
    expressions.push(meta('iif'), cmp('!=', hostU32(0)));
  },
  'source-on-interface': addSourceOnInterface,
  conntrack: addConntrack,
  rate: ({ expressions }, { count, per, burst }) => {
    expressions.push(limit({ count, seconds: rateUnits[per], burst }));
  },
  mark: ({ expressions }, { bits, negated }) => {
    expressions.push(meta('mark'), masked(hostU32(bits)), cmp(operator(negated), hostU32(bits)));
  },
};

/** Appends what tests it to the program. */
export function addTest(program: RuleProgram, test: Test): void {
  // The table's type ties each entry to its kind; the compiler cannot follow that for a variable kind.
  (adders[test.kind] as (program: RuleProgram, test: Test) => void)(program, test);
}
