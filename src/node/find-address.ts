import { CalicoError, messageOf } from '../base/index.js';
import type { IpVersion } from '../net/index.js';
import type { Detection } from './address-detection.js';
import { chooseAddress, hostHas } from './choose-address.js';
import type { HostView } from './choose-address.js';
import { sourceAddressTowards } from './source-address.js';
import type { StartupConfig } from './startup-config.js';

/** An address of this node and how it came about: told by the operator, as it was stored, or looked for. */
export interface FoundAddress {
  readonly address: string;
  readonly from: 'environment' | 'datastore' | 'detection';
  /** what an operator should look at, though the start goes on */
  readonly warning?: string;
}

export interface AddressQuestion {
  readonly version: IpVersion;
  readonly startup: StartupConfig;
  /** what the datastore has for this node */
  readonly stored: string | undefined;
  readonly view: HostView;
}

/**
 * The node's address in one IP version: the one that the operator set, else the stored one as long as the host
 * has it, else one that is looked for. IPv6 is looked for only when asked, as in Calico since the first release.
 * A stored address is never given up for a stray new interface, only when it has left the host.
 */
export async function findAddress(question: AddressQuestion): Promise<FoundAddress | undefined> {
  const { version, startup, stored, view } = question;
  const told = startup.addresses[version];
  if (told !== undefined && told !== 'autodetect') {
    return { address: told, from: 'environment', ...warningIfAbsent(told, view) };
  }
  if (told === 'autodetect') return await detect(question);
  if (stored === undefined) return version === 4 ? await detect(question) : undefined;
  if (hostHas(view, stored)) return { address: stored, from: 'datastore' };
  const other = await detect(question);
  if (other === undefined) return { address: stored, from: 'datastore', ...warningIfAbsent(stored, view) };
  return {
    ...other,
    warning: `${stored}, which the datastore has for this node, is not on this host any more`,
  };
}

function warningIfAbsent(address: string, view: HostView): { readonly warning?: string } {
  return hostHas(view, address) ? {} : { warning: `${address} is on no interface of this host` };
}

async function detect({ version, startup, view }: AddressQuestion): Promise<FoundAddress | undefined> {
  const address = await byMethod(startup.detection[version], version, view);
  return address === undefined ? undefined : { address, from: 'detection' };
}

async function byMethod(
  detection: Detection,
  version: IpVersion,
  view: HostView,
): Promise<string | undefined> {
  if (detection.kind !== 'can-reach') return chooseAddress(view, version, detection);
  try {
    return await sourceAddressTowards(detection.target, version);
  } catch (error) {
    // Another start will not mend it: the operator has to.
    throw new CalicoError('invalid', `the address of this host cannot be found: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
