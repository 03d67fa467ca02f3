import type { Direction } from '../../policy/index.js';
import type { BaseObjects } from './base-rules.js';
import {
  hostObjects,
  inputHostRules,
  forwardInRules,
  forwardOutRules,
  rawInRules,
} from './base-host-chains.js';
import { accept, acceptKnown, dispatch, family, inState, ports, protocol, verdictMap } from './base-rules.js';
import type { NftConfig } from './config.js';
import { dropChains, dropFor } from './drops.js';
import type { HostStages } from './host-endpoints.js';
import { loopbackRules, metadataAllowance, metadataChains } from './metadata.js';
import type { Chain, Rule, Statement, Test, Verdict } from './model.js';
import { baseNames, hostProfileMap, profilesChain, workloadMap, workloadProfileMap } from './names.js';
import { makeRule } from './rule-text.js';
import { tunnelInRules } from './tunnel-guard.js';
import type { TunnelPeers } from './tunnel-guard.js';

/**
 * The part of the table that does not depend on endpoints or policies.
 *
 *   forward ── established? accept ── wl-from[iifname] ── list ── policy ──┐ allow
 *                                          │ pass                          ▼
 *                                     prof-from ── profiles ── allow ── next-from ── wl-to[oifname] ── …
 *
 * What comes out of a workload's egress by `goto next-from` still has to pass the ingress of the workload it
 * is for. An interface of a workload that no map knows is closed.
 */
export interface BaseOptions {
  readonly config: NftConfig;
  /** before the first full state, established flows must not be judged by addresses that we do not know */
  readonly antiSpoof: boolean;
  readonly hostStages: HostStages;
  readonly tunnels: TunnelPeers;
}

const ipInIp = 4;

function forEachPrefix(
  config: NftConfig,
  side: 'in' | 'out',
  statement: Statement,
  comment?: string,
): readonly Rule[] {
  return config.interfacePrefixes.map(prefix =>
    makeRule([{ kind: 'interface-prefix', side, prefix }], statement, comment),
  );
}

function withoutIpv6({ interfacePrefixes }: NftConfig, side: 'in' | 'out'): readonly Rule[] {
  return interfacePrefixes.map(prefix =>
    makeRule([{ kind: 'interface-prefix', side, prefix }, family(6)], dropFor('ipv6-off')),
  );
}

function antiSpoofChains({ config, hostStages }: BaseOptions): readonly Chain[] {
  // No host endpoint can be on a workload's interface: nothing else looks at the packet here.
  const known = (version: 4 | 6, set: string): Rule =>
    makeRule([family(version), { kind: 'source-on-interface', version, set }], accept);
  const from = (version: 4 | 6, bits: bigint, length: number, ...more: readonly Test[]): Rule =>
    makeRule(
      [
        family(version),
        { kind: 'nets', side: 'source', version, nets: [{ version, bits, length }], negated: false },
        ...more,
      ],
      accept,
    );
  return [
    {
      name: baseNames.antiSpoof,
      rules: [
        known(4, baseNames.source4),
        known(6, baseNames.source6),
        from(6, 0xfe80n << 112n, 10),
        // Duplicate address detection, and a DHCP client that has no address yet.
        from(6, 0n, 128, protocol(58)),
        from(4, 0n, 32, protocol(17), ports('source', 68), ports('destination', 67)),
        makeRule([], dropFor('spoofed-source')),
      ],
    },
    {
      name: baseNames.rawPrerouting,
      base: { type: 'filter', hook: 'prerouting', priority: -300 },
      rules: [
        ...(config.ipv6 ? [] : withoutIpv6(config, 'in')),
        ...loopbackRules(config),
        ...forEachPrefix(config, 'in', { kind: 'jump', chain: baseNames.antiSpoof }),
        ...rawInRules(hostStages),
      ],
    },
  ];
}

/** What no policy can allow a workload to send: packets as our tunnels carry them, and messages of routers. */
function reservedRules(config: NftConfig, from: readonly Test[]): readonly Rule[] {
  const { vxlanPort, allowIpipFromWorkloads, allowVxlanFromWorkloads } = config;
  const routers: readonly Test[] = [family(6), protocol(58), { kind: 'icmp-types', types: [134, 137] }];
  const vxlan = [protocol(17), ports('destination', vxlanPort)];
  return [
    ...(allowIpipFromWorkloads
      ? []
      : [makeRule([protocol(ipInIp), ...from], dropFor('tunnel-packet'), 'IP in IP')]),
    ...(allowVxlanFromWorkloads ? [] : [makeRule([...vxlan, ...from], dropFor('tunnel-packet'), 'VXLAN')]),
    makeRule([...routers, ...from], dropFor('router-message'), 'router advertisement, redirect'),
  ];
}

function forwardChains({ config, hostStages }: BaseOptions): readonly Chain[] {
  const invalid: Verdict = { kind: 'jump', chain: baseNames.invalidWorkload };
  const forward: Chain = {
    name: baseNames.forward,
    base: { type: 'filter', hook: 'forward', priority: -1 },
    rules: [
      acceptKnown,
      ...(config.ipv6 ? [] : withoutIpv6(config, 'out')),
      ...(config.dropInvalid ? [makeRule([inState('invalid')], invalid)] : []),
      ...config.interfacePrefixes.flatMap(prefix =>
        reservedRules(config, [{ kind: 'interface-prefix', side: 'in', prefix }]),
      ),
      dispatch('in-interface', workloadMap('egress')),
      ...forEachPrefix(config, 'in', dropFor('unknown-endpoint')),
      ...forwardInRules(config, hostStages),
      makeRule([], { kind: 'goto', chain: baseNames.nextFrom }),
    ],
  };
  const invalidWorkload: Chain = {
    name: baseNames.invalidWorkload,
    rules: [
      ...forEachPrefix(config, 'in', dropFor('invalid-state')),
      ...forEachPrefix(config, 'out', dropFor('invalid-state')),
    ],
  };
  return config.dropInvalid ? [invalidWorkload, forward] : [forward];
}

function continuationChains({ config, hostStages }: BaseOptions): readonly Chain[] {
  const profiles = (direction: Direction): Chain => ({
    name: profilesChain(direction),
    rules: [
      dispatch(direction === 'egress' ? 'in-interface' : 'out-interface', workloadProfileMap(direction)),
      ...(hostStages.has('normal') ? hostProfiles(direction) : []),
      makeRule([], dropFor('no-profile')),
    ],
  });
  const hostProfiles = (direction: Direction): readonly Rule[] => [
    // A workload without profiles must not be judged by those of the interface that its packet takes.
    ...forEachPrefix(config, direction === 'egress' ? 'in' : 'out', dropFor('no-profile')),
    dispatch(direction === 'egress' ? 'out-interface' : 'in-interface', hostProfileMap(direction)),
  ];
  const toHost =
    config.endpointToHostAction === 'drop'
      ? [makeRule([{ kind: 'no-output-interface' }], dropFor('workload-to-host'))]
      : [];
  const nextFrom: Chain = {
    name: baseNames.nextFrom,
    rules: [
      dispatch('out-interface', workloadMap('ingress')),
      ...forEachPrefix(config, 'out', dropFor('unknown-endpoint')),
      ...toHost,
      ...forwardOutRules(config, hostStages),
      makeRule([], accept),
    ],
  };
  return [nextFrom, profiles('egress'), profiles('ingress')];
}

function inputChains({ config, hostStages, tunnels }: BaseOptions): readonly Chain[] {
  const allowances = [
    makeRule([family(4), protocol(17), ports('source', 68), ports('destination', 67)], accept, 'DHCP'),
    makeRule([family(6), protocol(17), ports('source', 546), ports('destination', 547)], accept, 'DHCP'),
    makeRule([protocol(17), ports('destination', 53)], accept, 'DNS'),
  ];
  const workloadToHost: Chain = {
    name: baseNames.workloadToHost,
    rules: [
      ...(config.dropInvalid ? [makeRule([inState('invalid')], dropFor('invalid-state'))] : []),
      makeRule([{ kind: 'interface-in-set', set: baseNames.down }], dropFor('endpoint-down')),
      ...reservedRules(config, []),
      makeRule(
        [family(6), protocol(58), { kind: 'icmp-types', types: [130, 131, 132, 133, 135, 136] }],
        accept,
        'neighbour and listener discovery',
      ),
      ...metadataAllowance(config),
      ...(config.allowDhcpDnsToHost ? allowances : []),
      dispatch('in-interface', workloadMap('egress')),
      makeRule([], dropFor('unknown-endpoint')),
    ],
  };
  const input: Chain = {
    name: baseNames.input,
    base: { type: 'filter', hook: 'input', priority: -1 },
    rules: [
      ...tunnelInRules(tunnels, config),
      acceptKnown,
      ...forEachPrefix(config, 'in', { kind: 'goto', chain: baseNames.workloadToHost }),
      ...inputHostRules(config, hostStages),
    ],
  };
  return [workloadToHost, input];
}

/** Sets, maps and chains that are always there; maps and sets are empty until endpoints fill them. */
export function baseObjects(options: BaseOptions): BaseObjects {
  const host = hostObjects(options);
  const maps = (['egress', 'ingress'] as const).flatMap(direction => [
    workloadMap(direction),
    workloadProfileMap(direction),
  ]);
  return {
    sets: [
      ...maps.map(verdictMap),
      { name: baseNames.down, key: ['ifname'], verdicts: false },
      { name: baseNames.source4, key: ['ipv4_addr', 'ifname'], verdicts: false },
      { name: baseNames.source6, key: ['ipv6_addr', 'ifname'], verdicts: false },
      ...host.sets,
    ],
    chains: [
      ...dropChains(options.config),
      ...metadataChains(options.config),
      ...continuationChains(options),
      ...(options.antiSpoof ? antiSpoofChains(options) : []),
      ...forwardChains(options),
      ...inputChains(options),
      ...host.chains,
    ],
  };
}
