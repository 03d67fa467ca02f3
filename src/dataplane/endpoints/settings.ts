import { isCalicoError, messageOf } from '../../base/index.js';
import type { HostNetwork } from '../../netlink/index.js';

interface Setting {
  /** below /proc/sys/net */
  readonly path: readonly string[];
  readonly value: string;
  /** what a kernel may lack, such as IPv6, or what only speeds things up */
  readonly optional: boolean;
}

export interface SettingOptions {
  readonly ipv6: boolean;
  /** lets a workload reach services on the host's 127.0.0.0/8 by NAT; only where that is wanted */
  readonly routeLocalnet: boolean;
}

/** What the host needs to forward packets at all. */
function hostSettings(ipv6: boolean): readonly Setting[] {
  return [
    { path: ['ipv4', 'ip_forward'], value: '1', optional: false },
    ...(ipv6 ? [{ path: ['ipv6', 'conf', 'all', 'forwarding'], value: '1', optional: true }] : []),
  ];
}

/** What the host's end of a workload's link needs. */
function interfaceSettings(
  name: string,
  options: SettingOptions,
  rpFilter: string | undefined,
): readonly Setting[] {
  const ipv4 = (key: string, value: string): Setting => ({
    path: ['ipv4', 'conf', name, key],
    value,
    optional: false,
  });
  const ipv6 = (key: string, value: string): Setting => ({
    path: ['ipv6', 'conf', name, key],
    value,
    optional: true,
  });
  return [
    // As for all new interfaces of this host: whoever chose that meant it for workloads too.
    ...(rpFilter === undefined ? [] : [ipv4('rp_filter', rpFilter)]),
    ipv4('route_localnet', options.routeLocalnet ? '1' : '0'),
    // The workload's router has no interface: the host answers for it, and at once, not after up to 0.8 s.
    ipv4('proxy_arp', '1'),
    { path: ['ipv4', 'neigh', name, 'proxy_delay'], value: '0', optional: true },
    ipv4('forwarding', '1'),
    // A workload must not be able to become its host's router (CVE-2020-13597), with or without our IPv6.
    ipv6('accept_ra', '0'),
    // The router's link-local address comes from the fixed MAC: waiting for a second whether somebody else
    // has it would only keep the host from asking for its neighbour.
    ...(options.ipv6 ? [ipv6('accept_dad', '0'), ipv6('proxy_ndp', '1'), ipv6('forwarding', '1')] : []),
  ];
}

/** Told of a setting that could not be written, but without which traffic flows. */
export type SettingProblem = (setting: string, problem: string) => void;

/** Lets the host forward packets; returns how many settings were not as they should be. */
export function configureHost(network: HostNetwork, ipv6: boolean, onProblem: SettingProblem): number {
  return writeSettings(network, hostSettings(ipv6), onProblem);
}

/**
 * Gives the host's end of a workload's link its kernel settings; best while it is down, since some only count
 * when it comes up. Doing it again writes only what differs; returns how many that were.
 */
export function configureWorkloadInterface(
  network: HostNetwork,
  name: string,
  options: SettingOptions & { readonly onProblem: SettingProblem },
): number {
  const rpFilter = network.readSysctl(['ipv4', 'conf', 'default', 'rp_filter']);
  return writeSettings(network, interfaceSettings(name, options, rpFilter), options.onProblem);
}

function writeSettings(
  network: HostNetwork,
  settings: readonly Setting[],
  onProblem: SettingProblem,
): number {
  let written = 0;
  for (const { path, value, optional } of settings) {
    try {
      if (network.readSysctl(path) === value) continue;
      network.writeSysctl(path, value);
      written += 1;
    } catch (error) {
      if (!optional) throw error;
      // A kernel without IPv6 lacks the file: nothing to protect there.
      if (!isCalicoError(error, 'not-found')) onProblem(path.join('.'), messageOf(error));
    }
  }
  return written;
}
