import { CalicoError } from '../../../base/index.js';
import { changeIpamConfig, removeReservation, setReservation } from '../../../ipam/index.js';
import type { IpamConfig, Reservation } from '../../../ipam/index.js';
import { defineCommand, text } from '../../command.js';
import { ipamConfigureHelp } from '../../help/ipam.js';
import { visible } from '../../output/index.js';
import { failingAs } from '../failing-as.js';

/** The value of an option that is on or off. */
function booleanOption(option: string, value: string): boolean {
  if (value === 'true') return true;
  if (value === 'false') return false;
  throw new CalicoError('invalid', `invalid ${option} '${value}': expected true or false`);
}

/** 0, or nothing, is no limit. */
function limitOption(value: string): number | undefined {
  if (!/^\d{1,6}$/.test(value)) {
    throw new CalicoError(
      'invalid',
      `invalid --max-blocks-per-host '${value}': expected a whole number, 0 for no limit`,
    );
  }
  return Number(value) === 0 ? undefined : Number(value);
}

/** `NAME=CIDR[,CIDR...]` */
function reservationOption(value: string): Reservation {
  const [, name, cidrs] = /^([A-Za-z0-9][A-Za-z0-9_.-]*)=(.+)$/.exec(value) ?? [];
  if (name === undefined || cidrs === undefined) {
    throw new CalicoError('invalid', `invalid --reserve '${value}': expected NAME=CIDR[,CIDR...]`);
  }
  return { name, cidrs: cidrs.split(',') };
}

function changeOf(options: {
  readonly strict: string | undefined;
  readonly limit: string | undefined;
}): Partial<IpamConfig> {
  const { strict, limit } = options;
  return {
    ...(strict === undefined ? {} : { strictAffinity: booleanOption('--strictaffinity', strict) }),
    ...(limit === undefined ? {} : { maxBlocksPerHost: limitOption(limit) }),
  };
}

export const ipamConfigureCommand = defineCommand({
  path: ['ipam', 'configure'],
  help: ipamConfigureHelp,
  options: {
    strict: text('--strictaffinity'),
    limit: text('--max-blocks-per-host'),
    reserve: text('--reserve'),
    unreserve: text('--unreserve'),
    config: text('--config'),
  },
  run: async ({ options, out, clock, datastore }) =>
    failingAs({ prefix: 'Error executing command', out }, async () => {
      // All of it is read before anything is changed.
      const change = changeOf(options);
      const reservation = options.reserve === undefined ? undefined : reservationOption(options.reserve);
      const { store } = await datastore();
      if (Object.keys(change).length > 0) {
        const { strictAffinity, maxBlocksPerHost } = await changeIpamConfig({ store, clock }, change);
        if ('strictAffinity' in change)
          out.line(`Successfully set StrictAffinity to: ${String(strictAffinity)}`);
        if ('maxBlocksPerHost' in change)
          out.line(`Successfully set MaxBlocksPerHost to: ${String(maxBlocksPerHost ?? 0)}`);
      }
      if (options.unreserve !== undefined) {
        await removeReservation({ store, clock }, options.unreserve);
        out.line(visible(`Successfully removed the reservation ${options.unreserve}`));
      }
      if (reservation !== undefined) {
        await setReservation({ store, clock }, reservation);
        out.line(`Successfully reserved ${reservation.cidrs.join(', ')} as ${reservation.name}`);
      }
      return 0;
    }),
});
