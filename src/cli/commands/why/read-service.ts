import { isProtocolName, protocolNumbers } from '../../../net/index.js';

/** Protocol and, where it has ports, the port. */
export interface Service {
  /** `icmp` means ICMPv6 between IPv6 addresses, so the number depends on the version */
  readonly protocol: (version: 4 | 6) => number;
  readonly port?: number;
}

const withPorts: readonly number[] = [
  protocolNumbers.tcp,
  protocolNumbers.udp,
  protocolNumbers.sctp,
  protocolNumbers.udplite,
];

function protocolNumber(text: string): number | undefined {
  const lower = text.toLowerCase();
  if (isProtocolName(lower)) return protocolNumbers[lower];
  return /^[0-9]{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : undefined;
}

/** Reads `tcp:80`, `icmp` or `47`; undefined when it is none of these. */
export function readService(text: string): Service | undefined {
  const [protocolText = '', portText, ...rest] = text.split(':');
  const number = protocolNumber(protocolText);
  if (number === undefined || rest.length > 0) return undefined;
  if (number === protocolNumbers.icmp) {
    if (portText !== undefined) return undefined;
    return { protocol: version => (version === 4 ? protocolNumbers.icmp : protocolNumbers.icmpv6) };
  }
  if (!withPorts.includes(number)) return portText === undefined ? { protocol: () => number } : undefined;
  if (portText === undefined || !/^[0-9]{1,5}$/.test(portText)) return undefined;
  const port = Number(portText);
  return port >= 1 && port <= 65_535 ? { protocol: () => number, port } : undefined;
}
