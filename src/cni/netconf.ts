import { messageOf } from '../base/index.js';
import { canonicalMac, parseIp } from '../net/index.js';
import type { Ip } from '../net/index.js';
import { CniError, cniCode } from './errors.js';
import { parseIpamSection } from './ipam-config.js';
import type { IpamSection } from './ipam-config.js';
import { asList, asObject, member, textOr, wrong } from './json.js';
import type { Json } from './json.js';
import { labelsOf } from './labels.js';
import { versionOf } from './versions.js';
import type { CniVersion } from './versions.js';

/** A network configuration, checked (integrations.md A.2). Keys that are not known are ignored. */
export interface NetworkConfig {
  readonly cniVersion: CniVersion;
  /** also the name of the default profile */
  readonly name: string;
  /** name of the plugin that the configuration is for */
  readonly type: string;
  /** undefined: the kernel's default */
  readonly mtu: number | undefined;
  readonly ipam: IpamSection;
  /** the default routes too, beside `ipam.routes` */
  readonly includeDefaultRoutes: boolean;
  /** certain addresses that are asked for: `runtimeConfig.ips` or `args.cni.ips`, at most one of each version */
  readonly wantedAddresses: readonly Ip[];
  /** hardware address of the container's end: `runtimeConfig.mac` or `args.cni.mac` */
  readonly wantedMac: string | undefined;
  /** labels of the endpoint, by whichever convention the orchestrator passes them */
  readonly labels: Readonly<Record<string, string>>;
  /** '' (a profile of the network) or the name of a policy engine that makes the profiles */
  readonly policyType: string;
  readonly allowIpForwarding: boolean;
  /** what the plugins before this one, or an earlier ADD, answered */
  readonly prevResult: Json | undefined;
  /** GC: all interfaces that are still in use, as `<container id>/<interface>` */
  readonly validAttachments: ReadonlySet<string>;
}

/** Reads the configuration on standard input; fails with code 6, 1 or 7. */
export function parseNetworkConfig(stdin: string): NetworkConfig {
  const json = decode(stdin);
  const cniVersion = versionOf(json);
  const args = member(json, 'args') ?? {};
  const conventions = member(args, 'cni') ?? {};
  const runtime = member(json, 'runtimeConfig') ?? {};
  return {
    cniVersion,
    name: networkName(json['name']),
    type: textOr(json['type'], 'type', ''),
    mtu: mtuOf(json['mtu']),
    ipam: parseIpamSection(member(json, 'ipam') ?? {}),
    includeDefaultRoutes: json['include_default_routes'] === true,
    wantedAddresses: wantedAddresses(runtime['ips'] ?? conventions['ips']),
    wantedMac: wantedMac(runtime['mac'] ?? conventions['mac']),
    labels: labelsOf(args),
    policyType: textOr(member(json, 'policy')?.['type'], 'policy.type', ''),
    allowIpForwarding: member(json, 'container_settings')?.['allow_ip_forwarding'] === true,
    prevResult: member(json, 'prevResult'),
    validAttachments: validAttachments(json['cni.dev/valid-attachments']),
  };
}

function decode(stdin: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(stdin);
  } catch (error) {
    throw new CniError(cniCode.cannotDecode, `network configuration: ${messageOf(error)}`);
  }
  const json = asObject(value);
  if (json === undefined)
    throw new CniError(cniCode.cannotDecode, 'network configuration: expected an object');
  return json;
}

function networkName(name: unknown): string {
  if (typeof name !== 'string' || name === '') throw wrong('name', name, 'the name of the network');
  if (!/^[a-zA-Z0-9_.-]{1,128}$/.test(name)) {
    throw new CniError(
      cniCode.badConfiguration,
      `network configuration: name is ${JSON.stringify(name)}: Invalid characters detected in the given ` +
        'network name. Only letters a-z, numbers 0-9, and symbols _.- are supported.',
    );
  }
  return name;
}

function mtuOf(mtu: unknown): number | undefined {
  if (mtu === undefined || mtu === 0) return undefined;
  // 68 is the least that IPv4 allows (RFC 791); a veth takes up to 65535.
  if (typeof mtu !== 'number' || !Number.isInteger(mtu) || mtu < 68 || mtu > 65_535) {
    throw wrong('mtu', mtu, 'a whole number from 68 to 65535, or 0 for the default');
  }
  return mtu;
}

function wantedAddresses(ips: unknown): readonly Ip[] {
  if (ips === undefined || ips === null) return [];
  const expected = 'a list of addresses, at most one of each IP version';
  if (!Array.isArray(ips)) throw wrong('runtimeConfig.ips', ips, expected);
  const read = ips.map((text: unknown) => {
    // The conventions allow a length, which is always that of one address here.
    const ip = typeof text === 'string' ? parseIp(text.replace(/\/\d+$/, '')) : undefined;
    if (ip === undefined) throw wrong('runtimeConfig.ips', ips, expected);
    return ip;
  });
  if (new Set(read.map(({ version }) => version)).size < read.length)
    throw wrong('runtimeConfig.ips', ips, expected);
  return read;
}

function wantedMac(mac: unknown): string | undefined {
  if (mac === undefined || mac === null || mac === '') return undefined;
  const canonical = typeof mac === 'string' ? canonicalMac(mac) : undefined;
  // The lowest bit of the first byte is that of a group: no interface can have such an address.
  if (canonical?.length !== 17 || Number.parseInt(canonical.slice(0, 2), 16) % 2 === 1)
    throw wrong('runtimeConfig.mac', mac, 'a hardware address of 6 bytes');
  return canonical;
}

function validAttachments(list: unknown): ReadonlySet<string> {
  if (list !== undefined && list !== null && !Array.isArray(list))
    throw wrong('cni.dev/valid-attachments', list, 'a list of {"containerID": …, "ifname": …}');
  const read = asList(list).map(entry => {
    const { containerID, ifname } = asObject(entry) ?? {};
    if (typeof containerID !== 'string' || typeof ifname !== 'string')
      throw wrong('cni.dev/valid-attachments', entry, '{"containerID": …, "ifname": …}');
    return `${containerID}/${ifname}`;
  });
  return new Set(read);
}
