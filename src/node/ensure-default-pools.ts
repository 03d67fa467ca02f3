import { isCalicoError } from '../base/index.js';
import type { Logger } from '../base/index.js';
import type { ResourceClient } from '../datastore/index.js';
import type { HostView } from './choose-address.js';
import { defaultPools } from './default-pools.js';
import type { StartupConfig } from './startup-config.js';

export interface DefaultPoolsParts {
  readonly pools: StartupConfig['pools'];
  readonly client: ResourceClient;
  readonly view: HostView;
  /** whether this host speaks IPv6 at all */
  readonly ipv6: boolean;
  readonly log: Logger;
}

/**
 * Gives a cluster without any pool the default ones, so that the first workload gets an address. Several hosts
 * that start together make them once: all or none are written, and another's are as good.
 */
export async function ensureDefaultPools({
  pools,
  client,
  view,
  ipv6,
  log,
}: DefaultPoolsParts): Promise<void> {
  if (pools === undefined || (await client.list('ipPool')).length > 0) return;
  // Written with the first node, which is this one or came before it.
  const id = (await client.getSetting({ component: 'felix', name: 'ClusterGUID' })) ?? '';
  const made = defaultPools(pools, view, { id, ipv6 });
  if (!made.some(({ metadata }) => !metadata.cidr.includes(':'))) {
    log.warn('no default IPv4 pool: every usual range is a network of this host; create a pool yourself');
  }
  if (made.length === 0) return;
  try {
    await client.write(made.map(resource => ({ verb: 'create', resource })));
  } catch (error) {
    if (isCalicoError(error, 'already-exists')) return;
    throw error;
  }
  for (const { metadata, spec } of made) {
    log.info(`Created default pool ${metadata.cidr}`, {
      natOutgoing: spec['nat-outgoing'] ?? false,
      ipip: spec.ipip?.enabled === true ? (spec.ipip.mode ?? 'always') : 'off',
      vxlan: spec.vxlan?.enabled === true ? (spec.vxlan.mode ?? 'always') : 'off',
    });
  }
}
