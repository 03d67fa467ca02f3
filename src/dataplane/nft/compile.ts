import type { Logger } from '../../base/index.js';
import type { DataplaneUpdate, HostInterfaces, Pool } from '../../policy/index.js';
import { AddressSets } from './address-sets.js';
import { baseObjects } from './base-chains.js';
import type { NftConfig } from './config.js';
import { DesiredRuleset } from './desired-ruleset.js';
import type { RulesetPatch } from './diff.js';
import { dropCounters } from './drops.js';
import { Endpoints } from './endpoints.js';
import { FloatingAddresses } from './floating-addresses.js';
import { Lists } from './lists.js';
import type { Elements, Ruleset } from './model.js';
import { natOutgoing } from './nat-outgoing.js';
import { noTunnels, tunnelDevices, tunnelSets } from './tunnel-guard.js';
import type { TunnelPeers } from './tunnel-guard.js';
import { undoOf } from './undo.js';

/**
 * From what the calculation graph says to the table. It holds the desired table between updates; each update
 * costs what it touches.
 *
 *   sets ──► AddressSets ─────────────┐ (a new prefix length marks lists)
 *              ▲ unions of sets       │
 *   policies, profiles ──► Lists ─────┼──► DesiredRuleset ──► patch
 *   endpoints ──► Endpoints ──────────┤ (hold lists, and lead to their places)
 *   pools ──► natOutgoing ────────────┤
 *   endpoints ──► FloatingAddresses ──┘
 */
export interface Compiler {
  /** The first call makes the table more than the closed base: it must bring the whole state. */
  accept(updates: readonly DataplaneUpdate[]): void;
  /** Updates that would take these back, from the state as it is before them. */
  undoOf(updates: readonly DataplaneUpdate[]): readonly DataplaneUpdate[];
  /** Takes which addresses the host's interfaces own: host endpoints may be found by theirs. */
  setHostInterfaces(interfaces: HostInterfaces): void;
  /** Takes who may send packets that carry others. */
  setTunnelPeers(peers: TunnelPeers): void;
  /** Takes another configuration; prefixes count only for endpoints that come later. */
  configure(config: NftConfig): void;
  /** The whole desired table; a live view. */
  ruleset(): Ruleset;
  /** What changed since the last call. */
  takePatch(): RulesetPatch;
}

function logText({ logPrefix, logGroup, logRateLimit, logRateBurst }: NftConfig): string {
  return JSON.stringify([logPrefix, logGroup, logRateLimit, logRateBurst]);
}

export function createCompiler(initial: NftConfig, log: Logger): Compiler {
  const desired = new DesiredRuleset(dropCounters.keys());
  const sets = new AddressSets(desired, log);
  let config = initial;
  const lists = new Lists(desired, {
    lengthsOf: (id, version) => sets.lengthsOf(id, version),
    unions: sets.unions,
    get log() {
      return config;
    },
  });
  let pools: readonly Pool[] = [];
  const interfacePrefixes = (): readonly string[] => config.interfacePrefixes;
  const endpoints = new Endpoints({ desired, lists, interfacePrefixes, log });
  const floating = new FloatingAddresses();
  let hasState = false;
  let tunnels = noTunnels;

  const putBase = (): void => {
    const { hostStages } = endpoints;
    desired.put('base', baseObjects({ config, antiSpoof: hasState, hostStages, tunnels }));
  };

  const putNat = (): void => {
    const nat = natOutgoing(pools, tunnelDevices(tunnels));
    const elements = new Map<string, Elements>(nat.sets.map(entry => [entry.set.name, entry.elements]));
    desired.put('pools', { chains: nat.chains, sets: nat.sets.map(entry => entry.set), elements });
  };

  const accept = (update: DataplaneUpdate): void => {
    switch (update.kind) {
      case 'set-created':
        if (sets.create(update.id, update.members, update.content)) lists.setShapeChanged(update.id);
        return;
      case 'set-changed':
        if (sets.change(update.id, update.added, update.removed)) lists.setShapeChanged(update.id);
        return;
      case 'set-removed':
        sets.remove(update.id);
        return;
      case 'policy-updated':
        lists.setPolicy(update.id, update.rules);
        return;
      case 'policy-removed':
        lists.setPolicy(update.id, undefined);
        return;
      case 'profile-updated':
        lists.setProfile(update.id, update.rules);
        return;
      case 'profile-removed':
        lists.setProfile(update.id, undefined);
        return;
      case 'endpoint-updated':
        endpoints.set(update.id, update.local);
        floating.set(update.id, update.local.endpoint);
        return;
      case 'endpoint-removed':
        endpoints.remove(update.id);
        floating.set(update.id, undefined);
        return;
      case 'pools-updated':
        pools = update.pools;
        putNat();
    }
  };

  const settle = (): void => {
    endpoints.bind();
    lists.settle();
    endpoints.place();
  };

  const compileLists = (): void => {
    lists.compile();
    sets.settle();
  };

  putBase();
  return {
    accept(updates) {
      const [hadState, stages] = [hasState, endpoints.hostStages];
      hasState = true;
      for (const update of updates) accept(update);
      settle();
      const translated = floating.takeChanged();
      if (translated !== undefined) desired.put('floating', translated);
      if (!hadState || stages.symmetricDifference(endpoints.hostStages).size > 0) putBase();
      compileLists();
    },
    undoOf: updates =>
      undoOf(updates, {
        policy: id => lists.policy(id),
        profile: id => lists.profile(id),
        endpoint: id => endpoints.get(id),
        content: id => sets.contentOf(id),
        pools,
      }),
    setHostInterfaces(interfaces) {
      endpoints.setHostInterfaces(interfaces);
      settle();
      compileLists();
    },
    setTunnelPeers(peers) {
      const isOther = peers.ipip !== tunnels.ipip || peers.vxlan !== tunnels.vxlan;
      tunnels = peers;
      desired.put('tunnels', tunnelSets(peers));
      if (!isOther) return;
      putBase();
      putNat();
    },
    configure(next) {
      const logsOtherwise = logText(config) !== logText(next);
      config = next;
      putBase();
      if (logsOtherwise) lists.logChanged();
      compileLists();
    },
    ruleset: () => desired.ruleset,
    takePatch: () => desired.takePatch(),
  };
}
