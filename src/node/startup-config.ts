import { formatCidr, formatIp, parseAsNumber, parseCidr, parseIp, sizeOf } from '../net/index.js';
import type { IpVersion } from '../net/index.js';
import { DETECTION_EXPECTED, parseDetection } from './address-detection.js';
import type { Detection } from './address-detection.js';
import type { DefaultPool, DefaultPools, Wrapping } from './default-pools.js';
import type { EnvironmentReader } from './environment-reader.js';

/** What the operator says of this node and of a new cluster: it counts at the start. */
export interface StartupConfig {
  /** the node's own address for routing, or `autodetect`: look at the interfaces at every start */
  readonly addresses: { readonly [Version in IpVersion]: string | undefined };
  readonly detection: { readonly [Version in IpVersion]: Detection };
  readonly asNumber: number | undefined;
  /** undefined: none are made */
  readonly pools: DefaultPools | undefined;
}

const VARIABLES = { 4: 'IP', 6: 'IP6' } as const;

/** One block of addresses: the least that a pool must hold. */
const MIN_POOL = 64n;

/** Reads the part of the environment that `calicoctl node run` sets from its options, and its later additions. */
export function readStartupConfig(reader: EnvironmentReader): StartupConfig {
  return {
    addresses: { 4: readAddress(reader, 4), 6: readAddress(reader, 6) },
    detection: { 4: readDetection(reader, 4), 6: readDetection(reader, 6) },
    asNumber: reader.parsed('AS', 'an AS number from 1 to 4294967295, or dotted', text => {
      const asNumber = parseAsNumber(text);
      // Reserved (RFC 7607): no router talks to it.
      return asNumber === 0 ? undefined : asNumber;
    }),
    pools:
      reader.flag('NO_DEFAULT_POOLS') === true
        ? undefined
        : { 4: readPool(reader, 4), 6: readPool(reader, 6) },
  };
}

function readAddress(reader: EnvironmentReader, version: IpVersion): string | undefined {
  const expected = `an IPv${String(version)} address or autodetect`;
  return reader.parsed(VARIABLES[version], expected, text => {
    const ip = parseIp(text);
    if (text === 'autodetect') return text;
    return ip?.version === version ? formatIp(ip) : undefined;
  });
}

function readDetection(reader: EnvironmentReader, version: IpVersion): Detection {
  const name = `${VARIABLES[version]}_AUTODETECTION_METHOD`;
  return reader.parsed(name, DETECTION_EXPECTED, parseDetection) ?? { kind: 'first-found' };
}

const MODES: Readonly<Record<string, Wrapping>> = {
  off: 'off',
  never: 'off',
  always: 'always',
  crosssubnet: 'cross-subnet',
  'cross-subnet': 'cross-subnet',
};

function readPool(reader: EnvironmentReader, version: IpVersion): DefaultPool {
  const prefix = `CALICO_IPV${String(version)}POOL`;
  const expected = `an IPv${String(version)} network of at least ${String(MIN_POOL)} addresses`;
  const cidr = reader.parsed(`${prefix}_CIDR`, expected, text => {
    const range = parseCidr(text);
    return range?.version === version && sizeOf(range) >= MIN_POOL ? formatCidr(range) : undefined;
  });
  const wrapping = (what: string): Wrapping | undefined =>
    reader.parsed(
      `${prefix}_${what}`,
      'one of Never, Always, CrossSubnet',
      text => MODES[text.toLowerCase()],
    );
  // IP-in-IP carries IPv4 only.
  const ipip = (version === 4 ? wrapping('IPIP') : undefined) ?? 'off';
  const wished = wrapping('VXLAN') ?? 'off';
  const vxlan = reader.parsed(`${prefix}_VXLAN`, `Never beside ${prefix}_IPIP`, () =>
    ipip === 'off' || wished === 'off' ? wished : undefined,
  );
  return {
    cidr,
    ipip,
    vxlan: vxlan ?? 'off',
    natOutgoing: reader.flag(`${prefix}_NAT_OUTGOING`) ?? version === 4,
  };
}
