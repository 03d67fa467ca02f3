import { messageOf } from '../base/index.js';
import { parseCidr } from '../net/index.js';
import type { Cidr } from '../net/index.js';
import { CniError, cniCode } from './errors.js';
import { versionOf } from './versions.js';
import type { CniVersion } from './versions.js';

/** A network configuration, checked (integrations.md A.2). */
export interface NetworkConfig {
  readonly cniVersion: CniVersion;
  /** also the name of the default profile */
  readonly name: string;
  /** undefined: the kernel's default */
  readonly mtu: number | undefined;
  /** how many addresses of each version */
  readonly count: { readonly 4: number; readonly 6: number };
  /** undefined: all enabled pools */
  readonly pools: readonly Cidr[] | undefined;
  /** labels of the endpoint, by whichever convention the orchestrator passes them */
  readonly labels: Readonly<Record<string, string>>;
  /** '' (a profile of the network) or the name of a policy engine that makes the profiles */
  readonly policyType: string;
  readonly allowIpForwarding: boolean;
}

type Json = Readonly<Record<string, unknown>>;

/** Reads the configuration on standard input; fails with code 6, 1 or 7. */
export function parseNetworkConfig(stdin: string): NetworkConfig {
  const json = decode(stdin);
  const cniVersion = versionOf(json);
  const ipam = member(json, 'ipam') ?? {};
  checkIpam(ipam);
  return {
    cniVersion,
    name: networkName(json['name']),
    mtu: mtuOf(json['mtu']),
    count: countOf(ipam),
    pools: poolsOf(ipam),
    labels: labelsOf(member(json, 'args') ?? {}),
    policyType: textOr(member(json, 'policy')?.['type'], 'policy.type', ''),
    allowIpForwarding: member(json, 'container_settings')?.['allow_ip_forwarding'] === true,
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

function wrong(path: string, value: unknown, expected: string): CniError {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return new CniError(
    cniCode.badConfiguration,
    `network configuration: ${path} is ${text}; expected ${expected}`,
  );
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

function checkIpam({ type }: Json): void {
  if (type !== undefined && type !== 'calico-ipam') {
    throw wrong('ipam.type', type, '"calico-ipam": no other IPAM plugin is supported yet');
  }
}

function mtuOf(mtu: unknown): number | undefined {
  if (mtu === undefined || mtu === 0) return undefined;
  // 68 is the least that IPv4 allows (RFC 791); a veth takes up to 65535.
  if (typeof mtu !== 'number' || !Number.isInteger(mtu) || mtu < 68 || mtu > 65_535) {
    throw wrong('mtu', mtu, 'a whole number from 68 to 65535, or 0 for the default');
  }
  return mtu;
}

function countOf(ipam: Json): NetworkConfig['count'] {
  const asked = (name: string, otherwise: boolean): number => {
    const value = ipam[name] ?? otherwise;
    // Calico takes the texts "true" and "false"; real booleans are what everybody tries first.
    if (value === true || value === 'true') return 1;
    if (value === false || value === 'false') return 0;
    throw wrong(`ipam.${name}`, value, '"true" or "false"');
  };
  const count = { 4: asked('assign_ipv4', true), 6: asked('assign_ipv6', false) };
  if (count[4] + count[6] === 0) {
    throw wrong(
      'ipam.assign_ipv4',
      ipam['assign_ipv4'],
      'at least one of assign_ipv4 and assign_ipv6 to be "true"',
    );
  }
  return count;
}

function poolsOf(ipam: Json): readonly Cidr[] | undefined {
  const read = (name: string, version: 4 | 6): readonly Cidr[] => {
    const list = ipam[name] ?? [];
    if (!Array.isArray(list)) throw wrong(`ipam.${name}`, list, 'a list of CIDRs');
    return list.map((text: unknown, index) => {
      const cidr = typeof text === 'string' ? parseCidr(text) : undefined;
      if (cidr?.version !== version)
        throw wrong(`ipam.${name}[${String(index)}]`, text, `an IPv${String(version)} CIDR`);
      return cidr;
    });
  };
  const pools = [...read('ipv4_pools', 4), ...read('ipv6_pools', 6)];
  return pools.length === 0 ? undefined : pools;
}

/** `labels`, `cni.labels` (CNI conventions) and Mesos network_info, each a map or a list of {key, value}. */
function labelsOf(args: Json): Readonly<Record<string, string>> {
  const mesos = member(args, 'org.apache.mesos');
  const network = mesos === undefined ? undefined : member(mesos, 'network_info');
  const sources: readonly (readonly [string, unknown])[] = [
    ['args.labels', args['labels']],
    ['args.cni.labels', member(args, 'cni')?.['labels']],
    ['args["org.apache.mesos"].network_info.labels', network && member(network, 'labels')?.['labels']],
  ];
  return Object.fromEntries(sources.flatMap(([path, value]) => readLabels(path, value)));
}

function readLabels(path: string, value: unknown): readonly (readonly [string, string])[] {
  if (value === undefined || value === null) return [];
  const pairs: readonly (readonly [unknown, unknown])[] = Array.isArray(value)
    ? value.map((entry: unknown) => [asObject(entry)?.['key'], asObject(entry)?.['value']])
    : Object.entries(asObject(value) ?? { '': value });
  return pairs.map(([key, text]) => {
    if (typeof key !== 'string' || key === '' || typeof text !== 'string') {
      throw wrong(path, value, 'a map of texts, or a list of {"key": …, "value": …}');
    }
    return [key, text];
  });
}

function textOr(value: unknown, path: string, otherwise: string): string {
  if (value === undefined || value === null) return otherwise;
  if (typeof value !== 'string') throw wrong(path, value, 'a text');
  return value;
}

function member(json: Json, name: string): Json | undefined {
  const value = json[name];
  if (value === undefined || value === null) return undefined;
  const object = asObject(value);
  if (object === undefined) throw wrong(name, value, 'an object');
  return object;
}

function asObject(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}
