import type { FailsafePort, NftConfig } from './config.js';
import { accept, acceptKnown, dispatch, family, inState, protocol, verdictMap } from './base-rules.js';
import type { BaseObjects } from './base-rules.js';
import type { HostStages } from './host-endpoints.js';
import type { BaseChain, Chain, Rule, Test } from './model.js';
import { baseNames, hostMap, hostProfileMap } from './names.js';
import { makeRule } from './rule-text.js';
import { tunnelOutRules } from './tunnel-guard.js';
import type { TunnelPeers } from './tunnel-guard.js';

/**
 * Where packets meet host endpoints (policy-enforcement 4.2); each hook is there only while it is used.
 *
 *   raw-pre ── hep-raw-in ─► untracked        mangle-pre ── hep-dnat-in ─► pre-DNAT
 *   input ── hep-in ─► normal                 forward ── hep-fwd-in ─► forward ─► … next-from ── hep-fwd-out
 *   raw-out ── hep-raw-out ─► untracked       output ── hep-out ─► normal
 *
 * What an early stage has allowed is not asked again: it is not tracked, or carries our mark. Discovery (of
 * neighbours, routers, listeners) Linux never tracks, and no stage stops it: without it nothing gets through.
 */
const alreadyAllowed = (config: NftConfig, stages: HostStages): readonly Test[] => [
  { kind: 'conntrack', states: ['untracked'], negated: false },
  ...(stages.has('pre-dnat') ? [{ kind: 'mark', bits: config.preDnatMark, negated: false } as const] : []),
];

const notYetAllowed = (config: NftConfig, stages: HostStages): readonly Test[] =>
  alreadyAllowed(config, stages).map(test => ({ ...test, negated: true }));

/** In `raw-pre`: what is judged before connection tracking. */
export function rawInRules(stages: HostStages): readonly Rule[] {
  return stages.has('untracked') ? [dispatch('in-interface', hostMap('ingress', 'untracked'))] : [];
}

/** In `input`: what is for the host itself. */
export function inputHostRules(config: NftConfig, stages: HostStages): readonly Rule[] {
  if (!stages.has('normal')) return [];
  const done = alreadyAllowed(config, stages).map(test =>
    makeRule([test], accept, 'allowed by an early policy'),
  );
  return [...done, dispatch('in-interface', hostMap('ingress', 'normal'))];
}

/** In `forward`: what comes from outside for something behind this host. */
export function forwardInRules(config: NftConfig, stages: HostStages): readonly Rule[] {
  if (!stages.has('forward')) return [];
  const map = hostMap('ingress', 'forward');
  return [makeRule(notYetAllowed(config, stages), { kind: 'dispatch', key: 'in-interface', map })];
}

/** Where nothing else stops a packet: what leaves this host and is not its own. */
export function forwardOutRules(config: NftConfig, stages: HostStages): readonly Rule[] {
  if (!stages.has('forward')) return [];
  const tests: readonly Test[] = [{ kind: 'input-interface' }, ...notYetAllowed(config, stages)];
  return [makeRule(tests, { kind: 'dispatch', key: 'out-interface', map: hostMap('egress', 'forward') })];
}

const discovery = makeRule(
  [family(6), protocol(58), { kind: 'icmp-types', types: [130, 131, 132, 133, 134, 135, 136, 143] }],
  accept,
  'neighbour, router and listener discovery',
);

function failsafeRules(
  list: readonly FailsafePort[],
  remote: 'source' | 'destination',
  portOf: 'source' | 'destination' = 'destination',
): readonly Rule[] {
  return list.map(({ protocol: number, port, net }) => {
    const fromNet: readonly Test[] =
      net === undefined
        ? []
        : [
            family(net.version),
            { kind: 'nets', side: remote, version: net.version, nets: [net], negated: false },
          ];
    const ports: Test = { kind: 'ports', side: portOf, ranges: [{ min: port, max: port }], negated: false };
    return makeRule([...fromNet, protocol(number), ports], accept, 'failsafe');
  });
}

function ofHost({ config, tunnels }: HostOptions): BaseObjects {
  const { failsafeInbound, failsafeOutbound } = config;
  const done = alreadyAllowed(config, new Set());
  const output: Chain = {
    name: baseNames.output,
    base: { type: 'filter', hook: 'output', priority: -1 },
    rules: [
      ...tunnelOutRules(tunnels, config),
      acceptKnown,
      ...done.map(test => makeRule([test], accept, 'allowed by an early policy')),
      dispatch('out-interface', hostMap('egress', 'normal')),
    ],
  };
  return {
    sets: [
      hostMap('ingress', 'normal'),
      hostMap('egress', 'normal'),
      hostProfileMap('egress'),
      hostProfileMap('ingress'),
    ].map(verdictMap),
    chains: [
      { name: baseNames.failsafeIn, rules: [discovery, ...failsafeRules(failsafeInbound, 'source')] },
      { name: baseNames.failsafeOut, rules: [discovery, ...failsafeRules(failsafeOutbound, 'destination')] },
      output,
    ],
  };
}

function ofForwarded(): BaseObjects {
  return { sets: [hostMap('ingress', 'forward'), hostMap('egress', 'forward')].map(verdictMap), chains: [] };
}

function ofUntracked({ failsafeInbound, failsafeOutbound }: NftConfig): BaseObjects {
  const base: BaseChain = { type: 'filter', hook: 'output', priority: -300 };
  return {
    sets: [hostMap('ingress', 'untracked'), hostMap('egress', 'untracked')].map(verdictMap),
    chains: [
      // Answers of failsafe connections too, or half of such a connection would go untracked.
      {
        name: baseNames.failsafeRawIn,
        rules: [
          discovery,
          ...failsafeRules(failsafeInbound, 'source'),
          ...failsafeRules(failsafeOutbound, 'source', 'source'),
        ],
      },
      {
        name: baseNames.failsafeRawOut,
        rules: [
          discovery,
          ...failsafeRules(failsafeOutbound, 'destination'),
          ...failsafeRules(failsafeInbound, 'destination', 'source'),
        ],
      },
      { name: baseNames.untrack, rules: [makeRule([], { kind: 'notrack' }), makeRule([], accept)] },
      {
        name: baseNames.rawOutput,
        base,
        rules: [dispatch('out-interface', hostMap('egress', 'untracked'))],
      },
    ],
  };
}

function ofBeforeNat(config: NftConfig): BaseObjects {
  return {
    sets: [verdictMap(hostMap('ingress', 'pre-dnat'))],
    chains: [
      {
        name: baseNames.acceptBeforeNat,
        rules: [makeRule([], { kind: 'set-mark', bits: config.preDnatMark }), makeRule([], accept)],
      },
      {
        name: baseNames.manglePrerouting,
        base: { type: 'filter', hook: 'prerouting', priority: -150 },
        rules: [
          makeRule([inState('established', 'related', 'untracked')], accept),
          dispatch('in-interface', hostMap('ingress', 'pre-dnat')),
        ],
      },
    ],
  };
}

interface HostOptions {
  readonly config: NftConfig;
  readonly hostStages: HostStages;
  readonly tunnels: TunnelPeers;
}

/** Maps and chains for host endpoints, as far as they are used. */
export function hostObjects(options: HostOptions): BaseObjects {
  const { config, hostStages: stages } = options;
  const parts = [
    ...(stages.has('normal') ? [ofHost(options)] : []),
    ...(stages.has('forward') ? [ofForwarded()] : []),
    ...(stages.has('untracked') ? [ofUntracked(config)] : []),
    ...(stages.has('pre-dnat') ? [ofBeforeNat(config)] : []),
  ];
  return { sets: parts.flatMap(part => part.sets), chains: parts.flatMap(part => part.chains) };
}
