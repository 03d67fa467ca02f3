import type { EntitySpec, RuleSpec } from '../../resources/index.js';
import { listOf, objectOf, unlessEmpty } from './json.js';
import type { Members } from './json.js';

/** The rules of one direction as they are stored; undefined when there are none. */
export function encodeRules(rules: readonly RuleSpec[] | undefined): readonly Members[] | undefined {
  return unlessEmpty(rules)?.map(encodeRule);
}

/** Rules as a user would write them, unchecked. */
export function decodeRules(value: unknown, what: string): readonly Members[] {
  return listOf(value, what).map(rule => decodeRule(objectOf(rule, `a rule of ${what}`)));
}

function encodeRule(rule: RuleSpec): Members {
  const { source, destination } = rule;
  return {
    action: rule.action === 'pass' ? 'next-tier' : rule.action,
    ip_version: rule.ipVersion,
    protocol: rule.protocol,
    '!protocol': rule.notProtocol,
    icmp_type: rule.icmp?.type,
    icmp_code: rule.icmp?.code,
    '!icmp_type': rule.notICMP?.type,
    '!icmp_code': rule.notICMP?.code,
    src_tag: source.tag,
    src_net: source.net,
    src_nets: unlessEmpty(source.nets),
    src_selector: source.selector,
    src_ports: unlessEmpty(source.ports),
    dst_tag: destination.tag,
    dst_selector: destination.selector,
    dst_net: destination.net,
    dst_nets: unlessEmpty(destination.nets),
    dst_ports: unlessEmpty(destination.ports),
    '!src_tag': source.notTag,
    '!src_net': source.notNet,
    '!src_nets': unlessEmpty(source.notNets),
    '!src_selector': source.notSelector,
    '!src_ports': unlessEmpty(source.notPorts),
    '!dst_tag': destination.notTag,
    '!dst_selector': destination.notSelector,
    '!dst_net': destination.notNet,
    '!dst_nets': unlessEmpty(destination.notNets),
    '!dst_ports': unlessEmpty(destination.notPorts),
  };
}

function decodeRule(stored: Members): Members {
  const action = stored['action'] ?? '';
  return {
    // An empty action was written by old versions and meant allow.
    action: action === '' ? 'allow' : action === 'next-tier' ? 'pass' : action,
    ipVersion: stored['ip_version'],
    protocol: stored['protocol'],
    notProtocol: stored['!protocol'],
    icmp: decodeIcmp(stored['icmp_type'], stored['icmp_code']),
    notICMP: decodeIcmp(stored['!icmp_type'], stored['!icmp_code']),
    source: decodeEntity(stored, 'src'),
    destination: decodeEntity(stored, 'dst'),
  };
}

function decodeIcmp(type: unknown, code: unknown): Members | undefined {
  return (type ?? code ?? undefined) === undefined ? undefined : { type, code };
}

function decodeEntity(stored: Members, side: 'src' | 'dst'): Readonly<Record<keyof EntitySpec, unknown>> {
  return {
    tag: stored[`${side}_tag`],
    net: stored[`${side}_net`],
    nets: stored[`${side}_nets`],
    selector: stored[`${side}_selector`],
    ports: stored[`${side}_ports`],
    notTag: stored[`!${side}_tag`],
    notNet: stored[`!${side}_net`],
    notNets: stored[`!${side}_nets`],
    notSelector: stored[`!${side}_selector`],
    notPorts: stored[`!${side}_ports`],
  };
}
