import { CalicoError } from '../base/index.js';
import type { Logger } from '../base/index.js';
import type { ResourceClient } from '../datastore/index.js';
import type { IpVersion } from '../net/index.js';
import type { ResourceOf } from '../resources/index.js';
import type { HostView } from './choose-address.js';
import type { AgentConfig } from './config.js';
import { findAddress } from './find-address.js';
import type { FoundAddress } from './find-address.js';

type NodeBgp = NonNullable<ResourceOf<'node'>['spec']['bgp']>;

export interface Registration {
  readonly config: Pick<AgentConfig, 'nodeName' | 'backend' | 'startup'>;
  readonly client: ResourceClient;
  readonly view: HostView;
  readonly log: Logger;
}

/**
 * Makes this host known: its node resource with the addresses it routes by. In policy-only mode (`backend`
 * none) a node needs no address, and none is looked for unless asked. Nothing is written when nothing changed.
 * Fails with `already-exists` when another node has the address: two hosts with one address break both.
 */
export async function registerNode({ config, client, view, log }: Registration): Promise<void> {
  const name = config.nodeName;
  const [stored] = await client.list('node', { name });
  const bgp = await bgpOf({ config, client, view, log }, stored?.spec.bgp);
  log.info(`Calico node name:  ${name}`);
  if (bgp !== undefined) await refuseSharedAddress(client, name, bgp);
  const resource: ResourceOf<'node'> = {
    apiVersion: 'v1',
    kind: 'node',
    metadata: { name },
    spec: bgp === undefined ? {} : { bgp },
  };
  if (stored !== undefined && JSON.stringify(stored.spec) === JSON.stringify(resource.spec)) return;
  await client.write([{ verb: 'apply', resource }]);
}

async function bgpOf(
  { config, view, log }: Registration,
  stored: NodeBgp | undefined,
): Promise<NodeBgp | undefined> {
  const { startup, backend } = config;
  const of = async (version: IpVersion): Promise<string | undefined> => {
    const known = version === 4 ? stored?.ipv4Address : stored?.ipv6Address;
    if (backend === 'none' && startup.addresses[version] === undefined) return known;
    const found = await findAddress({ version, startup, stored: known, view });
    tell(log, version, found, known);
    return found?.address;
  };
  const ipv4 = await of(4);
  const ipv6 = await of(6);
  if (ipv4 === undefined && ipv6 === undefined) {
    if (backend === 'none') return undefined;
    throw new CalicoError(
      'invalid',
      'no address of this host found that others can reach: set IP to it, choose another ' +
        'IP_AUTODETECTION_METHOD, or set CALICO_NETWORKING_BACKEND=none for policy without routing',
    );
  }
  const asNumber = startup.asNumber ?? stored?.asNumber;
  const cluster = stored?.routeReflectorClusterID;
  if (backend !== 'none') tellAsNumber(log, startup.asNumber, stored?.asNumber);
  return {
    ...(asNumber === undefined ? {} : { asNumber }),
    ...(ipv4 === undefined ? {} : { ipv4Address: ipv4 }),
    ...(ipv6 === undefined ? {} : { ipv6Address: ipv6 }),
    // The operator's alone: nothing at the start says what it should be.
    ...(cluster === undefined ? {} : { routeReflectorClusterID: cluster }),
  };
}

/** The lines that `calicoctl node run` shows while a node starts (calicoctl.md 9.4). */
function tell(
  log: Logger,
  version: IpVersion,
  found: FoundAddress | undefined,
  stored: string | undefined,
): void {
  const family = `IPv${String(version)}`;
  if (found === undefined) {
    log.info(`No ${family} address configured`);
    return;
  }
  const { address, from, warning } = found;
  const variable = version === 4 ? 'IP' : 'IP6';
  const how = {
    environment: `Using ${family} address from ${variable} environment: ${address}`,
    datastore: `Using configured ${family} address: ${address}`,
    detection: `Using auto-detected ${family} address: ${address}`,
  };
  log.info(how[from]);
  if (warning !== undefined) log.warn('look at the address of this node', { reason: warning });
  if (stored !== undefined && stored !== address) {
    log.warn('this node had another address before: is there another host of its name?', {
      before: stored,
      now: address,
    });
  }
}

function tellAsNumber(log: Logger, told: number | undefined, stored: number | undefined): void {
  if (told !== undefined) log.info(`Using AS number from AS environment: ${String(told)}`);
  else if (stored !== undefined) log.info(`Using configured AS number: ${String(stored)}`);
  else log.info('Using global AS number');
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
        `node ${holder.metadata.name} has the address ${String(address)} already: ` +
          `set IP to another, or delete that node if its host is gone`,
      );
    }
  }
}
