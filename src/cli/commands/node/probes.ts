/** A feature that the data plane needs, and how to try it in a network namespace of its own. */
export interface Probe {
  readonly name: string;
  /** a program that succeeds where the kernel has the feature, and its arguments */
  readonly command: readonly [string, ...string[]];
  /** what the program reads */
  readonly input?: string;
  /** what does not work without it; a host without the feature may still run the rest */
  readonly optional?: string;
}

/** A table that the program is to make; it goes with the namespace. */
function table(name: string, content: readonly string[]): Probe {
  const input = ['table inet probe {', ...content, '}', ''].join('\n');
  return { name, command: ['nft', '-f', '-'], input };
}

function rule(name: string, ...rules: readonly string[]): Probe {
  return table(name, ['chain c {', 'type filter hook input priority 0', ...rules, '}']);
}

function link(name: string, type: readonly string[], optional?: string): Probe {
  const command = ['ip', 'link', 'add', 'probe0', ...type] as const;
  return { name, command, ...(optional === undefined ? {} : { optional }) };
}

/** In the order in which they are reported; the names are those of the kernel's features. */
export const probes: readonly Probe[] = [
  rule('nf_tables'),
  table('nft_set', ['set s {', 'type ipv4_addr', 'flags interval', 'elements = { 192.0.2.0/24 }', '}']),
  rule('nft_map', 'iifname vmap { "probe0" : accept }'),
  rule('nft_concat', 'ip saddr . th dport { 192.0.2.1 . 80 } accept'),
  rule('nft_ct', 'ct state established accept', 'ct mark 1 accept'),
  rule('nft_log', 'log prefix "probe"'),
  table('nft_masq', ['chain c {', 'type nat hook postrouting priority 100', 'masquerade', '}']),
  link('veth', ['type', 'veth', 'peer', 'name', 'probe1']),
  link('ipip', ['type', 'ipip', 'local', '192.0.2.1'], 'IP in IP tunnels'),
  link('vxlan', ['type', 'vxlan', 'id', '1', 'dstport', '4789'], 'VXLAN tunnels'),
  {
    name: 'ipv6',
    command: ['ip', '-6', 'route', 'add', 'unreachable', '2001:db8::/64'],
    optional: 'IPv6',
  },
];
