import {
  createEndpointPlumbing,
  createNetlinkNftApplier,
  createNftApplier,
  createNftDataplane,
  followHostInterfaces,
  HostEndpointStates,
  isLoopback,
} from '../dataplane/index.js';
import type { EndpointPlumbing, NftApplier, NftConfig, NftDataplane } from '../dataplane/index.js';
import type { FelixConfig } from './felix-config/index.js';
import { hasIpv6 } from './host-ipv6.js';
import type { Measurements } from './measurements.js';
import { Periodic } from './periodic.js';
import type { Ground } from './wiring.js';

/** As long as a timer can count. */
const NEVER_SECONDS = 2_000_000;

/** Where workloads find the metadata service, if there is one. */
function metadataOf({ metadataAddress, metadataPort }: FelixConfig): NftConfig['metadata'] {
  return metadataAddress === '' ? undefined : { address: metadataAddress, port: metadataPort };
}

/** The part of the ruleset that is the operator's choice. */
export function nftConfigFrom(config: FelixConfig): Partial<NftConfig> {
  return {
    interfacePrefixes: config.interfacePrefixes,
    endpointToHostAction: config.endpointToHostAction,
    allowDhcpDnsToHost: config.allowDhcpDnsToHost,
    ipv6: config.ipv6,
    metadata: metadataOf(config),
    dropInvalid: !config.conntrackInvalidAllowed,
    dropActionOverride: config.dropActionOverride,
    logPrefix: config.logPrefix,
    logGroup: config.logGroup,
    logRateLimit: config.logRateLimit,
    logRateBurst: config.logRateBurst,
    failsafeInbound: config.failsafeInbound,
    failsafeOutbound: config.failsafeOutbound,
    allowIpipFromWorkloads: config.allowIpipFromWorkloads,
    allowVxlanFromWorkloads: config.allowVxlanFromWorkloads,
    vxlanPort: config.vxlanPort,
  };
}

/** The same applier, with its calls and failures counted. */
function counted(applier: NftApplier, { nft }: Measurements): NftApplier {
  const count = async <T>(kind: string, call: () => Promise<T>): Promise<T> => {
    nft.add(kind);
    try {
      return await call();
    } catch (error) {
      nft.add(`${kind}-failed`);
      throw error;
    }
  };
  return {
    ...applier,
    apply: async transaction => await count('apply', async () => await applier.apply(transaction)),
    check: async transaction => {
      await applier.check(transaction);
    },
    readBack: async () => await count('list', async () => await applier.readBack()),
  };
}

/** Closes what is unknown; policy comes later. */
export async function startNft({
  config,
  parts,
  settings,
  measurements,
  log,
  clock,
}: Pick<Ground, 'config' | 'parts' | 'settings' | 'measurements' | 'log' | 'clock'>): Promise<NftDataplane> {
  const applier = await parts.start({
    name: 'nft applier',
    start: async () =>
      config.nftApplier === 'program' ? createNftApplier() : await createNetlinkNftApplier(),
    stop: opened => opened.close?.(),
  });
  const nft = await parts.start({
    name: 'nft',
    start: async () => {
      const dataplane = createNftDataplane({
        applier: counted(applier, measurements),
        config: nftConfigFrom(settings.values),
        log: log.with({ part: 'nft' }),
        clock,
        onRepair: kind => {
          measurements.repairs.add(kind);
        },
      });
      await dataplane.start();
      return dataplane;
    },
    stop: dataplane => dataplane.stop(),
  });
  await settings.follow(async values => await nft.configure(nftConfigFrom(values)));
  return nft;
}

/** Host endpoints stay on the interfaces that have their addresses. */
export async function startHostInterfaces({ parts, network, nft, log }: Ground): Promise<void> {
  await parts.start({
    name: 'host interfaces',
    start: async () =>
      await Promise.resolve(followHostInterfaces({ network, nft, log: log.with({ part: 'nft' }) })),
    stop: follower => {
      follower.close();
    },
  });
}

/** Whether this host's host endpoints have the interfaces that they are for. */
export async function startHostStates(ground: Ground): Promise<HostEndpointStates> {
  const { parts, network, settings, log, clock } = ground;
  const { interfacePrefixes } = settings.values;
  return await parts.start({
    name: 'host endpoints',
    start: async () =>
      await Promise.resolve(
        new HostEndpointStates({ network, interfacePrefixes, log: log.with({ part: 'endpoints' }), clock }),
      ),
    stop: states => {
      states.stop();
    },
  });
}

/** Interfaces, routes and neighbours of this host's endpoints. */
export async function startPlumbing({
  parts,
  network,
  settings,
  measurements,
  log,
  clock,
}: Ground): Promise<EndpointPlumbing> {
  const { interfacePrefixes, routeProtocol, metadataAddress } = settings.values;
  const ipv6 = settings.values.ipv6 && hasIpv6(network);
  // Routes that the kernel would never take are not tried: everything else can be ready.
  if (settings.values.ipv6 && !ipv6) log.warn('this host has no IPv6: its workloads get IPv4 only');
  return await parts.start({
    name: 'endpoints',
    start: async () => {
      const endpoints = createEndpointPlumbing({
        network,
        config: {
          interfacePrefixes,
          ipv6,
          routeProtocol,
          routeLocalnet: isLoopback(metadataAddress),
          // Asked for each pause anew: the parameter may change.
          get resyncSeconds() {
            return settings.values.routeRefresh === 0 ? NEVER_SECONDS : settings.values.routeRefresh;
          },
        },
        log: log.with({ part: 'endpoints' }),
        clock,
        onRepair: kind => {
          measurements.repairs.add(kind);
        },
      });
      endpoints.start();
      return await Promise.resolve(endpoints);
    },
    stop: endpoints => endpoints.stop(),
  });
}

/** Repairs our table from time to time, besides what events of the kernel make us do. */
export async function startNftRefresh({ parts, nft, settings, clock, log }: Ground): Promise<void> {
  const refresh = await parts.start({
    name: 'nft refresh',
    start: async () =>
      await Promise.resolve(
        new Periodic({ name: 'nft refresh', work: async () => await nft.resync(), clock, log }),
      ),
    stop: periodic => periodic.stop(),
  });
  await settings.follow(({ nftRefresh }) => {
    refresh.setInterval(nftRefresh * 1000);
  });
}
