import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { stdout } from 'node:process';
import { silentLogger, systemClock } from '../../src/base/index.js';
import { createResourceClient, openStore } from '../../src/datastore/index.js';
import { openHostNetwork } from '../../src/netlink/index.js';
import { Parts } from '../../src/node/lifecycle.js';
import { startRoutes } from '../../src/node/start-routes.js';

/** The datastore that all hosts of the test share. */
export const STORE = { type: 'sqlite', directory: '/run/store' } as const;

/**
 * The routing of one host as the agent runs it: BGP, tunnels and their address. The kernel of the virtual
 * machine has no nftables for IP, so policy is not part of it.
 */
export async function runHost(nodeName: string): Promise<void> {
  const runDir = `/run/${nodeName}`;
  mkdirSync(runDir, { recursive: true });
  const [network, store] = await Promise.all([openHostNetwork(), openStore(STORE)]);
  const client = createResourceClient(store);
  const routes = await startRoutes({
    parts: new Parts(silentLogger, systemClock),
    config: { nodeName, runDir, logDir: runDir, backend: 'bird' },
    settings: {
      values: {
        interfacePrefixes: ['cali'],
        vxlanVni: 4096,
        vxlanPort: 4789,
        ipipMtu: 0,
        vxlanMtu: 0,
        vxlanMtu6: 0,
      },
    },
    nft: { setTunnelPeers: async () => await Promise.resolve() },
    network,
    store,
    client,
    log: silentLogger,
    clock: systemClock,
    fail: error => {
      throw error;
    },
  });
  setInterval(() => {
    for (const problem of routes.problems()) stdout.write(`# ${nodeName}: ${problem}\n`);
  }, 2000);
  for await (const event of client.watch({ signal: new AbortController().signal })) {
    routes.handleCluster(event);
  }
  await once(process, 'SIGTERM');
}
