/** IP protocol numbers by the names that rules use (IANA). */
export const protocolNumbers = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  icmpv6: 58,
  sctp: 132,
  udplite: 136,
} as const;

export type ProtocolName = keyof typeof protocolNumbers;

export function isProtocolName(text: string): text is ProtocolName {
  return Object.hasOwn(protocolNumbers, text);
}

/** `tcp` for 6, `47` for a number without a name of ours. */
export function protocolText(number: number): string {
  const known = Object.entries(protocolNumbers).find(([, value]) => value === number);
  return known === undefined ? String(number) : known[0];
}
