import { CalicoError } from '../base/index.js';
import type { Clock } from '../base/index.js';
import type { Store } from '../datastore/index.js';
import { canonicalCidr } from '../net/index.js';
import { formatConfig, formatReservations, parseConfig, parseReservations } from './codec.js';
import type { IpamConfig, Reservation } from './codec.js';
import { ipamConfigKey, reservationsKey } from './keys.js';
import { untilCommitted } from './retry.js';

interface SettingsParts {
  readonly store: Store;
  readonly clock: Clock;
}

/** The switches of address assignment, of the whole cluster. */
export async function readIpamConfig(store: Store): Promise<IpamConfig> {
  return parseConfig((await store.get(ipamConfigKey))?.value);
}

/** Changes some of the switches and returns all of them; `invalid` for a combination that assigns nothing. */
export async function changeIpamConfig(
  { store, clock }: SettingsParts,
  change: Partial<IpamConfig>,
): Promise<IpamConfig> {
  return await untilCommitted(clock, 'change the IPAM configuration', async () => {
    const entry = await store.get(ipamConfigKey);
    const config = { ...parseConfig(entry?.value), ...change };
    checkConfig(config);
    const result = await store.commit({
      conditions: [{ key: ipamConfigKey, modRevision: entry?.modRevision ?? 0 }],
      writes: [{ kind: 'put', key: ipamConfigKey, value: formatConfig(config) }],
    });
    return result.committed ? config : undefined;
  });
}

function checkConfig({ strictAffinity, autoAllocateBlocks, maxBlocksPerHost }: IpamConfig): void {
  if (!strictAffinity && !autoAllocateBlocks) {
    throw new CalicoError(
      'invalid',
      "Cannot disable 'StrictAffinity' and 'AutoAllocateBlocks' at the same time",
    );
  }
  if (maxBlocksPerHost === undefined) return;
  if (!Number.isInteger(maxBlocksPerHost) || maxBlocksPerHost < 1)
    throw new CalicoError('invalid', 'the limit of blocks per host must be a whole number above 0');
  if (!strictAffinity)
    throw new CalicoError('invalid', 'a limit of blocks per host needs strict affinity: hosts would borrow');
}

/** All reservations, in order of their names. */
export async function listReservations(store: Store): Promise<readonly Reservation[]> {
  return parseReservations((await store.get(reservationsKey))?.value);
}

/** Sets the reservation of that name; addresses that are held already stay with their holders. */
export async function setReservation(parts: SettingsParts, reservation: Reservation): Promise<void> {
  const cidrs = reservation.cidrs.map(text => {
    const cidr = canonicalCidr(text);
    if (cidr === undefined) throw new CalicoError('invalid', `${text} is no network (address/length)`);
    return cidr;
  });
  await changeReservations(parts, others =>
    [...others.filter(({ name }) => name !== reservation.name), { name: reservation.name, cidrs }].sort(
      (a, b) => (a.name < b.name ? -1 : 1),
    ),
  );
}

/** Removes the reservation of that name; `not-found` when there is none. */
export async function removeReservation(parts: SettingsParts, name: string): Promise<void> {
  await changeReservations(parts, all => {
    const others = all.filter(each => each.name !== name);
    if (others.length === all.length) throw new CalicoError('not-found', `no reservation is named ${name}`);
    return others;
  });
}

async function changeReservations(
  { store, clock }: SettingsParts,
  change: (all: readonly Reservation[]) => readonly Reservation[],
): Promise<void> {
  await untilCommitted(clock, 'change the reservations', async () => {
    const entry = await store.get(reservationsKey);
    const value = formatReservations(change(parseReservations(entry?.value)));
    const result = await store.commit({
      conditions: [{ key: reservationsKey, modRevision: entry?.modRevision ?? 0 }],
      writes: [{ kind: 'put', key: reservationsKey, value }],
    });
    return result.committed || undefined;
  });
}
