import { contains, formatIp, parseCidr, parseIp } from '../net/index.js';
import type { Ip, IpVersion } from '../net/index.js';
import type { AddressInfo, LinkInfo, RouteInfo } from '../netlink/index.js';
import type { Detection } from './address-detection.js';

/** Interfaces that never carry the host's own routing address: bridges of runtimes, tunnels, workloads. */
const NOT_A_HOST_INTERFACE =
  /^(docker|cbr|dummy|podman|virbr|lxcbr|veth|lo|br-|cali|tunl|flannel|kube-ipvs|cni|vxlan|wireguard|wg-|nodelocaldns)/;

const NOT_ROUTABLE = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/3',
  '::/127',
  'fe80::/10',
  'ff00::/8',
].flatMap(text => parseCidr(text) ?? []);

/** What the kernel says of the host's network. */
export interface HostView {
  readonly links: readonly LinkInfo[];
  readonly addresses: readonly AddressInfo[];
  readonly routes: readonly RouteInfo[];
}

/** A way to find an address by looking at the host alone; `can-reach` has to ask the kernel. */
export type LocalDetection = Exclude<Detection, { kind: 'can-reach' }>;

interface Candidate {
  readonly ip: Ip;
  readonly interfaceName: string;
  readonly interfaceIndex: number;
}

/**
 * The host's address by that method: of those it allows, one on the interface of the default route where there
 * is one, so that a stray interface with a lower index does not win; else the first. Plain text, or undefined.
 */
export function chooseAddress(
  view: HostView,
  version: IpVersion,
  detection: LocalDetection = { kind: 'first-found' },
): string | undefined {
  const found = allowed(candidates(view, version), detection);
  const anywhere = version === 4 ? '0.0.0.0/0' : '::/0';
  const uplinks = view.routes
    .filter(route => route.destination === anywhere && route.type === 'unicast')
    .toSorted((a, b) => a.metric - b.metric)
    .map(route => route.interfaceIndex);
  const best = uplinks
    .map(uplink => found.find(({ interfaceIndex }) => interfaceIndex === uplink))
    .find(candidate => candidate !== undefined);
  const chosen = best ?? found[0];
  return chosen === undefined ? undefined : formatIp(chosen.ip);
}

/** True when an interface of the host has that address. */
export function hostHas({ addresses }: HostView, text: string): boolean {
  return addresses.some(({ address }) => {
    const ip = parseIp(address.slice(0, address.lastIndexOf('/')));
    return ip !== undefined && formatIp(ip) === text;
  });
}

/** The addresses that other hosts can reach, on interfaces that are up. */
function candidates(view: HostView, version: IpVersion): readonly Candidate[] {
  const names = new Map(view.links.filter(({ up }) => up).map(({ index, name }) => [index, name]));
  return view.addresses.flatMap(({ address, interfaceIndex }) => {
    const ip = parseIp(address.slice(0, address.lastIndexOf('/')));
    const interfaceName = names.get(interfaceIndex);
    if (ip?.version !== version || interfaceName === undefined) return [];
    return NOT_ROUTABLE.some(range => contains(range, ip)) ? [] : [{ ip, interfaceName, interfaceIndex }];
  });
}

function allowed(found: readonly Candidate[], detection: LocalDetection): readonly Candidate[] {
  const usual = ({ interfaceName }: Candidate): boolean => !NOT_A_HOST_INTERFACE.test(interfaceName);
  switch (detection.kind) {
    case 'first-found':
      return found.filter(usual);
    case 'skip-interface':
      return found.filter(
        candidate => usual(candidate) && !detection.patterns.some(each => each.test(candidate.interfaceName)),
      );
    // What the operator names is taken even where it is none of the usual interfaces. The order of the
    // patterns counts before everything else.
    case 'interface': {
      const first = detection.patterns.find(each =>
        found.some(({ interfaceName }) => each.test(interfaceName)),
      );
      return first === undefined ? [] : found.filter(({ interfaceName }) => first.test(interfaceName));
    }
    case 'cidr':
      return found.filter(({ ip }) => detection.cidrs.some(cidr => contains(cidr, ip)));
  }
}
