import type { Logger } from '../base/index.js';
import { Tunnels } from '../dataplane/index.js';
import type { VxlanSettings } from '../dataplane/index.js';
import type { ClusterEvent } from '../datastore/index.js';
import { createAllocator, watchBlocks } from '../ipam/index.js';
import type { BlockEvent } from '../ipam/index.js';
import { BgpSync } from './bgp-sync.js';
import { createDaemon, endOtherDaemons } from './daemons.js';
import type { RoutingDaemon } from './daemons.js';
import { keepUp, startJob } from './lifecycle.js';
import { RoutingView } from './routing-view.js';
import { ensureTunnelAddress } from './tunnel-address.js';
import { TunnelSync } from './tunnel-sync.js';
import type { FelixConfig } from './felix-config/index.js';
import type { Wiring } from './wiring.js';

type RoutingParameter = 'interfacePrefixes' | 'ipipMtu' | 'vxlanVni' | 'vxlanPort' | 'vxlanMtu' | 'vxlanMtu6';

/** What the routes are built on. */
export interface RoutesGround extends Pick<
  Wiring,
  'parts' | 'clock' | 'network' | 'store' | 'client' | 'fail'
> {
  readonly nft: Pick<Wiring['nft'], 'setTunnelPeers'>;
  readonly log: Logger;
  readonly config: Pick<Wiring['config'], 'nodeName' | 'runDir' | 'logDir' | 'backend'>;
  readonly settings: { readonly values: Pick<FelixConfig, RoutingParameter> };
}

/** What brings packets to other hosts: BGP, and the agent's own routes through tunnels. */
export interface Routes {
  handleCluster(event: ClusterEvent): void;
  /** of the BGP daemon; undefined in policy-only mode */
  readonly bgpStatus: (() => Promise<unknown>) | undefined;
  /** what is wrong with the routes, each as a sentence */
  problems(): readonly string[];
}

/** Routes as blocks, nodes and pools say; those of tunnels need no BGP. */
export async function startRoutes(ground: RoutesGround): Promise<Routes> {
  const bgp = await startBgp(ground);
  const { tunnels, sync: tunnelSync } = await startTunnels(ground);
  const view = new RoutingView(ground.config.nodeName, changed => {
    tunnelSync.update(view, changed);
    bgp?.sync.update(view);
  });
  await startBlocks(ground, event => {
    view.handleBlocks(event);
  });
  return {
    handleCluster: event => {
      view.handleCluster(event);
    },
    bgpStatus: bgp === undefined ? undefined : async () => await bgp.daemon.status(),
    problems: () => [...tunnels.problems(), ...tunnelSync.problems(), ...(bgp?.sync.problems() ?? [])],
  };
}

async function startBlocks(
  { parts, store, clock, log, fail }: RoutesGround,
  handle: (event: BlockEvent) => void,
): Promise<void> {
  await parts.start({
    name: 'blocks',
    start: async () =>
      await startJob(async (signal, ready) => {
        const follow = async (): Promise<void> => {
          for await (const event of watchBlocks(store, { signal })) {
            handle(event);
            ready();
          }
        };
        await keepUp('the watch of blocks', follow, { signal, clock, log });
      }, fail),
    stop: job => job.stop(),
  });
}

async function startBgp(ground: RoutesGround): Promise<{ sync: BgpSync; daemon: RoutingDaemon } | undefined> {
  const { parts, config, settings, log, clock, network } = ground;
  const { backend } = config;
  await endOtherDaemons(backend, ground);
  if (backend === 'none') return undefined;
  const daemon = await parts.start({
    name: backend,
    start: async () => await Promise.resolve(createDaemon(backend, ground)),
    stop: started => started.close(),
  });
  const sync = await parts.start({
    name: 'bgp',
    start: async () =>
      await Promise.resolve(
        new BgpSync({
          nodeName: config.nodeName,
          interfacePrefixes: settings.values.interfacePrefixes,
          addresses: () => network.addresses(),
          apply: async state => {
            await daemon.apply(state);
          },
          clock,
          log: log.with({ part: 'bgp' }),
        }),
      ),
    stop: each => each.stop(),
  });
  return { sync, daemon };
}

function vxlanFrom(values: Pick<FelixConfig, RoutingParameter>): VxlanSettings {
  const { vxlanVni: vni, vxlanPort, ipipMtu, vxlanMtu, vxlanMtu6 } = values;
  return {
    vni,
    port: vxlanPort,
    mtu: {
      ...(ipipMtu > 0 && { tunl0: ipipMtu }),
      ...(vxlanMtu > 0 && { 'vxlan.calico': vxlanMtu }),
      ...(vxlanMtu6 > 0 && { 'vxlan-v6.calico': vxlanMtu6 }),
    },
  };
}

async function startTunnels(ground: RoutesGround): Promise<{ tunnels: Tunnels; sync: TunnelSync }> {
  const { parts, config, log, clock, network, nft, store, client } = ground;
  const tunnels = await parts.start({
    name: 'tunnels',
    start: async () => {
      const started = new Tunnels({ network, log: log.with({ part: 'tunnels' }), clock });
      started.start();
      return await Promise.resolve(started);
    },
    stop: started => {
      started.stop();
    },
  });
  const allocator = createAllocator({ store, clock, log: log.with({ part: 'ipam' }) });
  const address = { nodeName: config.nodeName, allocator, client, log: log.with({ part: 'tunnels' }) };
  const sync = await parts.start({
    name: 'tunnel address',
    start: async () =>
      await Promise.resolve(
        new TunnelSync({
          nodeName: config.nodeName,
          apply: source => {
            tunnels.apply(source);
          },
          vxlan: vxlanFrom(ground.settings.values),
          admit: async peers => {
            await nft.setTunnelPeers(peers);
          },
          ensureAddress: async (device, pools) => await ensureTunnelAddress(address, device, pools),
          clock,
          log: log.with({ part: 'tunnels' }),
        }),
      ),
    stop: each => each.stop(),
  });
  return { tunnels, sync };
}
