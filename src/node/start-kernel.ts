import { createEndpointPlumbing, createNftApplier, createNftDataplane } from '../dataplane/index.js';
import type { EndpointPlumbing, NftConfig, NftDataplane } from '../dataplane/index.js';
import type { FelixConfig } from './felix-config/index.js';
import { Periodic } from './periodic.js';
import type { Ground } from './wiring.js';

/** As long as a timer can count. */
const NEVER_SECONDS = 2_000_000;

/** The part of the ruleset that is the operator's choice. */
function nftConfigFrom(config: FelixConfig): Partial<NftConfig> {
  return {
    interfacePrefixes: config.interfacePrefixes,
    endpointToHostAction: config.endpointToHostAction,
    allowDhcpDnsToHost: config.allowDhcpDnsToHost,
    dropInvalid: !config.conntrackInvalidAllowed,
    failsafeInbound: config.failsafeInbound,
    failsafeOutbound: config.failsafeOutbound,
  };
}

/** Closes what is unknown; policy comes later. */
export async function startNft({
  parts,
  settings,
  log,
  clock,
}: Pick<Ground, 'parts' | 'settings' | 'log' | 'clock'>): Promise<NftDataplane> {
  const nft = await parts.start({
    name: 'nft',
    start: async () => {
      const dataplane = createNftDataplane({
        applier: createNftApplier(),
        config: nftConfigFrom(settings.values),
        log: log.with({ part: 'nft' }),
        clock,
      });
      await dataplane.start();
      return dataplane;
    },
    stop: dataplane => dataplane.stop(),
  });
  await settings.follow(async values => await nft.configure(nftConfigFrom(values)));
  return nft;
}

/** Interfaces, routes and neighbours of this host's endpoints. */
export async function startPlumbing({
  parts,
  network,
  settings,
  log,
  clock,
}: Ground): Promise<EndpointPlumbing> {
  const { interfacePrefixes, ipv6, routeProtocol } = settings.values;
  return await parts.start({
    name: 'endpoints',
    start: async () => {
      const endpoints = createEndpointPlumbing({
        network,
        config: {
          interfacePrefixes,
          ipv6,
          routeProtocol,
          // Asked for each pause anew: the parameter may change.
          get resyncSeconds() {
            return settings.values.routeRefresh === 0 ? NEVER_SECONDS : settings.values.routeRefresh;
          },
        },
        log: log.with({ part: 'endpoints' }),
        clock,
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
