import type { Store } from '../../../datastore/index.js';
import {
  createAllocator,
  listReservations,
  readIpamConfig,
  showAddress,
  usage,
} from '../../../ipam/index.js';
import type { Usage } from '../../../ipam/index.js';
import { defineCommand, flag, text } from '../../command.js';
import type { CommandServices, ExitCode } from '../../command.js';
import { ipamShowHelp } from '../../help/ipam.js';
import { formatBox, formatStructured, isStructured, visible } from '../../output/index.js';
import { failingAs } from '../failing-as.js';
import { addressOption } from './address-option.js';

type AddressRequest = { readonly ip: string; readonly output: string; readonly store: Store };

async function showOne(
  { ip, output, store }: AddressRequest,
  { out, clock }: Pick<CommandServices, 'out' | 'clock'>,
): Promise<ExitCode> {
  const address = addressOption(ip);
  if (isStructured(output)) {
    out.text(formatStructured(output, await showAddress(store, address)));
    return 0;
  }
  const assignment = await createAllocator({ store, clock }).lookup(address);
  if (assignment === undefined) {
    out.line(`IP ${address} is not currently assigned`);
    return 0;
  }
  const attributes = Object.entries(assignment.attributes).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const words = attributes.map(([key, value]) => `${key}:${value}`).join(' ');
  out.line(attributes.length === 0 ? `No attributes defined for ${address}` : visible(`map[${words}]`));
  return 0;
}

/** `5 (0%)`: the share is rounded down, so that 100 % means all. */
function withShare(count: number, total: number): string {
  const share = total === 0 ? 0 : Math.floor((count / total) * 100);
  return `${count > Number.MAX_SAFE_INTEGER ? count.toExponential(4) : String(count)} (${String(share)}%)`;
}

type Counts = Pick<Usage['pools'][number], 'cidr' | 'total' | 'used' | 'free'>;

function countCells({ cidr, total, used, free }: Counts): readonly string[] {
  const all = total > Number.MAX_SAFE_INTEGER ? total.toExponential(4) : String(total);
  return [cidr, all, withShare(used, total), withShare(free, total)];
}

/** Each pool, and below it each of its blocks where they are asked for; blocks without a pool at the end. */
function usageTable({ pools, blocks }: Usage, showBlocks: boolean): string {
  const blockRow = (block: Usage['blocks'][number]): readonly string[] => [
    'Block',
    ...countCells(block),
    block.node ?? '',
  ];
  const inPool = (cidr: string | undefined): readonly (readonly string[])[] =>
    showBlocks ? blocks.filter(({ pool }) => pool === cidr).map(blockRow) : [];
  const rows = [
    ...pools.flatMap(pool => [
      ['IP Pool', ...countCells(pool), pool.enabled ? '' : 'disabled'],
      ...inPool(pool.cidr),
    ]),
    ...inPool(undefined),
  ];
  const headings = ['GROUPING', 'CIDR', 'IPS TOTAL', 'IPS IN USE', 'IPS FREE', 'NODE'];
  if (showBlocks) return formatBox(headings, rows);
  return formatBox(
    headings.slice(0, -1),
    rows.map(cells => cells.slice(0, -1)),
  );
}

function borrowedTable({ borrowed }: Usage): string {
  return formatBox(
    ['IP', 'BORROWING NODE', 'BLOCK', 'BLOCK OWNER', 'HANDLE'],
    borrowed.map(({ address, node, block, owner, handle }) => [
      address,
      node,
      block,
      owner ?? '',
      handle ?? '',
    ]),
  );
}

async function showConfiguration(
  { output, store }: Omit<AddressRequest, 'ip'>,
  { out }: Pick<CommandServices, 'out'>,
): Promise<ExitCode> {
  const [config, reservations] = await Promise.all([readIpamConfig(store), listReservations(store)]);
  const { strictAffinity, autoAllocateBlocks, maxBlocksPerHost = 0 } = config;
  if (isStructured(output)) {
    const found = { strictAffinity, autoAllocateBlocks, maxBlocksPerHost, reservations };
    out.text(formatStructured(output, found));
    return 0;
  }
  const rows = [
    ['StrictAffinity', String(strictAffinity)],
    ['AutoAllocateBlocks', String(autoAllocateBlocks)],
    ['MaxBlocksPerHost', String(maxBlocksPerHost)],
    ...reservations.map(({ name, cidrs }) => [visible(`Reserved: ${name}`), cidrs.join(', ')]),
  ];
  out.text(formatBox(['PROPERTY', 'VALUE'], rows));
  return 0;
}

export const ipamShowCommand = defineCommand({
  path: ['ipam', 'show'],
  help: ipamShowHelp,
  options: {
    ip: text('--ip'),
    showBlocks: flag('--show-blocks'),
    showBorrowed: flag('--show-borrowed'),
    showSettings: flag('--show-configuration'),
    output: text('--output'),
    config: text('--config'),
  },
  run: async ({ options, out, clock, datastore }) => {
    const { ip, showBlocks, showBorrowed, showSettings, output = 'ps' } = options;
    if (output !== 'ps' && !isStructured(output)) {
      out.line(`unrecognized output format '${visible(output)}'`);
      return 1;
    }
    const { store } = await datastore();
    return await failingAs({ prefix: 'Error executing command', out }, async () => {
      if (ip !== undefined) return await showOne({ ip, output, store }, { out, clock });
      if (showSettings) return await showConfiguration({ output, store }, { out });
      const found = await usage(store);
      if (isStructured(output)) {
        out.text(formatStructured(output, found));
        return 0;
      }
      if (!showBorrowed || showBlocks) out.text(usageTable(found, showBlocks));
      if (showBorrowed) out.text(borrowedTable(found));
      return 0;
    });
  },
});
