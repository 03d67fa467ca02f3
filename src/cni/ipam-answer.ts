import { formatIp, parseIp } from '../net/index.js';
import { CniError, cniCode } from './errors.js';
import { asList, asObject } from './json.js';
import type { Json } from './json.js';

/** What an IPAM plugin gave. */
export interface IpamAnswer {
  /** canonical, without length; version 4 first */
  readonly addresses: readonly string[];
  readonly dns: Json | undefined;
}

/**
 * Reads the result of an IPAM plugin, of any version of the specification. Lengths and gateways are dropped:
 * every address is routed by itself, through the one router there is.
 */
export function parseIpamAnswer(type: string, stdout: string): IpamAnswer {
  const json = decode(type, stdout);
  const texts = [
    ...asList(json['ips']).map(ip => asObject(ip)?.['address']),
    // Before 0.3.0.
    ...['ip4', 'ip6'].map(family => asObject(json[family])?.['ip']),
  ].filter(text => text !== undefined);
  const addresses = texts.map(text => {
    const ip = typeof text === 'string' ? parseIp(text.replace(/\/\d+$/, '')) : undefined;
    if (ip === undefined)
      throw new CniError(
        cniCode.generic,
        `IPAM plugin ${type}: answered an address that is none: ${JSON.stringify(text)}`,
      );
    return ip;
  });
  if (addresses.length === 0)
    throw new CniError(cniCode.generic, `IPAM plugin ${type} did not return any IP addresses`);
  return {
    addresses: addresses.sort((a, b) => a.version - b.version).map(formatIp),
    dns: asObject(json['dns']),
  };
}

function decode(type: string, stdout: string): Json {
  try {
    const json = asObject(JSON.parse(stdout));
    if (json !== undefined) return json;
  } catch {
    // Said below, in the same words as of a value that is no object.
  }
  throw new CniError(cniCode.generic, `IPAM plugin ${type}: answered no JSON object: ${firstWords(stdout)}`);
}

/** The error object that a plugin printed, else what it said. */
export function ipamError(
  type: string,
  said: { readonly stdout: string; readonly stderr: string },
): CniError {
  try {
    const { code, msg, details } = asObject(JSON.parse(said.stdout)) ?? {};
    if (typeof code === 'number' && typeof msg === 'string')
      return new CniError(code, msg, typeof details === 'string' ? { details } : {});
  } catch {
    // No error object: whatever it printed is the message.
  }
  const words = firstWords(said.stdout.trim() || said.stderr.trim()) || 'it failed without a word';
  return new CniError(cniCode.generic, `IPAM plugin ${type}: ${words}`);
}

function firstWords(text: string): string {
  return text.trim().split('\n', 3).join('; ').slice(0, 500);
}
