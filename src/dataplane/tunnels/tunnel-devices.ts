import { hexDigest } from '../../base/index.js';
import { formatIp } from '../../net/index.js';
import type { IpVersion } from '../../net/index.js';

/** How packets between hosts are wrapped: in IP, or in UDP with an Ethernet header of their own. */
export type Encapsulation = 'ipip' | 'vxlan';

/** The devices that every implementation of Calico uses, and that monitoring of users looks for. */
export type TunnelDevice = 'tunl0' | 'vxlan.calico' | 'vxlan-v6.calico';

/** All of them, in the order in which problems are told. */
export const TUNNEL_DEVICES: readonly TunnelDevice[] = ['tunl0', 'vxlan.calico', 'vxlan-v6.calico'];

interface Properties {
  readonly version: IpVersion;
  readonly encapsulation: Encapsulation;
  /** bytes that wrapping adds to a packet */
  readonly overhead: number;
  /** MTU where that of the underlying link is not known: what Calico has always set */
  readonly fallbackMtu: number;
}

/** IPv4 20 or IPv6 40; for VXLAN also UDP 8, VXLAN 8 and the inner Ethernet header 14. */
export const deviceProperties: { readonly [Device in TunnelDevice]: Properties } = {
  tunl0: { version: 4, encapsulation: 'ipip', overhead: 20, fallbackMtu: 1440 },
  'vxlan.calico': { version: 4, encapsulation: 'vxlan', overhead: 50, fallbackMtu: 1410 },
  'vxlan-v6.calico': { version: 6, encapsulation: 'vxlan', overhead: 70, fallbackMtu: 1390 },
};

/** The device for packets of that IP version; undefined where there is none: IP-in-IP carries IPv4 only. */
export function deviceFor(encapsulation: Encapsulation, version: IpVersion): TunnelDevice | undefined {
  return TUNNEL_DEVICES.find(name => {
    const device = deviceProperties[name];
    return device.encapsulation === encapsulation && device.version === version;
  });
}

/** What a VXLAN device has to know of another end. */
export interface VxlanEnd {
  /** of the host in outer packets */
  readonly host: string;
  readonly mac: string;
  /** next hop on the device; no other link may lead to it */
  readonly gateway: string;
}

/**
 * The end of a node whose address is `host`. The next hop is that address itself, so that no route waits for a
 * host to get an address on its tunnel. For IPv6 the kernel refuses a next hop that it knows on another link:
 * there it is the link-local address that belongs to the Ethernet address.
 */
export function vxlanEnd(nodeName: string, host: string, version: IpVersion): VxlanEnd {
  const mac = vxlanMac(nodeName);
  return { host, mac, gateway: version === 4 ? host : linkLocalOf(mac) };
}

/** As RFC 4291 makes it of an Ethernet address. */
function linkLocalOf(mac: string): string {
  const [a = 0, b = 0, c = 0, ...rest] = mac.split(':').map(byte => Number.parseInt(byte, 16));
  const bytes = [a ^ 2, b, c, 0xff, 0xfe, ...rest];
  const bits = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return formatIp({ version: 6, bits: (0xfe80n << 112n) | bits });
}

/**
 * The Ethernet address of a node's end of a VXLAN: locally administered, and made of the node's name, so that
 * every host knows it of every other one without being told.
 */
export function vxlanMac(nodeName: string): string {
  const digits = hexDigest('sha256', nodeName).slice(0, 10);
  return ['66', ...(digits.match(/../g) ?? [])].join(':');
}
