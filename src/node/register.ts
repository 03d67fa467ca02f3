import { CalicoError } from '../base/index.js';
import type { Logger } from '../base/index.js';
import type { ResourceClient } from '../datastore/index.js';
import type { ResourceOf } from '../resources/index.js';
import { chooseAddress } from './choose-address.js';
import type { HostView } from './choose-address.js';
import type { AgentConfig } from './config.js';

type NodeBgp = NonNullable<ResourceOf<'node'>['spec']['bgp']>;

function addressesFor(config: AgentConfig, stored: NodeBgp | undefined, view: HostView): NodeBgp {
  const ipv4 =
    config.ipv4 === 'autodetect'
      ? chooseAddress(view, 4)
      : (config.ipv4 ?? stored?.ipv4Address ?? chooseAddress(view, 4));
  const ipv6 = config.ipv6 ?? stored?.ipv6Address;
  const asNumber = config.asNumber ?? stored?.asNumber;
  if (ipv4 === undefined && ipv6 === undefined) {
    throw new CalicoError(
      'invalid',
      'no address found that other hosts can reach: set IP to the address of this host, or CALICO_NETWORKING_BACKEND=none',
    );
  }
  return {
    ...(asNumber === undefined ? {} : { asNumber }),
    ...(ipv4 === undefined ? {} : { ipv4Address: ipv4 }),
    ...(ipv6 === undefined ? {} : { ipv6Address: ipv6 }),
  };
}

async function refuseSharedAddress(client: ResourceClient, name: string, bgp: NodeBgp): Promise<void> {
  const others = (await client.list('node')).filter(node => node.metadata.name !== name);
  for (const address of [bgp.ipv4Address, bgp.ipv6Address]) {
    const holder = others.find(
      ({ spec }) =>
        address !== undefined && (spec.bgp?.ipv4Address === address || spec.bgp?.ipv6Address === address),
    );
    if (holder !== undefined) {
      throw new CalicoError(
        'already-exists',
        `node ${holder.metadata.name} has the address ${String(address)} already`,
      );
    }
  }
}

/**
 * Makes this host known: its node resource with the addresses it routes by. In policy-only mode (`backend`
 * none) a node needs no address. Nothing is written when nothing changed.
 */
export async function registerNode(
  config: AgentConfig,
  client: ResourceClient,
  view: HostView,
  log: Logger,
): Promise<void> {
  const name = config.nodeName;
  const [stored] = await client.list('node', { name });
  const bgp = config.backend === 'none' ? stored?.spec.bgp : addressesFor(config, stored?.spec.bgp, view);
  if (bgp !== undefined) await refuseSharedAddress(client, name, bgp);
  const resource: ResourceOf<'node'> = {
    apiVersion: 'v1',
    kind: 'node',
    metadata: { name },
    spec: bgp === undefined ? {} : { bgp },
  };
  if (stored !== undefined && JSON.stringify(stored.spec) === JSON.stringify(resource.spec)) return;
  await client.write([{ verb: 'apply', resource }]);
  log.info('node registered', { node: name, ...bgp });
}
